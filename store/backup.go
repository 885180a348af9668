package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Backup copies the database of a dsn (see Open) as it is at one moment to a new file,
// while others use it; when it returns, the disk has the copy. It changes nothing, not
// even a schema that is old. Only SQLite is copied: PostgreSQL has pg_dump.
func Backup(ctx context.Context, dsn, file string) error {
	scheme, path, _ := strings.Cut(dsn, ":")
	switch {
	case strings.HasPrefix(scheme, "postgres"):
		return errors.New("PostgreSQL has its own: run pg_dump --format=custom, and pg_restore to go back")
	case scheme != "sqlite" || path == "" || path == ":memory:":
		return errors.New("there is no file to copy")
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("the database: %w", err)
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) // its owner alone may read what it holds
	if err != nil {
		return err
	}
	err = vacuumInto(ctx, path, file)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = syncDir(filepath.Dir(file))
	}
	if err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}

// vacuumInto writes the database at path, read in one transaction, into an empty file.
func vacuumInto(ctx context.Context, path, file string) error {
	db, err := sql.Open("sqlite", sqliteDSN(path))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, file)
	return errors.Join(err, db.Close())
}

// syncDir makes the disk keep the names in a directory.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
