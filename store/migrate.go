package store

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations are the versions of the schema, oldest first. A version that was
// released never changes: append.
var migrations = []string{
	`CREATE TABLE tenants (
		id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, declared INTEGER NOT NULL, created_at TEXT NOT NULL);
	CREATE TABLE api_keys (
		id TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenants(name), role TEXT NOT NULL,
		name TEXT NOT NULL, seal BLOB NOT NULL, created_at TEXT NOT NULL);
	CREATE TABLE operations (
		id TEXT PRIMARY KEY, tenant TEXT NOT NULL, operation TEXT NOT NULL, status TEXT NOT NULL,
		cloud TEXT NOT NULL, body TEXT NOT NULL, task TEXT, deadline TEXT NOT NULL, created_at TEXT NOT NULL);
	CREATE INDEX operations_by_tenant ON operations (tenant, created_at);
	CREATE INDEX operations_by_status ON operations (status);
	CREATE TABLE owned (
		cloud TEXT NOT NULL, kind TEXT NOT NULL, resource TEXT, tenant TEXT NOT NULL,
		intent TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE (cloud, kind, resource));
	CREATE INDEX owned_by_tenant ON owned (tenant, cloud, kind);
	CREATE INDEX owned_by_intent ON owned (intent);`,
}

// migrate brings the schema to the newest version. user_version counts the
// migrations that were applied; each is applied with its count in one transaction.
func migrate(ctx context.Context, db *sql.DB) error {
	var version int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if version > len(migrations) {
		return fmt.Errorf("the schema has version %d, this dragoman knows %d: use a newer one", version, len(migrations))
	}
	for ; version < len(migrations); version++ {
		if err := apply(ctx, db, version); err != nil {
			return fmt.Errorf("migrate the schema to version %d: %w", version+1, err)
		}
	}
	return nil
}

func apply(ctx context.Context, db *sql.DB, version int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	if _, err := tx.ExecContext(ctx, migrations[version]); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, version+1)); err != nil {
		return err
	}
	return tx.Commit()
}
