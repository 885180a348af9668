package store_test

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

func TestLifeOfARepeat(t *testing.T) {
	s := open(t, ":memory:")
	r := store.Repeat{Key: []byte("k"), Digest: []byte("d"), Owner: "p1", RequestID: "r1", BegunAt: time.Now().UTC()}
	other := r
	other.Owner = "p2"
	claim := func(by store.Repeat, lease time.Duration, want *store.Repeat) {
		t.Helper()
		known, err := s.ClaimRepeat(t.Context(), by, lease)
		if d := cmp.Diff(want, known); d != "" || err != nil {
			t.Fatal(err, d)
		}
	}
	code := func(what string, err error, want canonical.Code) {
		t.Helper()
		if got := canonical.CodeOf(err); got != want {
			t.Errorf("%s: got %q (%v), want %q", what, got, err, want)
		}
	}
	claim(r, time.Hour, nil)
	claim(other, time.Hour, &r)
	code("renew of another's", s.RenewRepeat(t.Context(), other, time.Hour), canonical.NotFound)
	code("take of one that lives", s.TakeRepeat(t.Context(), other, time.Hour), canonical.NotFound)
	code("renew", s.RenewRepeat(t.Context(), r, -time.Second), "") // so it is dead
	dead := r
	dead.Dead = true
	claim(other, time.Hour, &dead)
	code("take", s.TakeRepeat(t.Context(), other, time.Hour), "")
	code("end by the dead", s.EndRepeat(t.Context(), r, time.Hour), canonical.NotFound)
	other.Answer = []byte("a")
	code("end", s.EndRepeat(t.Context(), other, time.Hour), "")
	code("end twice", s.EndRepeat(t.Context(), other, time.Hour), canonical.NotFound)
	claim(r, time.Hour, &other)

	r.Key = []byte("l")
	claim(r, time.Hour, nil)
	code("free", s.EndRepeat(t.Context(), r, time.Hour), "")
	claim(r, time.Hour, nil)
	r.Answer = []byte("a")
	code("end for no time", s.EndRepeat(t.Context(), r, -time.Second), "")
	claim(other, time.Hour, &other)
	r.Answer = nil
	claim(r, -25*time.Hour, nil) // dead for long: forgotten
	claim(r, time.Hour, nil)
}

// Of claims of one key at once, one wins.
func TestClaimsAtOnce(t *testing.T) {
	s, at := open(t, t.TempDir()+"/db"), time.Now()
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			known, err := s.ClaimRepeat(t.Context(), store.Repeat{Key: []byte("k"), Digest: []byte("d"), Owner: fmt.Sprint(i), BegunAt: at}, time.Hour)
			if err != nil {
				t.Error(err)
			} else if known == nil {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d claims won", won.Load())
	}
}

func TestBox(t *testing.T) {
	box, err := store.NewBox(bytes.Repeat([]byte{1}, store.BoxKeySize))
	if err != nil {
		t.Fatal(err)
	}
	other, err := store.NewBox(bytes.Repeat([]byte{2}, store.BoxKeySize))
	if err != nil {
		t.Fatal(err)
	}
	sealed := box.Seal([]byte("secret"), []byte("here"))
	if bytes.Contains(sealed, []byte("secret")) || bytes.Equal(sealed, box.Seal([]byte("secret"), []byte("here"))) {
		t.Error("the seal shows what it holds")
	}
	if got, err := box.Open(sealed, []byte("here")); err != nil || string(got) != "secret" {
		t.Error(got, err)
	}
	broken := bytes.Clone(sealed)
	broken[len(broken)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another place": func() ([]byte, error) { return box.Open(sealed, []byte("there")) },
		"another key":   func() ([]byte, error) { return other.Open(sealed, []byte("here")) },
		"broken":        func() ([]byte, error) { return box.Open(broken, []byte("here")) },
		"empty":         func() ([]byte, error) { return box.Open(nil, []byte("here")) },
	} {
		if got, err := open(); err == nil {
			t.Errorf("%s: opened as %q", name, got)
		}
	}
	if _, err := store.NewBox([]byte("short")); err == nil {
		t.Error("a short key was taken")
	}
}
