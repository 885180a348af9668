package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Intend notes, before the call that makes it, that a thing which tenant is about
// to have made on a shared cloud will be its own. intent names the note.
func (s *Store) Intend(ctx context.Context, intent, tenant, cloud, kind string) error {
	_, err := s.db.ExecContext(ctx,
		`INSERT INTO owned (cloud, kind, resource, tenant, intent, created_at) VALUES (?, ?, NULL, ?, ?, ?)`,
		cloud, kind, tenant, intent, timeText(time.Now()))
	return failed(err, "intent")
}

// Own turns an intent into the ownership of these resources. Repeating it is
// harmless; a resource that has an owner keeps it.
func (s *Store) Own(ctx context.Context, intent string, ids ...canonical.ID) error {
	for _, id := range ids {
		_, err := s.db.ExecContext(ctx, `INSERT INTO owned (cloud, kind, resource, tenant, intent, created_at)
			SELECT cloud, kind, ?, tenant, intent, created_at FROM owned WHERE intent = ? LIMIT 1 ON CONFLICT DO NOTHING`, string(id), intent)
		if err != nil {
			return failed(err, "intent")
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return s.DropIntent(ctx, intent)
}

// Adopt makes a tenant the owner of a resource that has none.
func (s *Store) Adopt(ctx context.Context, cloud, kind string, id canonical.ID, tenant string) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO owned (cloud, kind, resource, tenant, intent, created_at)
		VALUES (?, ?, ?, ?, '', ?) ON CONFLICT DO NOTHING`, cloud, kind, string(id), tenant, timeText(time.Now()))
	return failed(err, "owner")
}

// DropIntent forgets an intent that came to nothing, or was fulfilled.
func (s *Store) DropIntent(ctx context.Context, intent string) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM owned WHERE intent = ? AND resource IS NULL`, intent)
	return failed(err, "intent")
}

// Owner is the tenant that owns a resource, "" where nobody does.
func (s *Store) Owner(ctx context.Context, cloud, kind string, id canonical.ID) (string, error) {
	var tenant string
	err := s.db.QueryRowContext(ctx, `SELECT tenant FROM owned WHERE cloud = ? AND kind = ? AND resource = ?`,
		cloud, kind, string(id)).Scan(&tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return tenant, failed(err, "owner")
}

// Owners are the owners of these resources of a kind on a cloud; who has none is not in
// it.
func (s *Store) Owners(ctx context.Context, cloud, kind string, ids []canonical.ID) (map[canonical.ID]string, error) {
	type row struct {
		id     canonical.ID
		tenant string
	}
	out := make(map[canonical.ID]string, len(ids))
	for chunk := range slices.Chunk(ids, 500) {
		args := []any{cloud, kind}
		for _, id := range chunk {
			args = append(args, string(id))
		}
		rows, err := s.db.QueryContext(ctx, `SELECT resource, tenant FROM owned WHERE cloud = ? AND kind = ?
			AND resource IN (?`+strings.Repeat(", ?", len(chunk)-1)+`)`, args...)
		all, err := collect(rows, err, "owner", func(r *sql.Rows) (row, error) {
			var o row
			err := r.Scan(&o.id, &o.tenant)
			return o, err
		})
		if err != nil {
			return nil, err
		}
		for _, o := range all {
			out[o.id] = o.tenant
		}
	}
	return out, nil
}

// keepBuried is how long the owner is known of what is gone: it used something, and usage
// is asked for by year.
const keepBuried = 400 * 24 * time.Hour

// Bury notes that a resource is gone whose owner is to be known for a while: the cloud
// still tells of its end, and of what it used.
func (s *Store) Bury(ctx context.Context, cloud, kind string, id canonical.ID) error {
	_, err := s.db.ExecContext(ctx, `UPDATE owned SET gone_at = NOW() WHERE cloud = ? AND kind = ? AND resource = ?`,
		cloud, kind, string(id))
	return failed(err, "owner")
}

// ForgetBuried forgets the owners of what has been gone for long.
func (s *Store) ForgetBuried(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM owned WHERE gone_at < NOW() - ?`, keepBuried.Seconds())
	return failed(err, "owner")
}

// Disown forgets a resource that is gone.
func (s *Store) Disown(ctx context.Context, cloud, kind string, id canonical.ID) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM owned WHERE cloud = ? AND kind = ? AND resource = ?`,
		cloud, kind, string(id))
	return failed(err, "owner")
}
