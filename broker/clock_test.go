package broker

import (
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/store"
)

// How old an operation is, is told by the store's clock: that of this process may be
// an hour off, either way.
func TestTheStoresClockDecides(t *testing.T) {
	for _, off := range []time.Duration{-time.Hour, 0, time.Hour} {
		b := &Broker{}
		b.ahead.Store(int64(off))
		v := &view{b: b, m: Member{Timeout: time.Second}}
		var o store.Operation
		o.CreatedAt = time.Now().Add(off) // as a process with a right clock wrote it
		if v.settled(o) {
			t.Errorf("%s off: a new operation counts as old", off)
		}
		if o.CreatedAt = o.CreatedAt.Add(-time.Minute); !v.settled(o) {
			t.Errorf("%s off: an old operation counts as new", off)
		}
	}
}

func TestTheStoresClockIsRead(t *testing.T) {
	s, err := store.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	b := &Broker{Options: Options{Store: s}}
	b.ahead.Store(int64(time.Hour))
	if err := b.setClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if off := time.Until(b.Now()).Abs(); off > time.Minute {
		t.Errorf("it is %s off", off)
	}
}
