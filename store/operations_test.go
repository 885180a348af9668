package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

func work(id canonical.ID) store.Operation {
	return store.Operation{
		Phase: store.Waiting, Intent: json.RawMessage(`{"force":true}`), Task: canonical.WaitGone("c:1"),
		Deadline: time.Now().Add(time.Hour).UTC(),
		Operation: canonical.Operation{
			ID: id, Operation: "server.delete", Tenant: "acme", Cloud: "c", Status: canonical.OperationRunning,
			Resources: []canonical.Resource{{Type: "server", ID: "c:1"}}, Steps: []canonical.Step{}, CreatedAt: time.Now().UTC(),
		},
	}
}

// An operation that has ended stays as it ended.
func TestOperations(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		ctx, o := t.Context(), work("op1")
		if err := s.CreateOperation(ctx, o, "p1"); err != nil {
			t.Fatal(err)
		}
		if got := canonical.CodeOf(s.CreateOperation(ctx, o, "p1")); got != canonical.AlreadyExists {
			t.Errorf("made twice: %q", got)
		}
		got, err := s.Operation(ctx, "op1")
		if diff := cmp.Diff(o, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		o.Status = canonical.OperationSucceeded
		if err := s.UpdateOperation(ctx, o); err != nil {
			t.Fatal(err)
		}
		o.Status = canonical.OperationFailed
		if got := canonical.CodeOf(s.UpdateOperation(ctx, o)); got != canonical.NotFound {
			t.Errorf("changed after its end: %q", got)
		}
		if _, err := s.TakeOperation(ctx, "op1", "p2"); canonical.CodeOf(err) != canonical.NotFound {
			t.Errorf("taken after its end: %v", err)
		}
		for tenant, want := range map[string]int{"other": 0, "acme": 1, "": 1} {
			if all, err := s.Operations(ctx, store.OperationFilter{Tenant: tenant}); err != nil || len(all) != want {
				t.Error(tenant, all, err)
			}
		}
	})
}

// One process at a time has an operation; what is not renewed or is released goes to
// who takes it, and the former owner cannot write any more.
func TestLeases(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for _, id := range []canonical.ID{"op1", "op2"} {
			if err := s.CreateOperation(ctx, work(id), "p1"); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.TakeOperations(ctx, "p2"); err != nil || len(got) != 0 {
			t.Error("taken while it is leased:", got, err)
		}
		if err := s.RenewOperations(ctx, "p1", []canonical.ID{"op1", "op2", "op3"}); err != nil {
			t.Error(err)
		}
		if got, err := s.TakeOperation(ctx, "op2", "p3"); err != nil || got.ID != "op2" {
			t.Error(got, err)
		}
		if err := s.ReleaseOperations(ctx, "p1"); err != nil {
			t.Error(err)
		}
		got, err := s.TakeOperations(ctx, "p2")
		if err != nil || len(got) != 1 || got[0].ID != "op1" {
			t.Fatal(got, err)
		}
		if got[0].Fence != 1 {
			t.Error(got[0].Fence)
		}
		if diff := cmp.Diff(work("op1"), got[0], cmp.FilterPath(func(p cmp.Path) bool {
			n := p.Last().String()
			return n == ".Deadline" || n == ".CreatedAt" || n == ".Fence"
		}, cmp.Ignore())); diff != "" {
			t.Error(diff)
		}
		if code := canonical.CodeOf(s.UpdateOperation(ctx, work("op1"))); code != canonical.NotFound {
			t.Errorf("who had it before writes: %q", code)
		}
		if err := s.UpdateOperation(ctx, got[0]); err != nil {
			t.Error(err)
		}
	})
}

// A lease ends by the database's clock.
func TestLeasesEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a lease to end")
	}
	each(t, func(t *testing.T, s *store.Store) {
		if err := s.CreateOperation(t.Context(), work("op1"), "p1"); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		for {
			got, err := s.TakeOperations(t.Context(), "p2")
			if err != nil || time.Since(begun) > 4*store.Lease {
				t.Fatal(err, "it never ended")
			}
			if len(got) == 1 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if d := time.Since(begun); d < store.Lease-time.Second {
			t.Errorf("it ended after %s", d)
		}
	})
}

// Every change of an operation is an event; events come in order, to their tenant.
func TestEvents(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		ctx, o := t.Context(), work("op1")
		if first, last, err := s.KeptEvents(ctx); first != 0 || last != 0 || err != nil {
			t.Fatal(first, last, err)
		}
		if err := s.CreateOperation(ctx, o, "p1"); err != nil {
			t.Fatal(err)
		}
		if err := s.Say(ctx, canonical.Event{Type: canonical.ServerEvent, Tenant: "other", Data: json.RawMessage(`{"id":"c:2"}`)}); err != nil {
			t.Fatal(err)
		}
		if err := s.UpdateOperation(ctx, o); err != nil {
			t.Fatal(err)
		}
		o.Fence = 7
		if err := s.UpdateOperation(ctx, o); err == nil {
			t.Fatal("who had it before wrote")
		}
		for tenant, want := range map[string]int{"acme": 2, "other": 1, "": 3, "third": 0} {
			got, err := s.Events(ctx, tenant, 0, 10)
			if err != nil || len(got) != want {
				t.Fatal(tenant, got, err)
			}
			for i, e := range got {
				if i > 0 && e.ID <= got[i-1].ID || tenant != "" && e.Tenant != tenant || time.Since(e.At).Abs() > time.Minute {
					t.Error(tenant, e)
				}
			}
		}
		all, err := s.Events(ctx, "", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if rest, err := s.Events(ctx, "", all[0].ID, 1); err != nil || len(rest) != 1 || rest[0].ID != all[1].ID {
			t.Error(rest, err)
		}
		if err := s.ForgetEvents(ctx); err != nil {
			t.Error(err)
		}
		if first, last, err := s.KeptEvents(ctx); first != all[0].ID || last != all[2].ID || err != nil {
			t.Error(first, last, err)
		}
	})
}
