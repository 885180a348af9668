package cloudtest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Harness says which cloud is tested and how.
type Harness struct {
	// Open gives the cloud for one test; it may be the same each time. What it opens
	// it closes by t.Cleanup.
	Open func(t *testing.T) canonical.Cloud
	// Context is the base of every call (caller, options); nil: Background.
	Context func() context.Context
	// Flavor, Image and Network are what servers are made of; empty: the first that a
	// list gives.
	Flavor, Image, Network canonical.Ref
	// Timeout bounds each test; 0: one minute.
	Timeout time.Duration
	// First and Most are the pauses between questions about a task, from the first to
	// the longest; 0: 5 ms and 1 s.
	First, Most time.Duration
	// Deviations are the tests that this cloud does not pass, each with its reason. A
	// test that is listed and passes fails the suite.
	Deviations map[string]string
}

// test is one test of the suite.
type test struct {
	name string
	run  func(*check)
}

// Run runs the suite. Every test is a subtest of t of the name that Deviations uses.
func Run(t *testing.T, h Harness) {
	t.Helper()
	h = h.orDefault()
	known := map[string]bool{}
	for _, tt := range tests() {
		known[tt.name] = true
		t.Run(tt.name, func(t *testing.T) { h.run(t, tt) })
	}
	for name := range h.Deviations {
		if !known[name] {
			t.Errorf("Deviations names the test %q, which does not exist", name)
		}
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

func (h Harness) run(t *testing.T, tt test) {
	reason, deviates := h.Deviations[tt.name]
	if deviates && reason == "" {
		t.Fatalf("the deviation has no reason")
	}
	ctx, cancel := context.WithTimeout(h.Context(), h.Timeout)
	defer cancel()
	k := &check{h: h, ctx: ctx, cloud: h.Open(t)}
	k.perform(tt.run)
	k.cleanUp()
	failures, skip := k.verdict(deviates, reason)
	for _, f := range failures {
		t.Error(f)
	}
	if skip != "" {
		t.Skip(skip)
	}
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

func tests() []test {
	all := []test{
		{"support", testSupport},
		{"catalogue/flavors", testFlavors},
		{"catalogue/images", testImages},
		{"catalogue/networks", testNetworks},
		{"catalogue/zones", testZones},
		{"server/lifecycle", testLifecycle},
		{"server/update", testUpdate},
		{"server/count", testCount},
		{"server/pages", testPages},
		{"server/cursor", testCursor},
		{"server/filters", testFilters},
		{"server/concurrency", testConcurrency},
		{"server/snapshots", testSnapshots},
		{"keypair/lifecycle", testKeypairs},
		{"cancellation", testCancellation},
		{"errors/unknown", testUnknown},
		{"errors/invalid", testInvalid},
	}
	return append(all, stateTests()...)
}
