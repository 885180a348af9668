package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
)

// database is an open SQL database of one of the kinds that are offered. Statements
// are written once, with ? for parameters and in words that all kinds know.
type database struct {
	*sql.DB
	kind kind
	// readers are connections for what only reads, so that it does not queue behind what
	// writes; nil: there is one pool for both.
	readers *sql.DB
}

// pool is where a statement runs that returns rows.
func (d *database) pool(query string) *sql.DB {
	if d.readers != nil && strings.HasPrefix(query, "SELECT") {
		return d.readers
	}
	return d.DB
}

// Close closes every connection.
func (d *database) Close() error {
	if d.readers == nil {
		return d.DB.Close()
	}
	return errors.Join(d.readers.Close(), d.DB.Close())
}

// kind is what differs between the databases.
type kind struct {
	// numbered says that parameters are $1, $2...
	numbered bool
	// schema are words of migrations and what they are here, in pairs.
	schema *strings.Replacer
	// now is the expression for the database's own time, in seconds since 1970. Leases
	// are compared by it, so that the clocks of processes do not matter.
	now string
	// lock is the statement by which a transaction waits for every other one that says
	// it; "": all transactions wait for each other.
	lock string
	// deaf says that statements do not hear of the end of their contexts: the driver
	// leaves some open that are cancelled, and these keep others out. They are short.
	deaf bool
	// clash and dangling recognise what a statement failed for: a name that is taken,
	// and a reference to what does not exist.
	clash, dangling func(error) bool
	// odd recognises a text that the database cannot hold.
	odd func(error) bool
}

// words is a statement in the words of the database.
func (k kind) words(query string) string {
	query = strings.ReplaceAll(query, "NOW()", k.now)
	if !k.numbered {
		return query
	}
	var b strings.Builder
	n := 0
	for _, r := range query {
		if r != '?' {
			b.WriteRune(r)
			continue
		}
		n++
		b.WriteString("$" + strconv.Itoa(n))
	}
	return b.String()
}

// ctx is the context that a statement hears of.
func (k kind) ctx(ctx context.Context) context.Context {
	if k.deaf {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (d *database) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	res, err := d.DB.ExecContext(d.kind.ctx(ctx), d.kind.words(query), args...)
	return res, heard(ctx, err)
}

func (d *database) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := d.pool(query).QueryContext(d.kind.ctx(ctx), d.kind.words(query), args...)
	return rows, heard(ctx, err)
}

func (d *database) QueryRowContext(ctx context.Context, query string, args ...any) row {
	return row{ctx, d.pool(query).QueryRowContext(d.kind.ctx(ctx), d.kind.words(query), args...)}
}

// row is a row of a statement that may end with its context.
type row struct {
	ctx context.Context
	row *sql.Row
}

// Scan is sql.Row's.
func (r row) Scan(dest ...any) error { return heard(r.ctx, r.row.Scan(dest...)) }

// heard is the end of the context where a statement failed after it: drivers tell of it
// in words of their own, such as of a network that was too slow.
func heard(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && !errors.Is(err, sql.ErrNoRows) {
		return ctx.Err()
	}
	return err
}

// BeginTx begins a transaction.
func (d *database) BeginTx(ctx context.Context, o *sql.TxOptions) (*transaction, error) {
	tx, err := d.DB.BeginTx(context.WithoutCancel(ctx), o)
	return &transaction{tx, d.kind}, err
}

type transaction struct {
	*sql.Tx
	kind kind
}

func (t *transaction) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	res, err := t.Tx.ExecContext(t.kind.ctx(ctx), t.kind.words(query), args...)
	return res, heard(ctx, err)
}

func (t *transaction) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := t.Tx.QueryContext(t.kind.ctx(ctx), t.kind.words(query), args...)
	return rows, heard(ctx, err)
}

func (t *transaction) QueryRowContext(ctx context.Context, query string, args ...any) row {
	return row{ctx, t.Tx.QueryRowContext(t.kind.ctx(ctx), t.kind.words(query), args...)}
}

// alone waits until no other transaction is alone; it is, to its end.
func (t *transaction) alone(ctx context.Context) error {
	if t.kind.lock == "" {
		return nil
	}
	_, err := t.ExecContext(ctx, t.kind.lock)
	return err
}
