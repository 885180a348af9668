package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// A backup that is made while others write opens, and holds of each transaction all or
// nothing: an operation has its event in it, and nothing that was there before is missing.
func TestBackupUnderLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "live db?.db")
	s := open(t, path)
	create := func(id string) {
		o := store.Operation{Phase: store.Asking, Deadline: time.Now()}
		o.ID, o.Tenant, o.Status, o.CreatedAt = canonical.ID(id), "acme", canonical.OperationPending, time.Now()
		if err := s.CreateOperation(t.Context(), o, "p"); err != nil {
			t.Error(err)
		}
	}
	const before = 200
	for i := range before {
		create(fmt.Sprint("before", i))
	}
	stop, writing := make(chan struct{}), make(chan struct{}, 1000)
	var writers sync.WaitGroup
	for w := range 3 {
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				create(fmt.Sprint("during", w, "-", i))
				select {
				case writing <- struct{}{}:
				default:
				}
			}
		})
	}
	for n := range 3 {
		<-writing // since the last backup there were writes
		file := filepath.Join(dir, fmt.Sprint("backup", n, ".db"))
		if err := store.Backup(t.Context(), "sqlite:"+path, file); err != nil {
			t.Fatal(err)
		}
		checkBackup(t, file, before)
	}
	close(stop)
	writers.Wait()
}

func checkBackup(t *testing.T, file string, atLeast int) {
	t.Helper()
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	copied := open(t, file)
	operations, err := copied.Operations(t.Context(), store.OperationFilter{Tenant: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	events, err := copied.Events(t.Context(), "acme", 0, 1<<20)
	if err != nil || len(events) != len(operations) || len(operations) < atLeast {
		t.Errorf("%d operations, %d events, %v", len(operations), len(events), err)
	}
}

func TestBackupRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s.db")
	open(t, path)
	taken := filepath.Join(dir, "taken")
	if err := os.WriteFile(taken, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ dsn, file, says string }{
		"the file is there":        {"sqlite:" + path, taken, "exists"},
		"the file is the database": {"sqlite:" + path, path, "exists"},
		"no directory":             {"sqlite:" + path, filepath.Join(dir, "no", "f"), "no such file"},
		"no database":              {"sqlite:" + filepath.Join(dir, "none.db"), filepath.Join(dir, "f1"), "no such file"},
		"no SQLite":                {"sqlite:" + taken, filepath.Join(dir, "f2"), "not a database"},
		"memory":                   {"sqlite::memory:", filepath.Join(dir, "f3"), "no file"},
		"PostgreSQL":               {"postgres://u:secret@h/db", filepath.Join(dir, "f4"), "pg_dump"},
	} {
		err := store.Backup(t.Context(), c.dsn, c.file)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "f*"))
	kept, err2 := os.ReadFile(taken)
	if err != nil || err2 != nil || len(left) > 0 || string(kept) != "precious" {
		t.Errorf("left %v, kept %q, %v, %v", left, kept, err, err2)
	}
}
