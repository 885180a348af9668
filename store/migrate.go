package store

import (
	"context"
	"fmt"
)

// migrations are the versions of the schema, oldest first.
//
// One that was released never changes, not even in its spaces, since databases have it
// already: append another. With a release, add for each migration that is new in it the
// line that TestReleased prints to testdata/released, and a dump of a database of
// that version, with a row in each table, as testdata/schema-N.sql: TestUpgrade opens
// every one of them for ever.
var migrations = []string{
	`CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
	CREATE TABLE tenants (
		id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, declared BOOLEAN NOT NULL, created_at TEXT NOT NULL);
	CREATE TABLE api_keys (
		id TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenants(name), role TEXT NOT NULL,
		name TEXT NOT NULL, seal BYTES NOT NULL, created_at TEXT NOT NULL);
	CREATE TABLE operations (
		id TEXT PRIMARY KEY, tenant TEXT NOT NULL, operation TEXT NOT NULL, status TEXT NOT NULL,
		cloud TEXT NOT NULL, body TEXT NOT NULL, task TEXT, phase TEXT NOT NULL, intent TEXT NOT NULL,
		deadline TEXT NOT NULL, created_at TEXT NOT NULL, owner TEXT NOT NULL, fence BIGINT NOT NULL,
		leased_until SECONDS NOT NULL);
	CREATE INDEX operations_by_tenant ON operations (tenant, created_at);
	CREATE INDEX operations_unfinished ON operations (leased_until) WHERE status IN ('pending', 'running');
	CREATE TABLE native_objects (
		cloud TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (cloud, kind, id));
	CREATE TABLE native_claims (
		cloud TEXT NOT NULL, server TEXT NOT NULL, host TEXT NOT NULL, vcpus INTEGER NOT NULL, ram_mib INTEGER NOT NULL,
		disk_gib INTEGER NOT NULL, created_at TEXT NOT NULL, PRIMARY KEY (cloud, server));
	CREATE TABLE events (
		id SERIAL KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, at SECONDS NOT NULL);
	CREATE INDEX events_by_tenant ON events (tenant, id);
	CREATE INDEX events_by_age ON events (at);
	CREATE TABLE owned (
		cloud TEXT NOT NULL, kind TEXT NOT NULL, resource TEXT, tenant TEXT NOT NULL,
		intent TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE (cloud, kind, resource));
	CREATE INDEX owned_by_tenant ON owned (tenant, cloud, kind);
	CREATE INDEX owned_by_intent ON owned (intent);`,
	`CREATE TABLE repeats (
		key BYTES PRIMARY KEY, digest BYTES NOT NULL, owner TEXT NOT NULL, request_id TEXT NOT NULL,
		begun_at TEXT NOT NULL, answer BYTES, until SECONDS NOT NULL);
	CREATE INDEX repeats_by_until ON repeats (until);`,
	`CREATE TABLE revoked_tokens (id TEXT PRIMARY KEY, until SECONDS NOT NULL);
	CREATE INDEX revoked_tokens_by_until ON revoked_tokens (until);`,
	`ALTER TABLE owned ADD COLUMN gone_at SECONDS;
	CREATE INDEX owned_by_gone_at ON owned (gone_at) WHERE gone_at IS NOT NULL;
	CREATE TABLE polls (
		cloud TEXT NOT NULL, account TEXT NOT NULL, fence BIGINT NOT NULL, leased_until SECONDS NOT NULL,
		due SECONDS NOT NULL, polled_at SECONDS, state TEXT NOT NULL, PRIMARY KEY (cloud, account));`,
	`ALTER TABLE api_keys ADD COLUMN parent TEXT REFERENCES api_keys(id) ON DELETE CASCADE;
	ALTER TABLE api_keys ADD COLUMN description TEXT NOT NULL DEFAULT '';
	ALTER TABLE api_keys ADD COLUMN expires_at TEXT;
	CREATE UNIQUE INDEX api_keys_by_parent ON api_keys (parent, name) WHERE parent IS NOT NULL;`,
	`ALTER TABLE operations ADD COLUMN repeat_of TEXT;
	CREATE INDEX operations_by_repeat ON operations (repeat_of) WHERE repeat_of IS NOT NULL;`,
}

// migrate brings the schema to the newest version. The table schema_version counts
// the migrations that were applied; each is applied with its count in one
// transaction, which waits for that of another process that starts at the same time.
func migrate(ctx context.Context, db *database) error {
	for {
		version, err := apply(ctx, db)
		switch {
		case err != nil:
			return fmt.Errorf("migrate the schema to version %d: %w", version+1, err)
		case version == len(migrations):
			return nil
		}
	}
}

// apply applies the migration that is next, if there is one, and says how many had
// been applied.
func apply(ctx context.Context, db *database) (version int, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	if err := tx.alone(ctx); err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)`); err != nil {
		return 0, err
	}
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM schema_version`).Scan(&version); err != nil {
		return 0, err
	}
	switch {
	case version > len(migrations):
		return version, fmt.Errorf("the schema has version %d, this dragoman knows %d: use a newer one", version, len(migrations))
	case version == len(migrations):
		return version, nil
	}
	if _, err := tx.ExecContext(ctx, db.kind.schema.Replace(migrations[version])); err != nil {
		return version, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO schema_version (version) VALUES (?)`, version+1); err != nil {
		return version, err
	}
	return version, tx.Commit()
}
