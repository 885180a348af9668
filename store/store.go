// Package store keeps what must not be lost: tenants, sealed keys, operations and
// who owns what on shared clouds. It is the only package that knows SQL. It
// decides nothing: who may do what is policy's, what an operation means the
// broker's.
//
// Errors are *canonical.Error: NotFound, AlreadyExists, or Internal with the
// database's own error as cause.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Store is an open database. It is safe for concurrent use.
type Store struct{ db *sql.DB }

// Open opens the database, makes it where it is missing, and brings its schema up
// to date. dsn is "sqlite:PATH"; "sqlite::memory:" lives as long as the Store.
func Open(ctx context.Context, dsn string) (*Store, error) {
	path, ok := strings.CutPrefix(dsn, "sqlite:")
	if !ok || path == "" {
		scheme, _, _ := strings.Cut(dsn, ":")
		return nil, fmt.Errorf("store: %q is not offered: use sqlite:PATH", scheme)
	}
	db, err := sql.Open("sqlite", sqliteDSN(path))
	if err != nil {
		return nil, fmt.Errorf("store: open: %w", err)
	}
	db.SetMaxOpenConns(4)
	if path == ":memory:" {
		db.SetMaxOpenConns(1) // each connection would have a database of its own
	}
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("store: %w", err), db.Close())
	}
	return &Store{db}, nil
}

// sqliteDSN asks for readers that do not wait for writers (WAL), writers that wait
// for each other (5 s), and transactions that take the write lock when they begin,
// since one that upgrades later cannot wait.
func sqliteDSN(path string) string {
	if path != ":memory:" {
		path = (&url.URL{Path: path}).EscapedPath()
	}
	return "file:" + path + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)&_txlock=immediate"
}

// Close ends every use of the database.
func (s *Store) Close() error { return s.db.Close() }

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.db.PingContext(ctx) }

// timeText is t with fixed width, so that text order is time order.
func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

func parseTime(s string) (time.Time, error) { return time.Parse(time.RFC3339Nano, s) }

// failed is err in the words of the package comment; what names the thing asked for.
func failed(err error, what string) error {
	var taken *sqlite.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return canonical.Errorf(canonical.NotFound, "there is no such %s", what)
	case errors.As(err, &taken) && (taken.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE ||
		taken.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
		return canonical.Errorf(canonical.AlreadyExists, "the %s exists already", what)
	case errors.As(err, &taken) && taken.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return canonical.Errorf(canonical.NotFound, "the %s refers to what does not exist", what)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	default:
		return &canonical.Error{Code: canonical.Internal, Detail: "the store failed", Err: err}
	}
}

// changed is NotFound when a statement touched no row.
func changed(res sql.Result, err error, what string) error {
	if err != nil {
		return failed(err, what)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		err = sql.ErrNoRows
	}
	return failed(err, what)
}

// collect reads all rows with scan.
func collect[T any](rows *sql.Rows, err error, what string, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, failed(err, what)
	}
	defer func() { _ = rows.Close() }() // Err below tells what Close could
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, failed(err, what)
		}
		out = append(out, v)
	}
	return out, failed(rows.Err(), what)
}
