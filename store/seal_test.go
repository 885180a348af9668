package store_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

func box(t *testing.T, keys ...byte) *store.Box {
	t.Helper()
	var all [][]byte
	for _, k := range keys {
		all = append(all, bytes.Repeat([]byte{k}, store.BoxKeySize))
	}
	b, err := store.NewBox(all...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A store that is sealed with one key is not opened with another; once it is resealed,
// the old key is not needed any more, and does not suffice.
func TestReseal(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		ctx, old, both, anew := t.Context(), box(t, 1), box(t, 2, 1), box(t, 2)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.ProveKey(ctx, old))
		must(s.ProveKey(ctx, both))
		if err := s.ProveKey(ctx, anew); !errors.Is(err, store.ErrOtherKey) {
			t.Fatal("another key:", err)
		}
		must(s.CreateTenant(ctx, canonical.Tenant{ID: "1", Name: "acme"}))
		for id, b := range map[canonical.ID]*store.Box{"old": old, "new": anew, "lost": box(t, 9)} {
			key := store.Key{APIKey: canonical.APIKey{ID: id, Tenant: "acme", Role: canonical.Member, CreatedAt: time.Now()}}
			key.Seal = b.Seal([]byte("secret"), store.KeyPlace(id))
			must(s.CreateKey(ctx, key))
		}
		r := store.Repeat{Key: []byte("k"), Digest: []byte("d"), Owner: "me", BegunAt: time.Now()}
		_, err := s.ClaimRepeat(ctx, r, time.Hour)
		must(err)
		r.Answer = old.Seal([]byte("answer"), r.Key)
		must(s.EndRepeat(ctx, r, time.Hour))

		if _, err := s.Reseal(ctx, anew); !errors.Is(err, store.ErrOtherKey) {
			t.Fatal("resealed without the old key:", err)
		}
		for _, want := range []store.Resealed{{Resealed: 2, Lost: 1}, {Lost: 1}} { // the second time nothing is left to do
			if got, err := s.Reseal(ctx, both); err != nil || got != want {
				t.Fatal(got, err)
			}
		}
		must(s.CheckKey(ctx, anew))
		if err := s.CheckKey(ctx, old); !errors.Is(err, store.ErrOtherKey) {
			t.Error("a process that was not restarted:", err)
		}
		must(s.ProveKey(ctx, anew))
		if err := s.ProveKey(ctx, old); !errors.Is(err, store.ErrOtherKey) {
			t.Error("the old key:", err)
		}
		for _, id := range []canonical.ID{"old", "new"} {
			k, err := s.Key(ctx, id)
			must(err)
			if plain, err := anew.Open(k.Seal, store.KeyPlace(id)); err != nil || string(plain) != "secret" {
				t.Error(id, plain, err)
			}
		}
		known, err := s.ClaimRepeat(ctx, r, time.Hour)
		must(err)
		if plain, err := anew.Open(known.Answer, r.Key); err != nil || string(plain) != "answer" {
			t.Error(plain, err)
		}
	})
}
