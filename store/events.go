package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// KeepEvents is how long events can be read again.
const KeepEvents = 24 * time.Hour

// Say appends an event; its ID and At are the store's to give.
func (s *Store) Say(ctx context.Context, e canonical.Event) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return failed(err, "event")
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	if err := tx.say(ctx, e); err != nil {
		return err
	}
	return failed(tx.Commit(), "event")
}

// say appends an event. From here to its end the transaction is alone: else a
// reader could see a later event first, and would never ask for this one.
func (t *transaction) say(ctx context.Context, e canonical.Event) error {
	if err := t.alone(ctx); err != nil {
		return failed(err, "event")
	}
	_, err := t.ExecContext(ctx, `INSERT INTO events (tenant, kind, body, at) VALUES (?, ?, ?, NOW())`,
		e.Tenant, string(e.Type), string(e.Data))
	return failed(err, "event")
}

// Events are the events of a tenant, or of all for "", that come after one: at most
// limit, oldest first.
func (s *Store) Events(ctx context.Context, tenant string, after int64, limit int) ([]canonical.Event, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, tenant, kind, body, at FROM events
		WHERE id > ? AND (? = '' OR tenant = ?) ORDER BY id LIMIT ?`, after, tenant, tenant, limit)
	return collect(rows, err, "event", func(r *sql.Rows) (e canonical.Event, err error) {
		var kind, body string
		var at float64
		err = r.Scan(&e.ID, &e.Tenant, &kind, &body, &at)
		e.Type, e.Data, e.At = canonical.EventType(kind), json.RawMessage(body), time.UnixMicro(int64(at*1e6)).UTC()
		return e, err
	})
}

// KeptEvents are the ids of the oldest event that is kept and of the newest there
// was; 0, 0: there was none.
func (s *Store) KeptEvents(ctx context.Context) (oldest, newest int64, err error) {
	var first, last sql.NullInt64
	err = s.db.QueryRowContext(ctx, `SELECT MIN(id), MAX(id) FROM events`).Scan(&first, &last)
	return first.Int64, last.Int64, failed(err, "event")
}

// ForgetEvents removes the events that are older than KeepEvents, but for the newest,
// which remembers how far the ids have come.
func (s *Store) ForgetEvents(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM events WHERE at < NOW() - ? AND id < (SELECT MAX(id) FROM events)`,
		KeepEvents.Seconds())
	return failed(err, "event")
}
