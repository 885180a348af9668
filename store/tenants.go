package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// CreateTenant adds a tenant; its name must be free.
func (s *Store) CreateTenant(ctx context.Context, t canonical.Tenant) error {
	created := time.Now()
	if t.CreatedAt != nil {
		created = *t.CreatedAt
	}
	_, err := s.db.ExecContext(ctx, `INSERT INTO tenants (id, name, declared, created_at) VALUES (?, ?, ?, ?)`,
		string(t.ID), t.Name, t.Declared, timeText(created))
	return failed(err, "tenant")
}

// Tenants are all tenants.
func (s *Store) Tenants(ctx context.Context) ([]canonical.Tenant, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, name, declared, created_at FROM tenants`)
	return collect(rows, err, "tenant", func(r *sql.Rows) (canonical.Tenant, error) {
		var t canonical.Tenant
		var created string
		if err := r.Scan(&t.ID, &t.Name, &t.Declared, &created); err != nil {
			return t, err
		}
		at, err := parseTime(created)
		t.CreatedAt = &at
		return t, err
	})
}

// Key is a key as it is kept: the secret itself is not.
type Key struct {
	canonical.APIKey
	Seal []byte // what policy made of the secret

	// What an application credential has beside: it ends with its parent.
	Parent      canonical.ID // "": it is none
	Description string
	ExpiresAt   *time.Time // nil: it does not
}

// CreateKey adds a key; its tenant must exist, and its parent if it has one, whose
// others have other names.
func (s *Store) CreateKey(ctx context.Context, k Key) error {
	_, err := s.db.ExecContext(ctx,
		`INSERT INTO api_keys (id, tenant, role, name, seal, created_at, parent, description, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(k.ID), k.Tenant, string(k.Role), k.Name, k.Seal, timeText(k.CreatedAt),
		sql.NullString{String: string(k.Parent), Valid: k.Parent != ""}, k.Description, optionalTime(k.ExpiresAt))
	return failed(err, "key")
}

func optionalTime(t *time.Time) sql.NullString {
	if t == nil {
		return sql.NullString{}
	}
	return sql.NullString{String: timeText(*t), Valid: true}
}

// PutKey adds a key, or puts it in the place of the key of that id and tenant; of
// another tenant's it is AlreadyExists.
func (s *Store) PutKey(ctx context.Context, k Key) error {
	res, err := s.db.ExecContext(ctx, `INSERT INTO api_keys (id, tenant, role, name, seal, created_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET role = excluded.role, name = excluded.name, seal = excluded.seal,
		created_at = excluded.created_at WHERE api_keys.tenant = excluded.tenant`,
		string(k.ID), k.Tenant, string(k.Role), k.Name, k.Seal, timeText(k.CreatedAt))
	if err != nil {
		return failed(err, "key")
	}
	if changed(res, nil, "key") != nil {
		return canonical.Errorf(canonical.AlreadyExists, "the key exists already, in another tenant")
	}
	return nil
}

const selectKeys = `SELECT id, tenant, role, name, seal, created_at, parent, description, expires_at FROM api_keys`

// Key is the key of that id, or NotFound.
func (s *Store) Key(ctx context.Context, id canonical.ID) (Key, error) {
	k, err := scanKey(s.db.QueryRowContext(ctx, selectKeys+` WHERE id = ?`, string(id)))
	return k, failed(err, "key")
}

// Keys are all keys of all tenants.
func (s *Store) Keys(ctx context.Context) ([]Key, error) {
	rows, err := s.db.QueryContext(ctx, selectKeys)
	return collect(rows, err, "key", func(r *sql.Rows) (Key, error) { return scanKey(r) })
}

// ChildKeys are the keys that were made of a key.
func (s *Store) ChildKeys(ctx context.Context, parent canonical.ID) ([]Key, error) {
	rows, err := s.db.QueryContext(ctx, selectKeys+` WHERE parent = ?`, string(parent))
	return collect(rows, err, "key", func(r *sql.Rows) (Key, error) { return scanKey(r) })
}

// DeleteKey removes a key and what was made of it, or says NotFound.
func (s *Store) DeleteKey(ctx context.Context, id canonical.ID) error {
	res, err := s.db.ExecContext(ctx, `DELETE FROM api_keys WHERE id = ?`, string(id))
	return changed(res, err, "key")
}

func scanKey(r interface{ Scan(dest ...any) error }) (Key, error) {
	var k Key
	var created string
	var parent, expires sql.NullString
	err := r.Scan(&k.ID, &k.Tenant, &k.Role, &k.Name, &k.Seal, &created, &parent, &k.Description, &expires)
	if err != nil {
		return k, err
	}
	k.Parent = canonical.ID(parent.String)
	if expires.Valid {
		at, err := parseTime(expires.String)
		if err != nil {
			return k, err
		}
		k.ExpiresAt = &at
	}
	k.CreatedAt, err = parseTime(created)
	return k, err
}
