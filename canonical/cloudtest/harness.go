package cloudtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Harness says which cloud is tested and how.
type Harness struct {
	// Open gives the cloud, once for a run. What it opens it closes by t.Cleanup.
	Open func(t *testing.T) canonical.Cloud
	// Context is the base of every call (caller, options); nil: Background.
	Context func() context.Context
	// Flavor, Image and Network are what servers are made of; empty: the first that a
	// list gives.
	Flavor, Image, Network canonical.Ref
	// Project is one of the cloud's own, for what is granted to projects; empty: any word
	// will do.
	Project canonical.Project
	// Costly is set where a server takes seconds.
	Costly bool
	// Timeout bounds each test; 0: one minute.
	Timeout time.Duration
	// First and Most are the pauses between questions about a task, from the first to
	// the longest; 0: 5 ms and 1 s.
	First, Most time.Duration
	// Pause lets such a pause pass; nil: by waiting. A cloud under a fake clock moves
	// the clock, and thereby says that nothing happens on it at other times.
	Pause func(d time.Duration)
	// Enter brings a running server into a situation that no operation of the cloud leads
	// to (error), or in place of the operations. What nothing leads to is skipped.
	Enter map[string]Way
	// Only are the tests to run: those whose name begins with one of these; nil: all.
	Only []string
	// Deviations are the tests that this cloud does not pass, each with its reason. A
	// test that is listed and passes fails the suite.
	Deviations map[string]string
}

// Way brings a running server into a situation, as somebody else might. leave, where
// it is not nil, ends the situation so far that a hard reboot makes the server run.
type Way = func(ctx context.Context, id canonical.ID) (leave func(context.Context) error, err error)

// test is one test of the suite.
type test struct {
	name string
	run  func(*check)
}

// Run runs the suite. Every test is a subtest of t of the name that Deviations uses.
func Run(t *testing.T, h Harness) {
	t.Helper()
	h = h.orDefault()
	for _, problem := range h.problems() {
		t.Error(problem)
	}
	s := &suite{h: h, cloud: h.Open(t)}
	for _, tt := range h.tests() {
		t.Run(tt.name, func(t *testing.T) {
			failures, skip := s.run(tt)
			for _, f := range failures {
				t.Error(f)
			}
			if skip != "" {
				t.Skip(skip)
			}
		})
	}
	for _, f := range s.close() {
		t.Error(f)
	}
}

func (h Harness) orDefault() Harness {
	set := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	set(&h.Timeout, time.Minute)
	set(&h.First, 5*time.Millisecond)
	set(&h.Most, time.Second)
	if h.Context == nil {
		h.Context = context.Background
	}
	return h
}

// problems are what is wrong with the harness itself.
func (h Harness) problems() []string {
	var all []string
	known := map[string]bool{}
	for _, tt := range h.tests() {
		known[tt.name] = true
	}
	for name, reason := range h.Deviations {
		switch {
		case !known[name]:
			all = append(all, fmt.Sprintf("Deviations names the test %q, which does not exist", name))
		case reason == "":
			all = append(all, fmt.Sprintf("the deviation %q has no reason", name))
		}
	}
	for name := range h.Enter {
		if _, ok := situations[name]; !ok || name == string(running) {
			all = append(all, fmt.Sprintf("Enter names the situation %q, which does not exist", name))
		}
	}
	return all
}

// suite is one run: the cloud, and what tests share on it.
type suite struct {
	h       Harness
	cloud   canonical.Cloud
	fleet   *fleet
	machine *machine
	beyond  map[string]bool // situations that the cloud leaves by itself
	undo    []func(*check)

	mu       sync.Mutex
	deleting map[canonical.ID]*canonical.Task // what close waits for
}

// run performs one test and says what to report of it.
func (s *suite) run(tt test) (failures []string, skip string) {
	ctx, cancel := context.WithTimeout(s.h.Context(), s.h.Timeout)
	defer cancel()
	k := &check{suite: s, ctx: ctx}
	k.perform(tt.run)
	k.cleanUp()
	reason, deviates := s.h.Deviations[tt.name]
	return k.verdict(deviates, reason)
}

// close removes what tests shared.
func (s *suite) close() []string {
	k := &check{suite: s, undo: append([]func(*check){(*check).awaitDeletes}, s.undo...)}
	k.cleanUp()
	return k.failures
}

// verdict is what the test reports: failures, or why it counts for nothing.
func (k *check) verdict(deviates bool, reason string) (failures []string, skip string) {
	switch {
	case deviates && len(k.failures) > 0:
		return nil, fmt.Sprintf("deviation: %s (%v)", reason, k.failures)
	case deviates && k.skipped == "":
		return []string{"passes, though it is declared a deviation: " + reason}, ""
	case len(k.failures) > 0:
		return k.failures, ""
	default:
		return nil, k.skipped
	}
}

// tests are all tests for such a cloud.
func (h Harness) tests() []test {
	all := []test{
		{"support", testSupport},
		{"catalogue/flavors", testFlavors},
		{"catalogue/images", testImages},
		{"catalogue/networks", testNetworks},
		{"catalogue/zones", testZones},
		{"catalogue/hypervisors", testHypervisors},
		{"image/lifecycle", testImageLifecycle},
		{"image/content", testImageContent},
		{"image/uploads", testImageUploads},
		{"image/protected", testProtectedImage},
		{"image/in_use", testImageInUse},
		{"image/members", testImageMembers},
		{"image/tags", testImageTags},
		{"image/deactivation", testDeactivation},
		{"flavor/lifecycle", testFlavorLifecycle},
		{"flavor/update", testFlavorUpdate},
		{"flavor/extra_specs", testFlavorExtraSpecs},
		{"flavor/access", testFlavorAccess},
		{"group/lifecycle", testServerGroups},
		{"group/members", testServerGroupMembers},
		{"server/events", testServerEvents},
		{"host/quotas", testQuotas},
		{"host/quota_defaults", testQuotaDefaults},
		{"server/backups", testBackups},
		{"server/usage", testUsage},
		{"host/aggregates", testAggregates},
		{"host/services", testComputeServices},
		{"host/list", testHosts},
		{"host/migrations", testMigrations},
		{"limits", testLimits},
		{"catalogue/volume_types", testVolumeTypes},
		{"volume/lifecycle", testVolumeLifecycle},
		{"volume/refusals", testVolumeRefusals},
		{"volume/sources", testVolumeSources},
		{"volume/attach", testVolumeAttach},
		{"volume/in_use", testVolumeInUse},
		{"volume/boot", testBootVolume},
		{"volume/snapshots", testVolumeSnapshots},
		{"server/lifecycle", testLifecycle},
		{"server/names", testNames},
		{"server/emoji", testEmoji},
		{"server/update", testUpdate},
		{"server/metadata", testMetadata},
		{"server/metadata_items", testMetadataItems},
		{"server/tags", testTags},
		{"server/tag_filters", testTagFilters},
		{"server/count", testCount},
		{"server/pages", testPages},
		{"server/cursor", testCursor},
		{"server/stability", testStability},
		{"server/filters", testFilters},
		{"server/changed-since", testChangedSince},
		{"server/snapshots", testSnapshots},
		{"server/console", testConsole},
		{"idempotency/reads", testRepeatedReads},
		{"idempotency/delete", testRepeatedDelete},
		{"concurrency/creates", testParallelCreates},
		{"concurrency/actions", testParallelActions},
		{"concurrency/deletes", testParallelDeletes},
		{"keypair/lifecycle", testKeypairs},
		{"keypair/generated", testGeneratedKeypair},
		{"cancellation/before", testCanceledBefore},
		{"cancellation/reads", testCanceledReads},
		{"cancellation/create", testCanceledCreate},
		{"errors/unknown", testUnknown},
		{"errors/create", testInvalidCreate},
		{"errors/list", testInvalidList},
	}
	all = append(all, networkTests()...)
	all = append(all, stateTests()...)
	if h.Only == nil {
		return all
	}
	return slices.DeleteFunc(all, func(t test) bool {
		return !slices.ContainsFunc(h.Only, func(prefix string) bool { return strings.HasPrefix(t.name, prefix) })
	})
}
