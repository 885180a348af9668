package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Poll is what is known of asking an account of a cloud, again and again, what has
// changed. One process at a time asks; State is its own to read.
type Poll struct {
	Cloud, Account string
	State          json.RawMessage // as the last SavePoll left it; nil: there was none
	Since          time.Duration   // from the last SavePoll until now, by the database's clock
	fence          int64
}

// ClaimPoll gives the caller the poll of an account for the time lease, if it is due and
// nobody has it. Else ok is false, and wait says how long it is to wait until it asks
// again.
func (s *Store) ClaimPoll(ctx context.Context, cloud, account string, lease time.Duration) (p Poll, wait time.Duration, ok bool, err error) {
	p = Poll{Cloud: cloud, Account: account}
	_, err = s.db.ExecContext(ctx, `INSERT INTO polls (cloud, account, fence, leased_until, due, state)
		VALUES (?, ?, 0, 0, 0, 'null') ON CONFLICT DO NOTHING`, cloud, account)
	if err != nil {
		return p, 0, false, failed(err, "poll")
	}
	// A time that is later than can be is of a clock that was set back.
	row := s.db.QueryRowContext(ctx, `UPDATE polls SET fence = fence + 1, leased_until = NOW() + ?
		WHERE cloud = ? AND account = ? AND (leased_until <= NOW() OR leased_until > NOW() + ?) AND (due <= NOW() OR due > NOW() + ?)
		RETURNING fence, state, NOW() - COALESCE(polled_at, NOW())`,
		lease.Seconds(), cloud, account, 2*lease.Seconds(), maxPause.Seconds())
	var state string
	var since float64
	switch err = row.Scan(&p.fence, &state, &since); {
	case err == nil:
		if p.Since = seconds(since); state != "null" {
			p.State = json.RawMessage(state)
		}
		return p, 0, true, nil
	case !errors.Is(err, sql.ErrNoRows):
		return p, 0, false, failed(err, "poll")
	}
	var left float64
	err = s.db.QueryRowContext(ctx, `SELECT CASE WHEN due > leased_until THEN due ELSE leased_until END - NOW() FROM polls
		WHERE cloud = ? AND account = ?`, cloud, account).Scan(&left)
	return p, max(0, seconds(left)), false, failed(err, "poll")
}

// maxPause is more than anybody lets pass between two polls.
const maxPause = 48 * time.Hour

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// SavePoll writes what a poll has come to, tells the events, and gives the poll back: it
// is due again after the time next. NotFound: the lease had ended and another has it;
// then nothing is written.
func (s *Store) SavePoll(ctx context.Context, p Poll, events []canonical.Event, next time.Duration) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return failed(err, "poll")
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	res, err := tx.ExecContext(ctx, `UPDATE polls SET state = ?, polled_at = NOW(), leased_until = 0, due = NOW() + ?
		WHERE cloud = ? AND account = ? AND fence = ?`, string(p.State), next.Seconds(), p.Cloud, p.Account, p.fence)
	if err := changed(res, err, "poll"); err != nil {
		return err
	}
	for _, e := range events {
		if err := tx.say(ctx, e); err != nil {
			return err
		}
	}
	return failed(tx.Commit(), "poll")
}

// SkipPoll gives a poll back that came to nothing.
func (s *Store) SkipPoll(ctx context.Context, p Poll, next time.Duration) error {
	_, err := s.db.ExecContext(ctx, `UPDATE polls SET leased_until = 0, due = NOW() + ?
		WHERE cloud = ? AND account = ? AND fence = ?`, next.Seconds(), p.Cloud, p.Account, p.fence)
	return failed(err, "poll")
}
