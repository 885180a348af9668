package store_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// A database is opened again with what it held, migrations are not repeated, and
// odd characters in its path are part of the path.
func TestOpenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%.db")
	s := open(t, path)
	if err := s.CreateTenant(t.Context(), canonical.Tenant{ID: "1", Name: "acme"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	all, err := open(t, path).Tenants(t.Context())
	if err != nil || len(all) != 1 || all[0].Name != "acme" {
		t.Fatalf("got %v, %v", all, err)
	}
}

func TestOpenRefusesOtherDatabases(t *testing.T) {
	if _, err := store.Open(t.Context(), "postgres://u:secret@h/db"); err == nil {
		t.Fatal("opened")
	}
}

func TestKeys(t *testing.T) {
	ctx, s := t.Context(), open(t, filepath.Join(t.TempDir(), "k.db"))
	key := store.Key{APIKey: canonical.APIKey{ID: "k1", Tenant: "acme", Role: canonical.Member, CreatedAt: time.Now().UTC()}, Seal: []byte{1}}
	if got := canonical.CodeOf(s.CreateKey(ctx, key)); got != canonical.NotFound {
		t.Errorf("a key without its tenant: %q", got)
	}
	if err := s.CreateTenant(ctx, canonical.Tenant{ID: "1", Name: "acme"}); err != nil {
		t.Fatal(err)
	}
	if got := canonical.CodeOf(s.CreateTenant(ctx, canonical.Tenant{ID: "2", Name: "acme"})); got != canonical.AlreadyExists {
		t.Errorf("the same name again: %q", got)
	}
	if err := s.CreateKey(ctx, key); err != nil {
		t.Fatal(err)
	}
	got, err := s.Key(ctx, "k1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(key, got); diff != "" {
		t.Error(diff)
	}
	if err := s.DeleteKey(ctx, "k1"); err != nil {
		t.Error(err)
	}
	if got := canonical.CodeOf(s.DeleteKey(ctx, "k1")); got != canonical.NotFound {
		t.Errorf("deleted twice: %q", got)
	}
}

// An operation that has ended stays as it ended.
func TestOperations(t *testing.T) {
	ctx, s := context.Background(), open(t, ":memory:")
	o := store.Operation{Deadline: time.Now().Add(time.Hour).UTC(), Task: canonical.WaitGone("c:1")}
	o.ID, o.Tenant, o.Status, o.CreatedAt = "op1", "acme", canonical.OperationRunning, time.Now().UTC()
	if err := s.CreateOperation(ctx, o); err != nil {
		t.Fatal(err)
	}
	open, err := s.Unfinished(ctx)
	if err != nil || len(open) != 1 {
		t.Fatal(open, err)
	}
	if diff := cmp.Diff(o.Task, open[0].Task); diff != "" {
		t.Error(diff)
	}
	o.Status = canonical.OperationSucceeded
	if err := s.UpdateOperation(ctx, o); err != nil {
		t.Fatal(err)
	}
	o.Status = canonical.OperationFailed
	if got := canonical.CodeOf(s.UpdateOperation(ctx, o)); got != canonical.NotFound {
		t.Errorf("changed after its end: %q", got)
	}
	if all, err := s.Operations(ctx, "other"); err != nil || len(all) != 0 {
		t.Error(all, err)
	}
}

func TestOwned(t *testing.T) {
	ctx, s := t.Context(), open(t, ":memory:")
	for _, step := range []error{
		s.Intend(ctx, "op1", "acme", "c", "server"), s.Own(ctx, "op1", "c:1", "c:2"), s.Own(ctx, "op1", "c:1"),
		s.Disown(ctx, "c", "server", "c:2"),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	got, err := s.Owners(ctx, "c", "server")
	if diff := cmp.Diff(map[canonical.ID]string{"c:1": "acme"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if owner, err := s.Owner(ctx, "c", "server", "c:2"); owner != "" || err != nil {
		t.Error(owner, err)
	}
}
