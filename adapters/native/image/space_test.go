package image

import (
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// TestPromise: conversions at once get no more together than is free beyond the reserve.
func TestPromise(t *testing.T) {
	s := &Store{cfg: Config{MaxBytes: 500, ReserveBytes: 100}}
	gets := func(what string, free, most, want int64) func() {
		t.Helper()
		got, takeBack, err := s.promise(free, most)
		if got != want || err != nil {
			t.Errorf("%s: got %d (%v), want %d", what, got, err, want)
		}
		return takeBack
	}
	first := gets("the first", 1000, 300, 300)
	gets("more than images may have", 2000, 1000, 500)
	gets("what is left", 1000, 300, 100)
	if _, _, err := s.promise(1000, 1); canonical.CodeOf(err) != canonical.Unavailable {
		t.Errorf("beyond what is free: %v", err)
	}
	first()
	gets("what the first took back", 1000, 1000, 300)
}

// TestConversionNeedsRoom: a conversion leaves the reserve alone.
func TestConversionNeedsRoom(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir()})
	s.promised = 1 << 60 // all that there is
	_, err := s.convertTo(t.Context(), "none", Info{Format: VMDK, VirtualBytes: 1 << 20}, "none either")
	if canonical.CodeOf(err) != canonical.Unavailable {
		t.Errorf("%v", err)
	}
}
