package store_test

import (
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/store"
)

// TestRevokedTokens: one is known until it would have ended, however often revoked.
func TestRevokedTokens(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		revoke := func(id string, life time.Duration) {
			t.Helper()
			if err := s.RevokeToken(t.Context(), id, life); err != nil {
				t.Fatal(err)
			}
		}
		is := func(id string, want bool) {
			t.Helper()
			if got, err := s.TokenRevoked(t.Context(), id); got != want || err != nil {
				t.Errorf("%s is revoked: %v (%v), want %v", id, got, err, want)
			}
		}
		revoke("a", time.Hour)
		revoke("a", time.Hour)
		revoke("old", -time.Second)
		is("a", true)
		is("b", false)
		revoke("b", time.Hour)
		is("a", true)
		is("old", false) // swept
	})
}
