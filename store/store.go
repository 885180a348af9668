// Package store keeps what must not be lost: tenants, sealed keys, operations and
// who owns what on shared clouds. It is the only package that knows SQL. It
// decides nothing: who may do what is policy's, what an operation means the
// broker's.
//
// Errors are *canonical.Error: NotFound, AlreadyExists, InvalidRequest for text that
// the database cannot hold, or Internal with its own error as cause; or the
// context's, when that has ended.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Store is an open database. It is safe for concurrent use.
type Store struct{ db *database }

// Open opens the database, makes its schema where it is missing, and brings it up to
// date. dsn is "sqlite:PATH", where "sqlite::memory:" lives as long as the Store, or
// "postgres://USER:PASSWORD@HOST/DATABASE", which several processes may share.
func Open(ctx context.Context, dsn string) (*Store, error) {
	db, err := openDatabase(ctx, dsn)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("store: %w", err), db.Close())
	}
	return &Store{db}, nil
}

func openDatabase(ctx context.Context, dsn string) (*database, error) {
	scheme, rest, _ := strings.Cut(dsn, ":")
	switch {
	case scheme == "sqlite" && rest != "":
		return openSQLite(ctx, rest)
	case scheme == "postgres" || scheme == "postgresql":
		return openPostgres(dsn)
	default:
		return nil, fmt.Errorf("%q is not offered: use sqlite:PATH or postgres://HOST/DATABASE", scheme)
	}
}

// Instance names the dragoman whose store this is: all processes on it, now and later,
// and no other. It is 8 letters and digits, made when first asked for.
func (s *Store) Instance(ctx context.Context) (string, error) {
	_, err := s.db.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('instance', ?) ON CONFLICT DO NOTHING`,
		strings.ToLower(rand.Text()[:8]))
	if err != nil {
		return "", failed(err, "setting")
	}
	var name string
	err = s.db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'instance'`).Scan(&name)
	return name, failed(err, "setting")
}

// Clock is the database's time: all processes that share it go by it.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	var seconds float64
	err := s.db.QueryRowContext(ctx, `SELECT NOW() + 0.0`).Scan(&seconds)
	return time.UnixMicro(int64(seconds * 1e6)).UTC(), failed(err, "clock")
}

// Close ends every use of the database.
func (s *Store) Close() error { return s.db.Close() }

// timeText is t with fixed width, so that text order is time order.
func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

func parseTime(s string) (time.Time, error) { return time.Parse(time.RFC3339Nano, s) }

// failed is err in the words of the package comment; what names the thing asked for.
func failed(err error, what string) error {
	var late net.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return canonical.Errorf(canonical.NotFound, "there is no such %s", what)
	case sqliteKind.clash(err) || postgresKind.clash(err):
		return canonical.Errorf(canonical.AlreadyExists, "the %s exists already", what)
	case sqliteKind.dangling(err) || postgresKind.dangling(err):
		return canonical.Errorf(canonical.NotFound, "the %s refers to what does not exist", what)
	case postgresKind.odd(err):
		return canonical.Errorf(canonical.InvalidRequest, "the %s has a character that is none in text", what)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &late) && late.Timeout(): // a dial tells the end of its context so
		return &canonical.Error{Code: canonical.Timeout, Detail: "the store did not answer in time", Err: err}
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
