package cloudtest

import (
	"math"
	"slices"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// testUsage: a server is in the usage of its project from when it runs, also when it is
// gone, with what its flavor has times the hours.
func testUsage(k *check) {
	k.needs(canonical.ListUsages.Spec(), canonical.CreateServer.Spec(), canonical.DeleteServer.Spec())
	id := k.server("used")
	made := k.get(id)
	flavor, began := made.Flavor, made.CreatedAt.Add(-time.Hour) // clocks differ
	span := canonical.UsageList{Project: canonical.OwnProject, Start: began.UTC().Format(time.RFC3339), End: began.Add(2 * time.Hour).UTC().Format(time.RFC3339)}
	line := k.used(span, id)
	if line.StartedAt == nil || line.EndedAt != nil || line.Status != canonical.ServerRunning || line.Hours < 0 || line.UptimeS < 0 {
		k.errorf("a running server used %+v", line)
	}
	if flavor.VCPUs != nil && line.VCPUs != *flavor.VCPUs || flavor.RAMMiB != nil && line.RAMMiB != *flavor.RAMMiB {
		k.errorf("the usage is of %d vCPUs and %d MiB, the flavor %+v", line.VCPUs, line.RAMMiB, flavor)
	}
	do(k, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	k.gone(id)
	if line := k.used(span, id); line.EndedAt == nil || line.Status != canonical.ServerDeleted || line.Hours < 0 || line.Hours > 2 {
		k.errorf("a deleted server used %+v", line)
	}
	before := span
	before.Start, before.End = began.Add(-2*time.Hour).UTC().Format(time.RFC3339), began.UTC().Format(time.RFC3339)
	for _, u := range do(k, canonical.ListUsages, before).Items {
		if slices.ContainsFunc(u.Servers, func(s canonical.ServerUsage) bool { return s.ID == id }) {
			k.errorf("the server is in the usage of before it was made")
		}
	}
	k.refused("an end before the start", try(k, canonical.ListUsages, canonical.UsageList{Project: canonical.OwnProject, Start: span.End, End: span.Start}), "start")
	k.refused("no time", try(k, canonical.ListUsages, canonical.UsageList{Project: canonical.OwnProject, End: "yesterday"}), "end")
}

// used is the server's line in the usage of its project, which may come a moment late.
func (k *check) used(r canonical.UsageList, id canonical.ID) (line canonical.ServerUsage) {
	k.eventually("server "+string(id)+" is in the usage", func() (found bool) {
		line, found = k.lineOf(r, id)
		return found
	})
	return line
}

// lineOf looks for the server's line in the usage, whose amounts must be the sums of its
// servers'.
func (k *check) lineOf(r canonical.UsageList, id canonical.ID) (line canonical.ServerUsage, found bool) {
	for _, u := range do(k, canonical.ListUsages, r).Items {
		sum := u.Of(u.Servers)
		if u.ID == "" || u.Project == "" || !near(u.ServerHours, sum.ServerHours) || !near(u.VCPUHours, sum.VCPUHours) || !near(u.RAMMiBHours, sum.RAMMiBHours) || !near(u.DiskGiBHours, sum.DiskGiBHours) {
			k.errorf("usage.list gave %+v", u)
		}
		for _, s := range u.Servers {
			if s.ID == id {
				return s, true
			}
		}
	}
	return canonical.ServerUsage{}, false
}

// near says whether two sums are the same but for how they were rounded.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Max(1, math.Abs(a)) }
