package store

import (
	"context"
	"time"
)

// RevokeToken notes that the token of that id is good no more. It is kept for the
// time life, after which the token has ended anyhow.
func (s *Store) RevokeToken(ctx context.Context, id string, life time.Duration) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM revoked_tokens WHERE until <= NOW()`); err != nil {
		return failed(err, "token")
	}
	_, err := s.db.ExecContext(ctx, `INSERT INTO revoked_tokens (id, until) VALUES (?, NOW() + ?) ON CONFLICT DO NOTHING`,
		id, life.Seconds())
	return failed(err, "token")
}

// TokenRevoked says whether the token of that id was revoked.
func (s *Store) TokenRevoked(ctx context.Context, id string) (bool, error) {
	var n int
	err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM revoked_tokens WHERE id = ?`, id).Scan(&n)
	return n > 0, failed(err, "token")
}
