package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Operation is long work as it is kept.
type Operation struct {
	canonical.Operation
	Task     *canonical.Task // how to ask the cloud; nil before it was asked to work
	Deadline time.Time       // when the work counts as failed
}

// CreateOperation adds an operation.
func (s *Store) CreateOperation(ctx context.Context, o Operation) error {
	body, task, err := encodeOperation(o)
	if err != nil {
		return failed(err, "operation")
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO operations
		(id, tenant, operation, status, cloud, body, task, deadline, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(o.ID), o.Tenant, o.Operation.Operation, string(o.Status), o.Cloud, body, task,
		timeText(o.Deadline), timeText(o.CreatedAt))
	return failed(err, "operation")
}

// UpdateOperation writes what may have changed: the shape and the task. One that
// has ended is not changed any more: then it says NotFound.
func (s *Store) UpdateOperation(ctx context.Context, o Operation) error {
	body, task, err := encodeOperation(o)
	if err != nil {
		return failed(err, "operation")
	}
	res, err := s.db.ExecContext(ctx, `UPDATE operations SET status = ?, body = ?, task = ?
		WHERE id = ? AND status IN ('pending', 'running')`, string(o.Status), body, task, string(o.ID))
	return changed(res, err, "operation")
}

const selectOperations = `SELECT body, task, deadline FROM operations`

// Operation is the operation of that id, or NotFound.
func (s *Store) Operation(ctx context.Context, id canonical.ID) (Operation, error) {
	o, err := scanOperation(s.db.QueryRowContext(ctx, selectOperations+` WHERE id = ?`, string(id)))
	return o, failed(err, "operation")
}

// Operations are the newest operations of a tenant, or of all for "", as far as
// lists reach (canonical.MaxWhole).
func (s *Store) Operations(ctx context.Context, tenant string) ([]canonical.Operation, error) {
	rows, err := s.db.QueryContext(ctx, selectOperations+
		` WHERE ? = '' OR tenant = ? ORDER BY created_at DESC LIMIT ?`, tenant, tenant, canonical.MaxWhole)
	return collect(rows, err, "operation", func(r *sql.Rows) (canonical.Operation, error) {
		o, err := scanOperation(r)
		return o.Operation, err
	})
}

// Unfinished are the operations that have not ended.
func (s *Store) Unfinished(ctx context.Context) ([]Operation, error) {
	rows, err := s.db.QueryContext(ctx, selectOperations+` WHERE status IN ('pending', 'running')`)
	return collect(rows, err, "operation", func(r *sql.Rows) (Operation, error) { return scanOperation(r) })
}

func encodeOperation(o Operation) (body string, task sql.NullString, err error) {
	b, err := json.Marshal(o.Operation)
	if err != nil || o.Task == nil {
		return string(b), task, err
	}
	t, err := json.Marshal(o.Task)
	return string(b), sql.NullString{String: string(t), Valid: true}, err
}

func scanOperation(r interface{ Scan(dest ...any) error }) (o Operation, err error) {
	var body, deadline string
	var task sql.NullString
	if err = r.Scan(&body, &task, &deadline); err != nil {
		return o, err
	}
	if err = json.Unmarshal([]byte(body), &o.Operation); err != nil {
		return o, err
	}
	if task.Valid {
		if err = json.Unmarshal([]byte(task.String), &o.Task); err != nil {
			return o, err
		}
	}
	o.Deadline, err = parseTime(deadline)
	return o, err
}
