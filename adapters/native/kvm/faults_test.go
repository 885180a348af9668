package kvm

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/libvirt"
)

// proxied is a host behind a proxy.
func proxied(t *testing.T, change func(*Options)) (*Host, libvirt.Daemon, *proxy) {
	t.Helper()
	d := libvirt.Require(t)
	if d.Socket == "" {
		t.Skip("needs a libvirtd on a Unix socket, to stand before it")
	}
	p := newProxy(t, d.Socket)
	o := realOptions(t, d)
	o.URI, o.Log = p.uri(), nil
	o.BackoffMin, o.BackoffMax = time.Millisecond, 20*time.Millisecond
	change(&o)
	h, err := Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h, d, p
}

// TestRealCutOnce cuts the connection at each packet of a server's life in turn: all of
// it succeeds, for steps are done again.
func TestRealCutOnce(t *testing.T) {
	h, d, p := proxied(t, func(*Options) {})
	network := d.RequireNetwork(t)
	base := ensureBase(t, h)
	cut := true
	n := 1
	for ; cut; n += 3 { // each third: every step, in the time that there is
		spec := testSpec(base)
		spec.NICs = []NICSpec{{Network: network}}
		p.arm(n, false)
		_, err := h.Define(t.Context(), spec)
		if err == nil && n%4 == 0 { // starts are slow
			_, err = h.Start(t.Context(), spec.ID)
		}
		if err == nil {
			err = h.Delete(t.Context(), spec.ID)
		}
		cut = p.disarm()
		if err != nil {
			t.Errorf("cut at packet %d: %v", n, err)
		}
		nothingLeft(t, h, d, spec.ID)
	}
	t.Logf("about %d packets", n)
}

// TestRealCutForLong takes the daemon away at some packets of a create: it fails
// clearly and in time, and what it left is removed once the daemon is back.
func TestRealCutForLong(t *testing.T) {
	h, d, p := proxied(t, func(o *Options) { o.ConnectWait = 50 * time.Millisecond })
	network := d.RequireNetwork(t)
	base := ensureBase(t, h)
	for n, cut := 1, true; cut; n += 5 {
		spec := testSpec(base)
		spec.NICs = []NICSpec{{Network: network}}
		p.arm(n, true)
		_, err := h.Define(t.Context(), spec)
		cut = p.disarm()
		if ready := h.Ready(t.Context()); ready != nil {
			t.Fatal(ready)
		}
		if !cut {
			if err != nil {
				t.Error(err)
			}
			if err := h.Delete(t.Context(), spec.ID); err != nil {
				t.Error(err)
			}
			break
		}
		if err != nil && canonical.CodeOf(err) != canonical.Unavailable {
			t.Errorf("cut at packet %d: %v", n, err)
		}
		if err == nil { // it was done when the connection went
			if err := h.Delete(t.Context(), spec.ID); err != nil {
				t.Errorf("cut at packet %d: %v", n, err)
			}
		}
		eventually(t, 10*time.Second, "what was left is removed", func() bool { return !strings.Contains(leftovers(t, h, d), spec.ID) })
		nothingLeft(t, h, d, spec.ID)
	}
}

func leftovers(t testing.TB, h *Host, d libvirt.Daemon) string {
	files, err := filepath.Glob(filepath.Join(h.opts.Dir, serversPool, "*"))
	if err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for id := range h.litter {
		files = append(files, id)
	}
	return strings.Join(files, " ") + d.Virsh(t, "list", "--all", "--name")
}

// TestRealDaemonKilledAnywhere kills libvirtd right after it got some of the requests of
// a create and a delete, each in turn: all of it succeeds once the daemon is back.
func TestRealDaemonKilledAnywhere(t *testing.T) {
	h, d, p := proxied(t, func(o *Options) { o.ConnectWait = time.Minute })
	control := d.RequireOwn(t)
	t.Cleanup(func() { control.Start(t) })
	network := d.RequireNetwork(t)
	base := ensureBase(t, h)
	p.after = func() {
		control.Kill(t)
		control.Start(t)
	}
	for n, cut := 2, true; cut; n += 5 { // each fifth: every step, in the time that there is
		spec := testSpec(base)
		spec.NICs = []NICSpec{{Network: network}}
		p.arm(n, false)
		_, err := h.Define(t.Context(), spec)
		if err == nil {
			err = h.Delete(t.Context(), spec.ID)
		}
		cut = p.disarm()
		if err != nil {
			t.Errorf("killed at packet %d: %v", n, err)
		}
		nothingLeft(t, h, d, spec.ID)
	}
}

// TestRealDaemonKilled kills libvirtd while an image is uploaded and while a guest runs.
func TestRealDaemonKilled(t *testing.T) {
	h, d := realHost(t)
	control := d.RequireOwn(t)
	t.Cleanup(func() { control.Start(t) })
	spec := testSpec(ensureBase(t, h))
	if _, err := h.Define(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Start(t.Context(), spec.ID); err != nil {
		t.Fatal(err)
	}

	id := canonical.ID(uuid.NewString())
	data := make([]byte, 32<<20)
	opened := 0
	base, err := h.EnsureBase(t.Context(), id, BaseSource{Format: "raw", SizeBytes: int64(len(data)), Open: func(context.Context) (io.ReadCloser, error) {
		opened++
		r := io.Reader(bytes.NewReader(data))
		if opened == 1 { // the first half, then the end of the daemon
			r = io.MultiReader(bytes.NewReader(data[:16<<20]), then(func() {
				control.Kill(t)
				control.Start(t)
			}), bytes.NewReader(data[16<<20:]))
		}
		return io.NopCloser(r), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	base.Release()
	if opened != 2 || base.Bytes != uint64(len(data)) {
		t.Errorf("opened %d times, %d bytes", opened, base.Bytes)
	}

	// The guest went on running meanwhile, and is ours again.
	if s, err := h.Refresh(t.Context(), spec.ID); err != nil || s.Status != canonical.ServerRunning || s.Name != spec.Name {
		t.Errorf("after the crash: %v %+v", err, s)
	}
	if err := h.Delete(t.Context(), spec.ID); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, h, d, spec.ID)
}

// then is a reader that does something when it is read.
type then func()

func (f then) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}

func TestRealBadImages(t *testing.T) {
	h, _ := realHost(t)
	backed := filepath.Join(t.TempDir(), "backed.qcow2")
	qemuImg(t, "create", "-f", "qcow2", "-F", "raw", "-u", "-b", "/etc/passwd", backed, "1M")
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no image", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	source := func(s BaseSource, change func(*BaseSource)) BaseSource { change(&s); return s }
	good := blank(t)
	failure := errors.New("the disk of the store broke")
	cases := map[string]struct {
		src  BaseSource
		code canonical.Code
	}{
		"Backed":   {fileSource(t, backed, "qcow2"), canonical.InvalidRequest},
		"NotQcow2": {fileSource(t, text, "qcow2"), canonical.InvalidRequest},
		"TooShort": {source(good, func(s *BaseSource) { s.SizeBytes++ }), canonical.InvalidRequest},
		"TooLong":  {source(good, func(s *BaseSource) { s.SizeBytes-- }), canonical.InvalidRequest},
		"Format":   {source(good, func(s *BaseSource) { s.Format = "vmdk" }), canonical.InvalidRequest},
		"NoFile":   {source(good, func(s *BaseSource) { s.Open = func(context.Context) (io.ReadCloser, error) { return nil, failure } }), canonical.UpstreamError},
		"ReadFails": {source(good, func(s *BaseSource) {
			s.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(failing{failure}), nil }
		}), canonical.UpstreamError},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			id := canonical.ID(uuid.NewString())
			if _, err := h.EnsureBase(t.Context(), id, c.src); canonical.CodeOf(err) != c.code {
				t.Errorf("%v", err)
			}
			left, err := filepath.Glob(filepath.Join(h.opts.Dir, basePool, string(id)+"*"))
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
			base, err := h.EnsureBase(t.Context(), id, good) // nothing is broken for good
			if err != nil {
				t.Fatal(err)
			}
			base.Release()
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestRealStrayFiles: files that a daemon left when it was killed, and that the pool does
// not know, are replaced.
func TestRealStrayFiles(t *testing.T) {
	h, d := realHost(t)
	spec := testSpec(ensureBase(t, h))
	if err := h.Delete(t.Context(), spec.ID); err != nil { // makes the pool
		t.Fatal(err)
	}
	for _, name := range []string{diskName(spec.ID), seedName(spec.ID), logName(spec.ID)} {
		if err := os.WriteFile(filepath.Join(h.opts.Dir, serversPool, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Define(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if err := h.Delete(t.Context(), spec.ID); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, h, d, spec.ID)
}

// TestRealRotatedLog: the files that virtlogd begins for a console that prints much are
// removed too.
func TestRealRotatedLog(t *testing.T) {
	h, d := realHost(t)
	spec := testSpec(ensureBase(t, h))
	if _, err := h.Define(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{".0", ".1"} {
		if err := os.WriteFile(filepath.Join(h.opts.Dir, serversPool, logName(spec.ID)+end), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Delete(t.Context(), spec.ID); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, h, d, spec.ID)
}
