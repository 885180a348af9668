package memory

import (
	"slices"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// maxEnded is how many servers that are gone are remembered for what they used.
const maxEnded = 100_000

// spent is what a server has that uses something since it was launched.
func spent(s *server) canonical.ServerUsage {
	u := canonical.ServerUsage{
		ID: s.ID, Name: s.Name, VCPUs: *s.Flavor.VCPUs, RAMMiB: *s.Flavor.RAMMiB, DiskGiB: *s.Flavor.DiskGiB, Status: s.Status, StartedAt: own(s.LaunchedAt),
	}
	if s.Flavor.Name != nil {
		u.Flavor = *s.Flavor.Name
	}
	if s.Flavor.EphemeralGiB != nil {
		u.DiskGiB += *s.Flavor.EphemeralGiB
	}
	return u
}

// keepUsage remembers what a server used that goes away now.
func (c *Cloud) keepUsage(s *server) {
	if s.LaunchedAt == nil {
		return
	}
	u, now := spent(s), c.now()
	u.Status, u.EndedAt = canonical.ServerDeleted, &now
	if len(c.ended) == maxEnded {
		c.ended = slices.Delete(c.ended, 0, maxEnded/10)
	}
	c.ended = append(c.ended, u)
}

// listUsages tells what all servers used, whatever project is asked for: this cloud tells
// none apart.
func (c *Cloud) listUsages(r canonical.UsageList) (canonical.TypedReply[canonical.Page[canonical.Usage]], error) {
	now := c.now()
	start, end, err := r.Span(now)
	if err != nil {
		return refuse[canonical.Page[canonical.Usage]](err)
	}
	if end.After(now) {
		end = now
	}
	var used []canonical.ServerUsage
	for _, u := range c.ended {
		used = spentIn(used, u, start, end, now)
	}
	for _, s := range c.servers {
		if s.LaunchedAt != nil {
			used = spentIn(used, spent(s), start, end, now)
		}
	}
	var found []canonical.Usage
	if len(used) > 0 {
		found = []canonical.Usage{canonical.Usage{ID: "memory", Project: canonical.OwnProject, Start: start, End: end}.Of(used)}
	}
	same := func(u canonical.Usage) canonical.Usage { return u } // made for this answer
	return arrange(found, r.ListOptions, same)
}

// spentIn adds a server to those that were there between start and end.
func spentIn(all []canonical.ServerUsage, u canonical.ServerUsage, start, end, now time.Time) []canonical.ServerUsage {
	from, to, last := *u.StartedAt, end, now
	if u.EndedAt != nil {
		last = *u.EndedAt
	}
	if last.Before(to) {
		to = last
	}
	if start.After(from) {
		from = start
	}
	if to.Before(from) || u.StartedAt.After(end) {
		return all
	}
	u.StartedAt, u.EndedAt = own(u.StartedAt), own(u.EndedAt)
	u.UptimeS, u.Hours = int(last.Sub(*u.StartedAt).Seconds()), to.Sub(from).Hours()
	return append(all, u)
}
