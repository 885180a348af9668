package kvm

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/digitalocean/go-libvirt"
	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// TestMadeAgainIsNoLitter: a server that was made after a failed undo of its first
// attempt is not taken for what that attempt left.
func TestMadeAgainIsNoLitter(t *testing.T) {
	h, f := fakeHost(t)
	spec := fakeSpec(fakeBase(t, h))
	f.arm(func(call string, _ int) error {
		if call == "DomainDefineXMLFlags" || call == "StorageVolDelete" {
			return answer(libvirt.ErrInternalError, "not now")
		}
		return nil
	})
	if _, err := h.Define(t.Context(), spec); err == nil {
		t.Fatal("defined")
	}
	f.disarm()
	start(t, h, spec)
	f.leave()
	f.back()
	cleaned(t, h)
	if s, err := h.Refresh(t.Context(), spec.ID); err != nil || s.Status != canonical.ServerRunning {
		t.Errorf("after the reconnect: %v, %s", err, s.Status)
	}
}

// TestLitterIsRemoved: what a failed undo left is removed once the host is back.
func TestLitterIsRemoved(t *testing.T) {
	h, f := fakeHost(t)
	spec := fakeSpec(fakeBase(t, h))
	empty := f.names()
	f.arm(func(call string, _ int) error {
		if call == "DomainDefineXMLFlags" || call == "StorageVolDelete" {
			return answer(libvirt.ErrInternalError, "not now")
		}
		return nil
	})
	if _, err := h.Define(t.Context(), spec); err == nil {
		t.Fatal("defined")
	}
	f.disarm()
	f.leave()
	f.back()
	eventually(t, 10*time.Second, "nothing is left", func() bool { return cmp.Equal(f.names(), empty) })
}

// TestAwayDuringCreates: creates that lost their host, and are repeated once it is back,
// are safe from the cleaning up after their first attempts.
func TestAwayDuringCreates(t *testing.T) {
	h, f := fakeHost(t, func(o *Options) { o.ConnectWait = 10 * time.Millisecond })
	base := fakeBase(t, h)
	const n = 8
	var halfway sync.WaitGroup
	halfway.Add(n)
	f.arm(func(call string, _ int) error {
		if call == "StorageVolCreateXML" {
			halfway.Done()
			halfway.Wait()
			f.leave()
			return errLost
		}
		return nil
	})
	var specs []ServerSpec
	for range n {
		spec := fakeSpec(base)
		spec.NICs = nil
		specs = append(specs, spec)
	}
	var first sync.WaitGroup
	for _, spec := range specs {
		first.Go(func() {
			if _, err := h.Define(t.Context(), spec); canonical.CodeOf(err) != canonical.Unavailable {
				t.Errorf("while the host is away: %v", err)
			}
		})
	}
	first.Wait()
	// Slow, so that cleaning up and making are under way at the same time.
	f.arm(func(string, int) error { pause(t.Context(), 3*time.Millisecond); return nil })
	f.back()
	var again sync.WaitGroup
	for _, spec := range specs {
		again.Go(func() {
			if err := h.Ready(t.Context()); err != nil {
				t.Error(err)
			}
			start(t, h, spec)
		})
	}
	again.Wait()
	cleaned(t, h)
	for _, spec := range specs {
		if s, err := h.Refresh(t.Context(), spec.ID); err != nil || s.Status != canonical.ServerRunning {
			t.Errorf("%v, %s", err, s.Status)
		}
	}
}

// TestUnwantedBases: an image that was deleted while it could not be evicted is deleted
// at the next connection, but not while servers use it.
func TestUnwantedBases(t *testing.T) {
	var mu sync.Mutex
	unwanted := map[canonical.ID]bool{}
	h, f := fakeHost(t, func(o *Options) {
		o.Wanted = func(id canonical.ID) bool {
			mu.Lock()
			defer mu.Unlock()
			return !unwanted[id]
		}
	})
	idle, used, wanted := fakeBase(t, h), fakeBase(t, h), fakeBase(t, h)
	if _, err := h.Define(t.Context(), fakeSpec(used)); err != nil {
		t.Fatal(err)
	}
	for _, b := range []*Base{idle, used, wanted} {
		b.Release()
	}
	mu.Lock()
	unwanted[idle.ImageID], unwanted[used.ImageID] = true, true
	mu.Unlock()
	f.leave()
	f.back()
	cleaned(t, h)
	for what, c := range map[string]struct {
		base *Base
		kept bool
	}{"Idle": {idle, false}, "Used": {used, true}, "Wanted": {wanted, true}} {
		if kept := slices.Contains(f.names(), baseMark(c.base.ImageID)); kept != c.kept {
			t.Errorf("%s: kept %v", what, kept)
		}
	}
}

// start makes a server and starts it.
func start(t testing.TB, h *Host, spec ServerSpec) {
	t.Helper()
	if _, err := h.Define(t.Context(), spec); err != nil {
		t.Error(err)
	}
	if _, err := h.Start(t.Context(), spec.ID); err != nil {
		t.Error(err)
	}
}

// cleaned waits until the host is back and clean.
func cleaned(t testing.TB, h *Host) {
	t.Helper()
	if err := h.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.cleanUp()
}
