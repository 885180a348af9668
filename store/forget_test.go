package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	postgrestest "github.com/dragoman-cloud/dragoman/test/postgres"
)

// Operations that ended long ago are forgotten, and intents as old that nobody works at.
func TestForgetOperations(t *testing.T) {
	s, err := Open(t.Context(), postgrestest.Store(t, ":memory:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ctx := t.Context()
	for _, id := range []canonical.ID{"ended", "long ended", "long running"} {
		o := Operation{Phase: Waiting, Operation: canonical.Operation{ID: id, Operation: "server.create", Tenant: "acme", Status: canonical.OperationRunning}}
		if err := s.CreateOperation(ctx, o, "p1"); err != nil {
			t.Fatal(err)
		}
		if o.Status = canonical.OperationSucceeded; id != "long running" {
			if err := s.UpdateOperation(ctx, o); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, intent := range []string{"long running", "lost", "new"} {
		if err := s.Intend(ctx, intent, "acme", "m1", "server"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Adopt(ctx, "m1", "server", "m1:kept", "acme"); err != nil {
		t.Fatal(err)
	}
	long := KeepOperations + time.Hour
	for _, q := range []struct {
		query string
		args  []any
	}{
		{`UPDATE operations SET leased_until = leased_until - ? WHERE id LIKE 'long%'`, []any{long.Seconds()}},
		{`UPDATE owned SET created_at = ? WHERE intent <> 'new'`, []any{timeText(time.Now().Add(-long))}},
	} {
		if _, err := s.db.ExecContext(ctx, q.query, q.args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.ForgetOperations(ctx); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[canonical.ID]canonical.Code{"ended": "", "long running": "", "long ended": canonical.NotFound} {
		if _, err := s.Operation(ctx, id); canonical.CodeOf(err) != want {
			t.Errorf("%s: %v", id, err)
		}
	}
	for intent, want := range map[string]string{"long running": "acme", "new": "acme", "lost": ""} {
		id := canonical.ID("m1:" + intent)
		if err := s.Own(ctx, intent, id); err != nil {
			t.Fatal(err)
		}
		if owner, err := s.Owner(ctx, "m1", "server", id); err != nil || owner != want {
			t.Errorf("%s: owned by %q, %v", intent, owner, err)
		}
	}
	if owner, err := s.Owner(ctx, "m1", "server", "m1:kept"); err != nil || owner != "acme" {
		t.Errorf("what is owned is: %q, %v", owner, err)
	}
}

// A filter finds what it means however much else is newer.
func TestOperationFilter(t *testing.T) {
	s, err := Open(t.Context(), postgrestest.Store(t, ":memory:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	begun := time.Now()
	for i, o := range []canonical.Operation{
		{ID: "old", Operation: "server.create", Cloud: "m1", Status: canonical.OperationRunning, Resources: []canonical.Resource{{Type: "server", ID: `m1:a_%"<`}}},
		{ID: "named", Operation: "server.stop", Cloud: "m2", Status: canonical.OperationSucceeded, Result: []byte(`{"id":"m1:a_%\"\u003c"}`)},
		{ID: "like", Operation: "server.stop", Cloud: "m2", Status: canonical.OperationSucceeded, Resources: []canonical.Resource{{Type: "server", ID: `m1:ab%"<`}}},
	} {
		o.Tenant, o.CreatedAt = "acme", begun.Add(time.Duration(i)*time.Second)
		if err := s.CreateOperation(t.Context(), Operation{Phase: Waiting, Operation: o}, "p1"); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		f    OperationFilter
		want string
	}{
		{OperationFilter{Tenant: "acme"}, "[like named old]"},
		{OperationFilter{Tenant: "other"}, "[]"},
		{OperationFilter{Status: canonical.OperationRunning}, "[old]"},
		{OperationFilter{Operation: "server.stop"}, "[like named]"},
		{OperationFilter{Clouds: []string{"m1"}}, "[old]"},
		{OperationFilter{Clouds: []string{"m1", "m2"}}, "[like named old]"},
		{OperationFilter{Resource: `m1:a_%"<`}, "[old]"},
	} {
		all, err := s.Operations(t.Context(), tt.f)
		ids := []canonical.ID{}
		for _, o := range all {
			ids = append(ids, o.ID)
		}
		if got := fmt.Sprint(ids); err != nil || got != tt.want {
			t.Errorf("%+v: %s, %v", tt.f, got, err)
		}
	}
}
