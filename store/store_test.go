package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
	postgrestest "github.com/dragoman-cloud/dragoman/test/postgres"
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

// each runs the test on a store of each kind that is there.
func each(t *testing.T, test func(*testing.T, *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, open(t, filepath.Join(t.TempDir(), "s.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, openPostgres(t)) })
}

// openPostgres opens a new database on the server that DRAGOMAN_TEST_POSTGRES names.
func openPostgres(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), postgrestest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// What is in the database is nobody's but the one's who runs dragoman.
func TestFilesArePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	open(t, path)
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Error(f, info.Mode(), err)
		}
	}
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

func TestInstance(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		first, err := s.Instance(t.Context())
		again, err2 := s.Instance(t.Context())
		if err != nil || err2 != nil || first != again || len(first) != 8 {
			t.Error(first, again, err, err2)
		}
	})
}

// Statements whose contexts end leave nothing behind that keeps others out.
func TestCancelledStatements(t *testing.T) {
	for name, path := range map[string]string{"file": filepath.Join(t.TempDir(), "c.db"), "memory": ":memory:"} {
		t.Run(name, func(t *testing.T) {
			s := open(t, path)
			var all sync.WaitGroup
			for w := range 3 {
				all.Go(func() {
					for i := range 60 {
						ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*w)*10*time.Microsecond)
						_ = s.Say(ctx, canonical.Event{Type: canonical.ServerEvent, Tenant: "acme", Data: []byte("{}")}) // may fail
						_, _ = s.Owner(ctx, "c", "server", "c:1")
						_, _ = s.Operations(ctx, store.OperationFilter{Tenant: "acme"})
						cancel()
					}
				})
			}
			all.Wait()
			if err := s.Say(t.Context(), canonical.Event{Type: canonical.ServerEvent, Tenant: "acme", Data: []byte("{}")}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpenRefusesOtherDatabases(t *testing.T) {
	for _, dsn := range []string{"mysql://u:secret@h/db", "sqlite:", "", "postgres://u:secret@h:port/db"} {
		_, err := store.Open(t.Context(), dsn)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

func TestKeys(t *testing.T) {
	each(t, testKeys)
}

func testKeys(t *testing.T, s *store.Store) {
	ctx := t.Context()
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
	key.Seal = []byte{2}
	if err := s.PutKey(ctx, key); err != nil {
		t.Error(err)
	}
	if got, err := s.Key(ctx, "k1"); err != nil || got.Seal[0] != 2 {
		t.Error(got, err)
	}
	if err := s.CreateTenant(ctx, canonical.Tenant{ID: "2", Name: "other"}); err != nil {
		t.Fatal(err)
	}
	key.Tenant = "other"
	if got := canonical.CodeOf(s.PutKey(ctx, key)); got != canonical.AlreadyExists {
		t.Errorf("in the place of another tenant's: %q", got)
	}
	if err := s.DeleteKey(ctx, "k1"); err != nil {
		t.Error(err)
	}
	if got := canonical.CodeOf(s.DeleteKey(ctx, "k1")); got != canonical.NotFound {
		t.Errorf("deleted twice: %q", got)
	}
}

// A statement whose context ends says so, whatever the database makes of it.
func TestEndedContexts(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for i := range 100 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*20*time.Microsecond)
			o := store.Operation{Deadline: time.Now()}
			o.ID, o.Status, o.CreatedAt = canonical.ID(fmt.Sprint(i)), canonical.OperationRunning, time.Now()
			_, err2 := s.Owner(ctx, "c", "server", "c:1")
			for _, err := range []error{s.CreateOperation(ctx, o, "p"), err2} {
				if code := canonical.CodeOf(err); err != nil && code != canonical.Timeout && code != canonical.Canceled {
					t.Errorf("%v: %v", code, err)
				}
			}
			cancel()
		}
	})
}

// Text that PostgreSQL cannot hold is the caller's mistake.
func TestOddText(t *testing.T) {
	s := openPostgres(t)
	for _, odd := range []string{"a\x00b", "\xff"} {
		if _, err := s.Owner(t.Context(), "c", "server", canonical.ID(odd)); canonical.CodeOf(err) != canonical.InvalidRequest {
			t.Errorf("%q: %v", odd, err)
		}
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
	got, err := s.Owners(ctx, "c", "server", []canonical.ID{"c:1", "c:2", "c:3"})
	if diff := cmp.Diff(map[canonical.ID]string{"c:1": "acme"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if owner, err := s.Owner(ctx, "c", "server", "c:2"); owner != "" || err != nil {
		t.Error(owner, err)
	}
}
