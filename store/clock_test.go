package store

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// clocked is a store whose database has a clock of the test's own, far from the
// process's: it begins in 1970.
func clocked(t *testing.T) (s *Store, set func(seconds float64)) {
	t.Helper()
	s = openHere(t, "sqlite:"+filepath.Join(t.TempDir(), "s.db"))
	if _, err := s.db.Exec(`CREATE TABLE clock (at REAL NOT NULL); INSERT INTO clock VALUES (1000)`); err != nil {
		t.Fatal(err)
	}
	s.db.kind.now = "(SELECT at FROM clock)"
	return s, func(seconds float64) {
		t.Helper()
		if _, err := s.db.Exec(`UPDATE clock SET at = ?`, seconds); err != nil {
			t.Fatal(err)
		}
	}
}

// Leases of operations are measured by the database's clock alone: it does not matter
// how wrong that of a process is.
func TestLeasesGoByTheDatabase(t *testing.T) {
	ctx := t.Context()
	s, set := clocked(t)
	o := Operation{Phase: Asking, Deadline: time.Now()}
	o.ID, o.Status, o.CreatedAt = "op1", canonical.OperationPending, time.Now()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.CreateOperation(ctx, o, "a"))
	ids := []canonical.ID{"op1"}
	for _, step := range []struct {
		reason string
		at     float64
		do     func() error
		taken  int
	}{
		{"the lease goes on", 1000 + Lease.Seconds() - 1, nil, 0},
		{"it was renewed", 1000 + Lease.Seconds() + 1, func() error { set(1004); return s.RenewOperations(ctx, "a", ids) }, 0},
		{"a write renews it", 1008 + Lease.Seconds() - 1, func() error { set(1008); return s.UpdateOperation(ctx, o) }, 0},
		{"it has ended", 1008 + Lease.Seconds() + 1, nil, 1},
		{"who took it has it for a lease", 1014 + Lease.Seconds() - 1, nil, 0},
		{"it was released", 1015, func() error { return s.ReleaseOperations(ctx, "b") }, 1},
		{"it was cancelled, and so is another's", 1016 + Lease.Seconds() - 1, func() error {
			set(1016)
			_, err := s.TakeOperation(ctx, "op1", "c")
			return err
		}, 0},
		{"the clock was set back by an hour", -2000, nil, 1},
	} {
		if step.do != nil {
			must(step.do())
		}
		set(step.at)
		got, err := s.TakeOperations(ctx, "b")
		if err != nil || len(got) != step.taken {
			t.Errorf("%s: took %d, %v", step.reason, len(got), err)
		}
	}
}

// So are those of repeated requests, and the age of events.
func TestRepeatsAndEventsGoByTheDatabase(t *testing.T) {
	ctx := t.Context()
	s, set := clocked(t)
	r := Repeat{Key: []byte("k"), Digest: []byte("d"), Owner: "a", BegunAt: time.Now()}
	known := func(reason string, at float64, good func(*Repeat) bool) {
		t.Helper()
		set(at)
		got, err := s.ClaimRepeat(ctx, r, 8*time.Second)
		if err != nil || !good(got) {
			t.Errorf("%s: %+v, %v", reason, got, err)
		}
	}
	known("a new one", 1000, func(k *Repeat) bool { return k == nil })
	known("under way", 1007, func(k *Repeat) bool { return k != nil && !k.Dead })
	if err := s.RenewRepeat(ctx, r, 8*time.Second); err != nil {
		t.Fatal(err)
	}
	known("renewed", 1014, func(k *Repeat) bool { return k != nil && !k.Dead })
	known("dead", 1016, func(k *Repeat) bool { return k != nil && k.Dead })
	if err := s.TakeRepeat(ctx, r, 8*time.Second); err != nil {
		t.Fatal(err)
	}
	known("taken", 1023, func(k *Repeat) bool { return k != nil && !k.Dead })
	r.Answer = []byte("a")
	if err := s.EndRepeat(ctx, r, time.Hour); err != nil {
		t.Fatal(err)
	}
	known("kept", 1023+3599, func(k *Repeat) bool { return k != nil && k.Answer != nil })
	known("forgotten", 1023+3601, func(k *Repeat) bool { return k == nil })

	for _, at := range []float64{2000, 3000, 4000} {
		set(at)
		if err := s.Say(ctx, canonical.Event{Type: canonical.ServerEvent, Data: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	set(2500 + KeepEvents.Seconds())
	if err := s.ForgetEvents(ctx); err != nil {
		t.Fatal(err)
	}
	left, err := s.Events(ctx, "", 0, 10)
	if err != nil || len(left) != 2 || left[0].At.Unix() != 3000 {
		t.Errorf("%+v, %v", left, err)
	}
}
