package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var sqliteKind = kind{
	schema: strings.NewReplacer("SERIAL KEY", "INTEGER PRIMARY KEY AUTOINCREMENT", "BYTES", "BLOB", "SECONDS", "REAL"),
	deaf:   true,
	now:    "unixepoch('subsec')",
	clash: func(err error) bool {
		return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_UNIQUE || sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	},
	dangling: func(err error) bool { return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY },
}

func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return sqlite3.SQLITE_OK
}

// openSQLite opens the file at path; ":memory:" is a database of its own that ends
// with its use.
func openSQLite(ctx context.Context, path string) (*database, error) {
	if err := makePrivate(path); err != nil {
		return nil, err
	}
	dsn := sqliteDSN(path)
	writer, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	readers, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	db := &database{DB: writer, kind: sqliteKind, readers: readers}
	// Who writes waits for its turn here rather than in SQLite, which looks again and
	// again whether the lock is free; others wait there only for other processes.
	writer.SetMaxOpenConns(1)
	readers.SetMaxOpenConns(4)
	if path == ":memory:" {
		// It lives as long as a connection, and others are closed when their contexts
		// end: this one is never used.
		if _, err := readers.Conn(ctx); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

// makePrivate makes the file where there is none, for its owner alone; SQLite would let
// all read it. The files that SQLite puts beside it get its permissions.
func makePrivate(path string) error {
	if path == ":memory:" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// sqliteDSN asks for commits that outlive a power cut (FULL: an intent that is lost leaves a
// server without an operation), readers that do not wait for writers (WAL), writers that wait
// for each other (5 s), and transactions that take the write lock when they begin,
// since one that upgrades later cannot wait.
func sqliteDSN(path string) string {
	const pragmas = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_txlock=immediate"
	if path == ":memory:" {
		return "file:/" + rand.Text() + "?vfs=memdb&" + pragmas
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas
}
