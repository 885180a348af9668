package kvm

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/digitalocean/go-libvirt"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.uber.org/goleak"
	"libvirt.org/go/libvirtxml"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// image is a qcow2 as far as the fake looks.
func image(opened *atomic.Int32) BaseSource {
	data := bytes.Repeat([]byte("x"), 600_000)
	return BaseSource{Format: "qcow2", SizeBytes: int64(len(data)), Open: func(context.Context) (io.ReadCloser, error) {
		opened.Add(1)
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}

func fakeBase(t testing.TB, h *Host) *Base {
	t.Helper()
	base, err := h.EnsureBase(t.Context(), canonical.ID(uuid.NewString()), image(new(atomic.Int32)))
	if err != nil {
		t.Fatal(err)
	}
	return base
}

func fakeSpec(base *Base) ServerSpec {
	spec := testSpec(base)
	spec.NICs = []NICSpec{{Network: "nat"}}
	return spec
}

func TestLife(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	h, f := fakeHost(t)
	spec := fakeSpec(fakeBase(t, h))
	empty := f.names()
	ctx := t.Context()
	s, err := h.Define(ctx, spec)
	if err != nil || s.Status != canonical.ServerBuilding || s.Networks[0].IP.String() != "10.0.0.10" {
		t.Fatalf("%v %+v", err, s)
	}
	if got := len(f.names()) - len(empty); got != 5 { // domain, disk, seed, log, reservation
		t.Errorf("%d things: %v", got, f.names())
	}
	for _, step := range []struct {
		name string
		do   func() (Server, error)
		want canonical.ServerStatus
	}{
		{"start", func() (Server, error) { return h.Start(ctx, spec.ID) }, canonical.ServerRunning},
		{"start again", func() (Server, error) { return h.Start(ctx, spec.ID) }, canonical.ServerRunning},
		{"hard stop", func() (Server, error) { return h.Stop(ctx, spec.ID, true) }, canonical.ServerStopped},
		{"start after that", func() (Server, error) { return h.Start(ctx, spec.ID) }, canonical.ServerRunning},
		{"stop", func() (Server, error) { return h.Stop(ctx, spec.ID, false) }, canonical.ServerStopped},
		{"stop again", func() (Server, error) { return h.Stop(ctx, spec.ID, true) }, canonical.ServerStopped},
		{"define again", func() (Server, error) { return h.Define(ctx, spec) }, canonical.ServerStopped},
	} {
		if s, err := step.do(); err != nil || s.Status != step.want {
			t.Errorf("%s: %v %s", step.name, err, s.Status)
		}
	}
	if s, err := h.Get(spec.ID); err != nil || s.Intent != IntendStop {
		t.Errorf("the intent: %v %s", err, s.Intent)
	}
	if err := h.Delete(ctx, spec.ID); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(empty, f.names()); diff != "" {
		t.Errorf("left: %s", diff)
	}
	if _, err := h.Start(ctx, spec.ID); canonical.CodeOf(err) != canonical.NotFound {
		t.Errorf("start of nothing: %v", err)
	}
	h.Close()
	f.streams.Wait()
}

// TestDefineFailsAnywhere: whichever call fails, nothing is left, and the next attempt
// is not disturbed.
func TestDefineFailsAnywhere(t *testing.T) {
	h, f := fakeHost(t)
	base := fakeBase(t, h)
	if err := h.Delete(t.Context(), uuid.NewString()); err != nil { // makes the pools
		t.Fatal(err)
	}
	empty := f.names()
	for n := 1; ; n++ {
		spec := fakeSpec(base)
		failed := ""
		f.arm(func(call string, i int) error {
			if i == n {
				failed = call
				return answer(libvirt.ErrInternalError, "it broke")
			}
			return nil
		})
		_, err := h.Define(t.Context(), spec)
		f.disarm()
		if failed == "" {
			if err != nil || n < 20 {
				t.Errorf("%d calls: %v", n, err)
			}
			break
		}
		if canonical.CodeOf(err) != canonical.UpstreamError {
			t.Errorf("call %d, %s: %v", n, failed, err)
		}
		if diff := cmp.Diff(empty, f.names()); diff != "" {
			t.Errorf("call %d, %s: left: %s", n, failed, diff)
		}
	}
}

// TestDefineIsAbandonedAnywhere: whenever the caller goes away, the server is made or
// nothing is left.
func TestDefineIsAbandonedAnywhere(t *testing.T) {
	h, f := fakeHost(t)
	base := fakeBase(t, h)
	if err := h.Delete(t.Context(), uuid.NewString()); err != nil { // makes the pools
		t.Fatal(err)
	}
	empty := f.names()
	for n, cut := 1, true; cut; n++ {
		spec := fakeSpec(base)
		ctx, leave := context.WithCancel(t.Context())
		cut = false
		f.arm(func(_ string, i int) error {
			if i == n {
				cut = true
				leave()
			}
			return nil
		})
		_, err := h.Define(ctx, spec)
		leave()
		eventually(t, 10*time.Second, "the abandoned call ends", func() bool {
			unlock, err := h.locks.lock(t.Context(), spec.ID)
			if err == nil {
				unlock()
			}
			return err == nil
		})
		f.disarm()
		switch {
		case err == nil:
			if err := h.Delete(t.Context(), spec.ID); err != nil {
				t.Error(err)
			}
		case !errors.Is(err, context.Canceled):
			t.Errorf("call %d: %v", n, err)
		}
		if diff := cmp.Diff(empty, f.names()); diff != "" {
			t.Errorf("call %d: left: %s", n, diff)
		}
	}
}

// TestDeleteFailsAnywhere: a delete that failed is repeated with success.
func TestDeleteFailsAnywhere(t *testing.T) {
	h, f := fakeHost(t)
	base := fakeBase(t, h)
	empty := f.names()
	for n := 1; ; n++ {
		spec := fakeSpec(base)
		if _, err := h.Define(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Start(t.Context(), spec.ID); err != nil {
			t.Fatal(err)
		}
		failed := ""
		f.arm(func(call string, i int) error {
			if i == n {
				failed = call
				return answer(libvirt.ErrInternalError, "it broke")
			}
			return nil
		})
		err := h.Delete(t.Context(), spec.ID)
		f.disarm()
		if (failed != "") != (err != nil) {
			t.Errorf("call %d, %q: %v", n, failed, err)
		}
		if failed != "" && n > 3 {
			if s, err := h.Get(spec.ID); err != nil || s.Intent != IntendDelete {
				t.Errorf("call %d, %q: the host does not tell that the delete is unfinished: %v %+v", n, failed, err, s)
			}
			if _, err := h.Define(t.Context(), spec); canonical.CodeOf(err) != canonical.Conflict {
				t.Errorf("call %d, %q: define meanwhile: %v", n, failed, err)
			}
		}
		if err := h.Delete(t.Context(), spec.ID); err != nil {
			t.Errorf("call %d, %q: again: %v", n, failed, err)
		}
		if diff := cmp.Diff(empty, f.names()); diff != "" {
			t.Errorf("call %d, %q: left: %s", n, failed, diff)
		}
		if failed == "" {
			break
		}
	}
}

func TestFullDisk(t *testing.T) {
	h, f := fakeHost(t)
	spec := fakeSpec(fakeBase(t, h))
	for _, where := range []string{"StorageVolCreateXML", "upload", "uploaded"} {
		f.arm(func(call string, _ int) error {
			if call == where {
				return answer(libvirt.ErrSystemError, "cannot write: No space left on device")
			}
			return nil
		})
		_, err := h.Define(t.Context(), spec)
		_, err2 := h.EnsureBase(t.Context(), canonical.ID(uuid.NewString()), image(new(atomic.Int32)))
		f.disarm()
		if canonical.CodeOf(err) != canonical.QuotaExceeded || canonical.CodeOf(err2) != canonical.QuotaExceeded {
			t.Errorf("%s: %v, %v", where, err, err2)
		}
		left := slices.DeleteFunc(f.names(), func(n string) bool { return strings.HasPrefix(n, string(spec.Base.ImageID)) })
		if len(left) > 0 {
			t.Errorf("%s: left: %v", where, left)
		}
	}
}

func TestWhatIsMissing(t *testing.T) {
	h, f := fakeHost(t)
	base := fakeBase(t, h)
	cases := map[string]struct {
		change func(*ServerSpec)
		want   canonical.Code
	}{
		"Network": {func(s *ServerSpec) { s.NICs[0].Network = "none" }, canonical.FailedPrecondition},
		"Address": {func(s *ServerSpec) { s.NICs[0].IP = netip.MustParseAddr("192.0.2.1") }, canonical.InvalidRequest},
	}
	for name, c := range cases {
		spec := fakeSpec(base)
		c.change(&spec)
		if _, err := h.Define(t.Context(), spec); canonical.CodeOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Pools that somebody removed are made again; the images are uploaded anew.
	f.mu.Lock()
	clear(f.pools)
	f.mu.Unlock()
	spec := fakeSpec(fakeBase(t, h))
	if _, err := h.Define(t.Context(), spec); err != nil {
		t.Errorf("pools: %v", err)
	}
	// A domain that somebody undefined.
	f.mu.Lock()
	clear(f.domains)
	f.mu.Unlock()
	if _, err := h.Start(t.Context(), spec.ID); canonical.CodeOf(err) != canonical.NotFound {
		t.Errorf("domain: %v", err)
	}
	if ids, err := h.Orphans(t.Context()); err != nil || !slices.Equal(ids, []string{spec.ID}) {
		t.Errorf("orphans: %v %v", ids, err)
	}
	if err := h.Delete(t.Context(), spec.ID); err != nil {
		t.Error(err)
	}
	if ids, err := h.Orphans(t.Context()); err != nil || len(ids) > 0 {
		t.Errorf("orphans: %v %v", ids, err)
	}
}

// TestBaseIsSharedByAll: however many ask at once, the image is read once.
func TestBaseIsSharedByAll(t *testing.T) {
	h, _ := fakeHost(t)
	id := canonical.ID(uuid.NewString())
	var opened atomic.Int32
	src := image(&opened)
	var wg sync.WaitGroup
	bases := make([]*Base, 20)
	for i := range bases {
		wg.Go(func() {
			var err error
			if bases[i], err = h.EnsureBase(t.Context(), id, src); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := opened.Load(); n != 1 {
		t.Errorf("read %d times", n)
	}
	for i, b := range bases {
		if err := h.EvictBase(t.Context(), id); canonical.CodeOf(err) != canonical.FailedPrecondition {
			t.Errorf("evicted while %d hold it: %v", len(bases)-i, err)
		}
		b.Release()
		b.Release() // once more is harmless
	}
	if err := h.EvictBase(t.Context(), id); err != nil {
		t.Error(err)
	}
	base, err := h.EnsureBase(t.Context(), id, src)
	if err != nil || opened.Load() != 2 {
		t.Errorf("after eviction: %v, read %d times", err, opened.Load())
	}
	spec := fakeSpec(base)
	if _, err := h.Define(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	base.Release()
	if err := h.EvictBase(t.Context(), id); canonical.CodeOf(err) != canonical.FailedPrecondition {
		t.Errorf("evicted while a server uses it: %v", err)
	}
}

// TestUploadGoesOn when the one who began it goes away, and ends when all do.
func TestUploadGoesOn(t *testing.T) {
	h, f := fakeHost(t)
	id := canonical.ID(uuid.NewString())
	hold, uploading := make(chan struct{}), make(chan struct{}, 100)
	f.arm(func(call string, _ int) error {
		if call == "upload" {
			uploading <- struct{}{}
			<-hold
		}
		return nil
	})
	first, leave := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := h.EnsureBase(first, id, image(new(atomic.Int32)))
		gone <- err
	}()
	<-uploading
	got := make(chan error)
	go func() {
		_, err := h.EnsureBase(t.Context(), id, image(new(atomic.Int32)))
		got <- err
	}()
	eventually(t, 10*time.Second, "two wait", func() bool {
		h.bases.mu.Lock()
		defer h.bases.mu.Unlock()
		return h.bases.loads[id] != nil && h.bases.loads[id].waiters == 2
	})
	leave()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("who went: %v", err)
	}
	close(hold)
	if err := <-got; err != nil {
		t.Errorf("who stayed: %v", err)
	}
}

// TestAddressesAreHandedOutOnce to servers that are made at the same time.
func TestAddressesAreHandedOutOnce(t *testing.T) {
	h, _ := fakeHost(t)
	base := fakeBase(t, h)
	var mu sync.Mutex
	seen := map[netip.Addr]bool{}
	refused := 0
	var wg sync.WaitGroup
	for range 15 { // there are 11
		wg.Go(func() {
			s, err := h.Define(t.Context(), fakeSpec(base))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case canonical.CodeOf(err) == canonical.QuotaExceeded:
				refused++
			case err != nil:
				t.Error(err)
			case seen[s.Networks[0].IP]:
				t.Errorf("%s twice", s.Networks[0].IP)
			default:
				seen[s.Networks[0].IP] = true
			}
		})
	}
	wg.Wait()
	if len(seen) != 11 || refused != 4 {
		t.Errorf("%d addresses, %d refused", len(seen), refused)
	}
}

// TestAddressTakenMeanwhile: another process takes the address between our look and our
// reservation; the next one is taken.
func TestAddressTakenMeanwhile(t *testing.T) {
	h, f := fakeHost(t)
	once := false
	f.arm(func(call string, _ int) error {
		if call != "NetworkUpdateCompat" || once {
			return nil
		}
		once = true
		f.mu.Lock()
		defer f.mu.Unlock()
		dhcp := f.networks["nat"].IPs[0].DHCP
		dhcp.Hosts = append(dhcp.Hosts, libvirtxml.NetworkDHCPHost{MAC: "52:54:00:00:00:01", IP: "10.0.0.10"})
		return answer(libvirt.ErrOperationInvalid, "there is an existing dhcp host entry")
	})
	ip, err := h.reserve(t.Context(), "nat", MAC(testID, 0), netip.Addr{})
	if err != nil || ip.String() != "10.0.0.11" {
		t.Errorf("%v %v", ip, err)
	}
}

func TestConsole(t *testing.T) {
	h, f := fakeHost(t)
	spec := fakeSpec(fakeBase(t, h))
	if _, err := h.Define(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if out, err := h.Console(t.Context(), spec.ID, 100); err != nil || len(out) != 0 {
		t.Errorf("before it said anything: %q %v", out, err)
	}
	f.mu.Lock()
	f.pools["dragoman-servers"].volumes[logName(spec.ID)].data = bytes.Repeat([]byte("0123456789"), 1000)
	f.mu.Unlock()
	for most, want := range map[int]int{0: 0, -1: 0, 7: 7, 2500: 2500, 1 << 20: 10000} {
		out, err := h.Console(t.Context(), spec.ID, most)
		if err != nil || len(out) != want || want > 0 && out[len(out)-1] != '9' {
			t.Errorf("%d: %d bytes, %v", most, len(out), err)
		}
	}
	if _, err := h.Console(t.Context(), uuid.NewString(), 10); canonical.CodeOf(err) != canonical.NotFound {
		t.Errorf("of nobody: %v", err)
	}
}

func TestFactsOfHostFarAway(t *testing.T) {
	h, _ := fakeHost(t)
	if _, err := h.Define(t.Context(), fakeSpec(fakeBase(t, h))); err != nil {
		t.Fatal(err)
	}
	h.opts.Virt, h.facts = VirtAuto, nil
	f, err := h.Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// svm is not among the features that the capabilities list, but in the model.
	// And the disk of 1 GiB that there is does not make the host smaller.
	if f.Virt != VirtKVM || f.CPUs != 4 || f.RAMMiB != 8192 || f.DiskGiB != 51 || f.FreeGiB != 50 || !f.UEFI || f.Hypervisor != "7.2.22" {
		t.Errorf("%+v", f)
	}
}

// TestConnectionLostUnderCalls: each call that the connection takes with it is made
// again on the next one.
func TestConnectionLostUnderCalls(t *testing.T) {
	h, f := fakeHost(t)
	base := fakeBase(t, h)
	empty := f.names()
	for n := 1; n < 40; n += 2 {
		spec := fakeSpec(base)
		f.arm(func(_ string, i int) error {
			if i == n {
				h.mu.Lock()
				s := h.link.session
				h.mu.Unlock()
				s.close()
				return libvirt.ErrInterrupted
			}
			return nil
		})
		_, err := h.Define(t.Context(), spec)
		if err == nil {
			err = h.Delete(t.Context(), spec.ID)
		}
		f.disarm()
		if err != nil {
			t.Errorf("call %d: %v", n, err)
		}
		if diff := cmp.Diff(empty, f.names()); diff != "" {
			t.Errorf("call %d: left: %s", n, diff)
		}
	}
}
