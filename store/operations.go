package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Lease is how long an operation stays with a process that does not renew it. It is
// measured by the database's clock.
const Lease = 5 * time.Second

// Phase is what an operation that has not ended is about to do.
type Phase string

// The phases.
const (
	// Asking: the cloud is being asked to work; its answer is not known.
	Asking Phase = "asking"
	// Waiting: the cloud works; Task says how to ask about it.
	Waiting Phase = "waiting"
	// Undoing: what was made is being removed again, and then the operation ends as
	// its Error, or its being cancelled, says.
	Undoing Phase = "undoing"
)

// Operation is long work as it is kept. One process at a time owns it: who creates or
// takes it, until the lease ends that is not renewed.
type Operation struct {
	canonical.Operation
	Phase Phase
	Task  *canonical.Task // how to ask the cloud; nil while Asking
	// Intent is what is needed to find out whether a cloud did what it was asked, and
	// to ask again; it never holds secrets.
	Intent   json.RawMessage
	Deadline time.Time // when the work counts as failed
	// Fence counts how often the operation was taken: who had it before cannot write
	// any more.
	Fence int64
	// Repeat is the Name of the Repeat whose request began it, "" where none did. It is
	// only written: see OperationOf.
	Repeat string
}

const unfinished = `status IN ('pending', 'running')`

// CreateOperation adds an operation that owner performs.
func (s *Store) CreateOperation(ctx context.Context, o Operation, owner string) error {
	return s.saying(ctx, o, func(tx *transaction, body string, task sql.NullString) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO operations
			(id, tenant, operation, status, cloud, body, task, phase, intent, deadline, created_at, owner, fence, repeat_of, leased_until)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NOW() + ?)`,
			string(o.ID), o.Tenant, o.Operation.Operation, string(o.Status), o.Cloud, body, task, string(o.Phase),
			string(o.Intent), timeText(o.Deadline), timeText(o.CreatedAt), owner, o.Fence, sql.NullString{String: o.Repeat, Valid: o.Repeat != ""}, Lease.Seconds())
		return failed(err, "operation")
	})
}

// UpdateOperation writes what may have changed of an operation, and leases it anew.
// NotFound: it has ended, or was taken since o was read; then nothing changed.
func (s *Store) UpdateOperation(ctx context.Context, o Operation) error {
	return s.saying(ctx, o, func(tx *transaction, body string, task sql.NullString) error {
		res, err := tx.ExecContext(ctx, `UPDATE operations
			SET status = ?, body = ?, task = ?, phase = ?, intent = ?, leased_until = NOW() + ?
			WHERE id = ? AND fence = ? AND `+unfinished,
			string(o.Status), body, task, string(o.Phase), string(o.Intent), Lease.Seconds(), string(o.ID), o.Fence)
		return changed(res, err, "operation")
	})
}

// saying writes an operation together with the event that tells of it.
func (s *Store) saying(ctx context.Context, o Operation, write func(tx *transaction, body string, task sql.NullString) error) error {
	body, task, err := encodeOperation(o)
	if err != nil {
		return failed(err, "operation")
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return failed(err, "operation")
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	if err := write(tx, body, task); err != nil {
		return err
	}
	if err := tx.say(ctx, canonical.Event{Type: canonical.OperationEvent, Tenant: o.Tenant, Data: json.RawMessage(body)}); err != nil {
		return err
	}
	return failed(tx.Commit(), "operation")
}

// RenewOperations leases those of these operations that owner has, for another Lease.
func (s *Store) RenewOperations(ctx context.Context, owner string, ids []canonical.ID) error {
	for chunk := range slices.Chunk(ids, 500) {
		args := []any{Lease.Seconds(), owner}
		for _, id := range chunk {
			args = append(args, string(id))
		}
		_, err := s.db.ExecContext(ctx, `UPDATE operations SET leased_until = NOW() + ? WHERE owner = ? AND `+unfinished+
			` AND id IN (?`+strings.Repeat(", ?", len(chunk)-1)+`)`, args...)
		if err != nil {
			return failed(err, "operation")
		}
	}
	return nil
}

// ReleaseOperations ends the leases of owner, so that others may take what it had.
func (s *Store) ReleaseOperations(ctx context.Context, owner string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE operations SET leased_until = 0 WHERE owner = ? AND `+unfinished, owner)
	return failed(err, "operation")
}

const (
	take      = `UPDATE operations SET owner = ?, fence = fence + 1, leased_until = NOW() + ? WHERE ` + unfinished
	returning = ` RETURNING body, task, phase, intent, deadline, fence`
)

// TakeOperations gives owner all operations whose leases have ended; a lease that
// ends later than leases can is of a clock that was set back, and has ended too.
func (s *Store) TakeOperations(ctx context.Context, owner string) ([]Operation, error) {
	rows, err := s.db.QueryContext(ctx, take+` AND (leased_until < NOW() OR leased_until > NOW() + ?)`+returning,
		owner, Lease.Seconds(), 2*Lease.Seconds())
	return collect(rows, err, "operation", func(r *sql.Rows) (Operation, error) { return scanOperation(r) })
}

// TakeOperation gives owner an operation, whoever has it. NotFound: it has ended.
func (s *Store) TakeOperation(ctx context.Context, id canonical.ID, owner string) (Operation, error) {
	o, err := scanOperation(s.db.QueryRowContext(ctx, take+` AND id = ?`+returning, owner, Lease.Seconds(), string(id)))
	return o, failed(err, "operation")
}

const selectOperations = `SELECT body, task, phase, intent, deadline, fence FROM operations`

// Operation is the operation of that id, or NotFound.
func (s *Store) Operation(ctx context.Context, id canonical.ID) (Operation, error) {
	o, err := scanOperation(s.db.QueryRowContext(ctx, selectOperations+` WHERE id = ?`, string(id)))
	return o, failed(err, "operation")
}

// OperationOf is the operation that a request began, by the Name of its Repeat, or
// NotFound.
func (s *Store) OperationOf(ctx context.Context, repeat string) (Operation, error) {
	o, err := scanOperation(s.db.QueryRowContext(ctx, selectOperations+` WHERE repeat_of = ?`, repeat))
	return o, failed(err, "operation")
}

// OperationFilter says which operations are meant; its zero value means all.
type OperationFilter struct {
	Tenant    string
	Status    canonical.OperationStatus
	Operation string
	Clouds    []string
	Resource  canonical.ID // something that they are about
}

// where is the filter as a condition. It may let more pass than has the Resource, whose
// id may also be part of a result.
func (f OperationFilter) where() (condition string, args []any) {
	conditions := []string{"1 = 1"}
	add := func(c string, more ...any) { conditions, args = append(conditions, c), append(args, more...) }
	for column, want := range map[string]string{"tenant": f.Tenant, "status": string(f.Status), "operation": f.Operation} {
		if want != "" {
			add(column+" = ?", want)
		}
	}
	if len(f.Clouds) > 0 {
		clouds := make([]any, len(f.Clouds))
		for i, c := range f.Clouds {
			clouds[i] = c
		}
		add(`cloud IN (?`+strings.Repeat(", ?", len(clouds)-1)+`)`, clouds...)
	}
	if f.Resource != "" {
		id, _ := json.Marshal(f.Resource) // texts always marshal
		like := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(`"id":` + string(id))
		add(`body LIKE ? ESCAPE '\'`, "%"+like+"%")
	}
	return strings.Join(conditions, " AND "), args
}

// Operations are the newest of these operations, as far as lists reach
// (canonical.MaxWhole).
func (s *Store) Operations(ctx context.Context, f OperationFilter) ([]canonical.Operation, error) {
	condition, args := f.where()
	rows, err := s.db.QueryContext(ctx, `SELECT body FROM operations WHERE `+condition+
		` ORDER BY created_at DESC LIMIT ?`, append(args, canonical.MaxWhole)...)
	all, err := collect(rows, err, "operation", func(r *sql.Rows) (o canonical.Operation, err error) {
		var body string
		if err = r.Scan(&body); err == nil {
			err = decodeOperation(body, &o)
		}
		return o, err
	})
	return slices.DeleteFunc(all, func(o canonical.Operation) bool {
		return f.Resource != "" && !slices.ContainsFunc(o.Resources, func(r canonical.Resource) bool { return r.ID == f.Resource })
	}), err
}

// KeepOperations is how long operations that have ended can be read.
const KeepOperations = 30 * 24 * time.Hour

// ForgetOperations removes the operations that ended longer than KeepOperations ago, and
// intents as old that came to nothing: nobody works at them any more.
func (s *Store) ForgetOperations(ctx context.Context) error {
	// The end of an operation was its last lease.
	_, err := s.db.ExecContext(ctx, `DELETE FROM operations WHERE leased_until < NOW() - ? AND NOT (`+unfinished+`)`, KeepOperations.Seconds())
	if err != nil {
		return failed(err, "operation")
	}
	now, err := s.Clock(ctx)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `DELETE FROM owned WHERE resource IS NULL AND created_at < ?
		AND intent NOT IN (SELECT id FROM operations WHERE `+unfinished+`)`, timeText(now.Add(-KeepOperations)))
	return failed(err, "intent")
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
	var body, phase, intent, deadline string
	var task sql.NullString
	if err = r.Scan(&body, &task, &phase, &intent, &deadline, &o.Fence); err != nil {
		return o, err
	}
	if err = decodeOperation(body, &o.Operation); err != nil {
		return o, err
	}
	if task.Valid {
		if err = json.Unmarshal([]byte(task.String), &o.Task); err != nil {
			return o, fmt.Errorf("a stored task: %w", err)
		}
	}
	o.Phase, o.Intent = Phase(phase), json.RawMessage(intent)
	o.Deadline, err = parseTime(deadline)
	return o, err
}

func decodeOperation(body string, o *canonical.Operation) error {
	if err := json.Unmarshal([]byte(body), o); err != nil {
		return fmt.Errorf("a stored operation: %w", err)
	}
	if string(o.Result) == "null" {
		o.Result = nil
	}
	return nil
}
