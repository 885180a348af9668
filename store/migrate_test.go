package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	postgrestest "github.com/dragoman-cloud/dragoman/test/postgres"
)

// A migration that testdata/released lists, as "<number> <SHA-256>", is as it was.
func TestReleased(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "released"))
	if err != nil {
		t.Fatal(err)
	}
	released := strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
	released = slices.DeleteFunc(released, func(line string) bool { return strings.HasPrefix(line, "#") })
	if len(released) > len(migrations) {
		t.Errorf("%d migrations were released, there are %d", len(released), len(migrations))
	}
	for i, m := range migrations {
		sum := sha256.Sum256([]byte(m))
		line := fmt.Sprint(i+1, " ", hex.EncodeToString(sum[:]))
		t.Log(line)
		if i < len(released) && released[i] != line {
			t.Errorf("migration %d was released, and has changed: databases have it already; append another", i+1)
		}
	}
	for n := range released {
		if _, err := os.Stat(filepath.Join("testdata", fmt.Sprintf("schema-%d.sql", n+1))); n+1 == len(released) && err != nil {
			t.Errorf("there is no database of the last release to open: %v", err)
		}
	}
}

// A database of every version that is kept opens; what it held is there, it has the
// schema of a new one, and takes new rows.
func TestUpgrade(t *testing.T) {
	dumps, err := filepath.Glob(filepath.Join("testdata", "schema-*.sql"))
	if err != nil || len(dumps) == 0 {
		t.Fatal(dumps, err)
	}
	for _, dump := range dumps {
		t.Run(filepath.Base(dump), func(t *testing.T) {
			text, err := os.ReadFile(dump)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "old.db")
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(string(text)); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			old, fresh := openHere(t, "sqlite:"+path), openHere(t, "sqlite:"+filepath.Join(t.TempDir(), "new.db"))
			if diff := cmp.Diff(schema(t, fresh), schema(t, old)); diff != "" {
				t.Error(diff)
			}
			checkOld(t, old)
		})
	}
}

// Whatever version a database has, the rest of the migrations bring it up to date;
// processes that start on it at once do so together.
func TestMigrateFromEach(t *testing.T) {
	for n := range len(migrations) + 1 {
		for kind, dsn := range map[string]func(*testing.T) string{
			"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "s.db") },
			"postgres": func(t *testing.T) string { return postgrestest.Database(t) },
		} {
			t.Run(fmt.Sprint(kind, " from ", n), func(t *testing.T) {
				dsn, whole := dsn(t), migrations
				db, err := openDatabase(t.Context(), dsn)
				if err != nil {
					t.Fatal(err)
				}
				for version := range n {
					if _, err := db.Exec(db.kind.schema.Replace(whole[version])); err != nil {
						t.Fatal(err)
					}
				}
				if n > 0 {
					_, err := db.Exec(fmt.Sprintf(`CREATE TABLE schema_version (version INTEGER PRIMARY KEY); INSERT INTO schema_version VALUES (%d)`, n))
					if err != nil {
						t.Fatal(err)
					}
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				var all sync.WaitGroup
				for range 4 {
					all.Go(func() {
						s, err := Open(t.Context(), dsn)
						if err != nil {
							t.Error(err)
							return
						}
						_, err = s.Instance(t.Context())
						if err2 := s.Close(); err != nil || err2 != nil {
							t.Error(err, err2)
						}
					})
				}
				all.Wait()
			})
		}
	}
}

func openHere(t *testing.T, dsn string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// schema is every table and index of a SQLite database.
func schema(t *testing.T, s *Store) map[string]string {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), `SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'`)
	all, err := collect(rows, err, "schema", func(r *sql.Rows) (row [2]string, err error) { return row, r.Scan(&row[0], &row[1]) })
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, row := range all {
		out[row[0]] = strings.Join(strings.Fields(row[1]), " ")
	}
	return out
}

// checkOld looks for the row that every dump has in every table.
func checkOld(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	got := map[string]error{}
	tenants, err := s.Tenants(ctx)
	got["tenant"] = one(tenants, err)
	_, got["key"] = s.Key(ctx, "key1")
	events, err := s.Events(ctx, "acme", 0, 10)
	got["event"] = one(events, err)
	o, err := s.Operation(ctx, "op1")
	if err == nil && (o.Status != canonical.OperationRunning || o.Phase != Waiting || o.Task == nil || o.Fence != 3) {
		err = fmt.Errorf("read as %+v", o)
	}
	got["operation"] = err
	taken, err := s.TakeOperations(ctx, "me")
	got["its lease"] = one(taken, err)
	var body struct{ Name string }
	got["object"] = s.GetObject(ctx, Object{Cloud: "kvm1", Kind: "server", ID: "s1"}, &body)
	claims, err := s.Claims(ctx, "kvm1")
	got["claim"] = one(claims, err)
	owner, err := s.Owner(ctx, "mem", "server", "mem:1")
	if owner != "acme" {
		err = fmt.Errorf("owned by %q: %w", owner, err)
	}
	got["owner"] = err
	known, err := s.ClaimRepeat(ctx, Repeat{Key: []byte("repeat1"), Digest: []byte("d"), Owner: "me", BegunAt: time.Now()}, time.Hour)
	if err == nil && (known == nil || string(known.Answer) != "answer1") {
		err = fmt.Errorf("read as %+v", known)
	}
	got["repeat"] = err
	name, err := s.Instance(ctx)
	if name != "instance" {
		err = fmt.Errorf("named %q: %w", name, err)
	}
	got["instance"] = err
	for _, what := range slices.Sorted(maps.Keys(got)) {
		if got[what] != nil {
			t.Errorf("%s: %v", what, got[what])
		}
	}
}

func one[T any](all []T, err error) error {
	if err == nil && len(all) != 1 {
		return fmt.Errorf("there are %d", len(all))
	}
	return err
}
