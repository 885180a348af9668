package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Object names a thing of the inventory of a cloud that dragoman runs itself.
type Object struct {
	Cloud string
	Kind  string // image, flavor, keypair, server...
	ID    string
}

// AddObject adds a thing; AlreadyExists: its id is taken.
func (s *Store) AddObject(ctx context.Context, o Object, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return failed(err, o.Kind)
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO native_objects (cloud, kind, id, body) VALUES (?, ?, ?, ?)`, o.Cloud, o.Kind, o.ID, string(text))
	return failed(err, o.Kind)
}

// SetObject writes a thing, whether or not it is there.
func (s *Store) SetObject(ctx context.Context, o Object, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return failed(err, o.Kind)
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO native_objects (cloud, kind, id, body) VALUES (?, ?, ?, ?)
		ON CONFLICT (cloud, kind, id) DO UPDATE SET body = excluded.body`, o.Cloud, o.Kind, o.ID, string(text))
	return failed(err, o.Kind)
}

// ChangeObject reads a thing into body, lets change change it, and writes it, with
// nobody between; an error of change is returned, and then nothing changed.
func (s *Store) ChangeObject(ctx context.Context, o Object, body any, change func() error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return failed(err, o.Kind)
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	if err := tx.alone(ctx); err != nil {
		return failed(err, o.Kind)
	}
	var text string
	row := tx.QueryRowContext(ctx, `SELECT body FROM native_objects WHERE cloud = ? AND kind = ? AND id = ?`, o.Cloud, o.Kind, o.ID)
	if err := row.Scan(&text); err != nil {
		return failed(err, o.Kind)
	}
	if err := json.Unmarshal([]byte(text), body); err != nil {
		return failed(err, o.Kind)
	}
	if err := change(); err != nil {
		return err
	}
	changed, err := json.Marshal(body)
	if err != nil {
		return failed(err, o.Kind)
	}
	_, err = tx.ExecContext(ctx, `UPDATE native_objects SET body = ? WHERE cloud = ? AND kind = ? AND id = ?`,
		string(changed), o.Cloud, o.Kind, o.ID)
	if err != nil {
		return failed(err, o.Kind)
	}
	return failed(tx.Commit(), o.Kind)
}

// GetObject reads a thing into body, or is NotFound.
func (s *Store) GetObject(ctx context.Context, o Object, body any) error {
	var text string
	row := s.db.QueryRowContext(ctx, `SELECT body FROM native_objects WHERE cloud = ? AND kind = ? AND id = ?`, o.Cloud, o.Kind, o.ID)
	if err := row.Scan(&text); err != nil {
		return failed(err, o.Kind)
	}
	return failed(json.Unmarshal([]byte(text), body), o.Kind)
}

// Objects are all things of a kind on a cloud, by id.
func Objects[T any](ctx context.Context, s *Store, cloud, kind string) ([]T, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT body FROM native_objects WHERE cloud = ? AND kind = ? ORDER BY id`, cloud, kind)
	return collect(rows, err, kind, func(r *sql.Rows) (out T, err error) {
		var text string
		if err = r.Scan(&text); err == nil {
			err = json.Unmarshal([]byte(text), &out)
		}
		return out, err
	})
}

// DeleteObject removes a thing, or is NotFound.
func (s *Store) DeleteObject(ctx context.Context, o Object) error {
	res, err := s.db.ExecContext(ctx, `DELETE FROM native_objects WHERE cloud = ? AND kind = ? AND id = ?`, o.Cloud, o.Kind, o.ID)
	return changed(res, err, o.Kind)
}

// Claim is what a server takes of its host.
type Claim struct {
	Host, Server string
	VCPUs        int
	RAMMiB       int
	DiskGiB      int
}

// Claim adds the claims that place answers when it is told all that there are on the
// cloud. Nobody else claims meanwhile; an error of place is returned, and then nothing
// is claimed.
func (s *Store) Claim(ctx context.Context, cloud string, place func(taken []Claim) ([]Claim, error)) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return failed(err, "claim")
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	if err := tx.alone(ctx); err != nil {
		return failed(err, "claim")
	}
	rows, err := tx.QueryContext(ctx, selectClaims, cloud)
	taken, err := collect(rows, err, "claim", scanClaim)
	if err != nil {
		return err
	}
	wanted, err := place(taken)
	if err != nil {
		return err
	}
	for _, c := range wanted {
		_, err := tx.ExecContext(ctx, `INSERT INTO native_claims (cloud, server, host, vcpus, ram_mib, disk_gib, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, cloud, c.Server, c.Host, c.VCPUs, c.RAMMiB, c.DiskGiB, timeText(time.Now()))
		if err != nil {
			return failed(err, "claim")
		}
	}
	return failed(tx.Commit(), "claim")
}

// Reclaim changes what a server claims where fits, which is told what all others claim,
// allows it; its error is returned, and then nothing is changed. NotFound: the server
// claims nothing.
func (s *Store) Reclaim(ctx context.Context, cloud string, c Claim, fits func(others []Claim) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return failed(err, "claim")
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	if err := tx.alone(ctx); err != nil {
		return failed(err, "claim")
	}
	rows, err := tx.QueryContext(ctx, selectClaims, cloud)
	taken, err := collect(rows, err, "claim", scanClaim)
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(slices.Clone(taken), func(t Claim) bool { return t.Server == c.Server })
	if len(others) == len(taken) {
		return canonical.Errorf(canonical.NotFound, "server %s claims nothing", c.Server)
	}
	if err := fits(others); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE native_claims SET host = ?, vcpus = ?, ram_mib = ?, disk_gib = ? WHERE cloud = ? AND server = ?`,
		c.Host, c.VCPUs, c.RAMMiB, c.DiskGiB, cloud, c.Server)
	if err != nil {
		return failed(err, "claim")
	}
	return failed(tx.Commit(), "claim")
}

// Claims are all claims on a cloud.
func (s *Store) Claims(ctx context.Context, cloud string) ([]Claim, error) {
	rows, err := s.db.QueryContext(ctx, selectClaims, cloud)
	return collect(rows, err, "claim", scanClaim)
}

// Unclaim gives back what servers took; repeating it is harmless.
func (s *Store) Unclaim(ctx context.Context, cloud string, servers ...string) error {
	for _, server := range servers {
		if _, err := s.db.ExecContext(ctx, `DELETE FROM native_claims WHERE cloud = ? AND server = ?`, cloud, server); err != nil {
			return failed(err, "claim")
		}
	}
	return nil
}

const selectClaims = `SELECT host, server, vcpus, ram_mib, disk_gib FROM native_claims WHERE cloud = ? ORDER BY host, server`

func scanClaim(r *sql.Rows) (c Claim, err error) {
	err = r.Scan(&c.Host, &c.Server, &c.VCPUs, &c.RAMMiB, &c.DiskGiB)
	return c, err
}
