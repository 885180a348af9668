package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Repeat is a request that its client may send again, and its answer.
type Repeat struct {
	Key       []byte // names the tenant, the route and the client's own key
	Digest    []byte // of the request
	Owner     string // names the process that performs it
	RequestID string
	BegunAt   time.Time
	Answer    []byte // sealed by the gateway; nil: under way
	// Dead says that it is under way, but that its owner has not said so in time.
	Dead bool
}

// Name is of this claim of the key by this process, and of no other.
func (r Repeat) Name() string {
	sum := sha256.Sum256([]byte(hex.EncodeToString(r.Key) + " " + r.Owner + " " + timeText(r.BegunAt)))
	return hex.EncodeToString(sum[:])
}

// keepDead is how long a request stays known whose process died.
const keepDead = 24 * time.Hour

// ClaimRepeat adds r, which counts as under way for the time lease. Where something
// is known of its key, it changes nothing and answers that.
func (s *Store) ClaimRepeat(ctx context.Context, r Repeat, lease time.Duration) (known *Repeat, err error) {
	_, err = s.db.ExecContext(ctx, `DELETE FROM repeats WHERE until <= NOW() AND answer IS NOT NULL OR until <= NOW() - ?`,
		keepDead.Seconds())
	if err != nil {
		return nil, failed(err, "repeat")
	}
	res, err := s.db.ExecContext(ctx, `INSERT INTO repeats (key, digest, owner, request_id, begun_at, answer, until)
		VALUES (?, ?, ?, ?, ?, NULL, NOW() + ?) ON CONFLICT DO NOTHING`,
		r.Key, r.Digest, r.Owner, r.RequestID, timeText(r.BegunAt), lease.Seconds())
	err = changed(res, err, "repeat")
	if canonical.CodeOf(err) != canonical.NotFound {
		return nil, err
	}
	return s.repeat(ctx, r.Key)
}

func (s *Store) repeat(ctx context.Context, key []byte) (*Repeat, error) {
	r, begun := Repeat{Key: key}, ""
	var answer sql.Null[[]byte]
	err := s.db.QueryRowContext(ctx, `SELECT digest, owner, request_id, begun_at, answer, answer IS NULL AND until <= NOW()
		FROM repeats WHERE key = ?`, key).Scan(&r.Digest, &r.Owner, &r.RequestID, &begun, &answer, &r.Dead)
	if err != nil {
		return nil, failed(err, "repeat")
	}
	r.Answer = answer.V
	r.BegunAt, err = parseTime(begun)
	return &r, failed(err, "repeat")
}

// TakeRepeat makes r.Owner perform what a dead process left under way. NotFound:
// another one was quicker.
func (s *Store) TakeRepeat(ctx context.Context, r Repeat, lease time.Duration) error {
	res, err := s.db.ExecContext(ctx, `UPDATE repeats SET owner = ?, until = NOW() + ?
		WHERE key = ? AND answer IS NULL AND until <= NOW()`, r.Owner, lease.Seconds(), r.Key)
	return changed(res, err, "repeat")
}

// RenewRepeat says that r.Owner still performs the request.
func (s *Store) RenewRepeat(ctx context.Context, r Repeat, lease time.Duration) error {
	res, err := s.db.ExecContext(ctx, `UPDATE repeats SET until = NOW() + ? WHERE key = ? AND owner = ? AND answer IS NULL`,
		lease.Seconds(), r.Key, r.Owner)
	return changed(res, err, "repeat")
}

// EndRepeat keeps the answer of a request that r.Owner has performed for the time
// keep; without an answer it forgets the request, so that it may be sent anew.
func (s *Store) EndRepeat(ctx context.Context, r Repeat, keep time.Duration) error {
	if r.Answer == nil {
		res, err := s.db.ExecContext(ctx, `DELETE FROM repeats WHERE key = ? AND owner = ? AND answer IS NULL`, r.Key, r.Owner)
		return changed(res, err, "repeat")
	}
	res, err := s.db.ExecContext(ctx, `UPDATE repeats SET digest = ?, answer = ?, until = NOW() + ?
		WHERE key = ? AND owner = ? AND answer IS NULL`, r.Digest, r.Answer, keep.Seconds(), r.Key, r.Owner)
	return changed(res, err, "repeat")
}
