package store

import (
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

var postgresKind = kind{
	numbered: true,
	schema: strings.NewReplacer("SERIAL KEY", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
		"BYTES", "BYTEA", "SECONDS", "DOUBLE PRECISION"),
	lock:     "SELECT pg_advisory_xact_lock(3734562)",
	now:      "extract(epoch FROM clock_timestamp())",
	clash:    func(err error) bool { return postgresCode(err) == "23505" }, // unique_violation
	dangling: func(err error) bool { return postgresCode(err) == "23503" }, // foreign_key_violation
	odd:      func(err error) bool { return postgresCode(err) == "22021" }, // character_not_in_repertoire: NUL, no UTF-8
}

func postgresCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// openPostgres opens the database of a postgres:// URL or a libpq string.
func openPostgres(dsn string) (*database, error) {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("the address of the database cannot be read") // the error may show a password
	}
	db := sql.OpenDB(stdlib.GetConnector(*c))
	db.SetMaxOpenConns(16)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return &database{DB: db, kind: postgresKind}, nil
}
