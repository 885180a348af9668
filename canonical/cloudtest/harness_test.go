package cloudtest

import (
	"context"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// undeclared is a cloud that says nothing about what it offers.
type undeclared struct{ canonical.Mux }

func (*undeclared) Support(context.Context, *canonical.Spec) canonical.Support {
	return canonical.Support{}
}

// liar is a cloud that refuses all, with the wrong code.
type liar struct{ canonical.Mux }

func (*liar) Do(context.Context, canonical.Call) (canonical.Reply, error) {
	return canonical.Reply{}, canonical.Errorf(canonical.Internal, "no")
}

func failuresOf(t *testing.T, c canonical.Cloud, run func(*check)) []string {
	t.Helper()
	k := &check{suite: &suite{h: Harness{}.orDefault(), cloud: c}, ctx: t.Context()}
	k.perform(run)
	k.cleanUp()
	return k.failures
}

func TestSupportIsHeldToItsWord(t *testing.T) {
	if got := failuresOf(t, &canonical.Mux{}, testSupport); len(got) > 0 {
		t.Errorf("a cloud that honestly offers nothing fails: %v", got)
	}
	for name, c := range map[string]canonical.Cloud{"undeclared": &undeclared{}, "liar": &liar{}} {
		if got := failuresOf(t, c, testSupport); len(got) != len(canonical.Ops()) {
			t.Errorf("%s: %d failures, want one for each operation", name, len(got))
		}
	}
}

// TestEveryOperationCanBeAsked: whoever declares an operation puts a request of it
// into requests.go.
func TestEveryOperationCanBeAsked(t *testing.T) {
	if names := unheard(); len(names) > 0 {
		t.Errorf("without a plausible request: %v", names)
	}
}

func TestNothingOfferedSkipsTheRest(t *testing.T) {
	Run(t, Harness{Open: func(*testing.T) canonical.Cloud { return &canonical.Mux{} }})
}

func TestVerdict(t *testing.T) {
	for name, tt := range map[string]struct {
		k        check
		deviates bool
		fails    bool
		skips    bool
	}{
		"pass":                       {},
		"failure":                    {k: check{failures: []string{"x"}}, fails: true},
		"declared failure":           {k: check{failures: []string{"x"}}, deviates: true, skips: true},
		"declared, but it passes":    {deviates: true, fails: true},
		"declared, and not offered":  {k: check{skipped: "no"}, deviates: true, skips: true},
		"not offered":                {k: check{skipped: "no"}, skips: true},
		"not offered and yet failed": {k: check{skipped: "no", failures: []string{"x"}}, fails: true},
	} {
		failures, skip := tt.k.verdict(tt.deviates, "reason")
		if (len(failures) > 0) != tt.fails || (skip != "") != tt.skips {
			t.Errorf("%s: %v, %q", name, failures, skip)
		}
	}
}
