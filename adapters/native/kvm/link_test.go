package kvm

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/digitalocean/go-libvirt"
	"go.uber.org/goleak"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// daemon is as much of libvirtd as connecting takes: it logs in, opens, registers for
// events and lists no domains.
type daemon struct {
	listener net.Listener
	// answer is asked before each reply; false closes the connection instead. It may
	// wait until the test ends.
	answer func(procedure uint32) bool
	wg     sync.WaitGroup

	mu       sync.Mutex
	conns    map[net.Conn]bool
	accepted int
}

const (
	procEventRegister = 316
	procAllStats      = 344
)

func newDaemon(t testing.TB) *daemon {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{listener: l, answer: func(uint32) bool { return true }, conns: map[net.Conn]bool{}}
	return d
}

func (d *daemon) start(t testing.TB) {
	d.wg.Go(func() {
		for {
			c, err := d.listener.Accept()
			if err != nil {
				return
			}
			d.mu.Lock()
			d.accepted++
			d.conns[c] = true
			d.mu.Unlock()
			d.wg.Go(func() { d.serve(c) })
		}
	})
	t.Cleanup(d.stop)
}

func (d *daemon) stop() {
	_ = d.listener.Close()
	d.cutAll()
	d.wg.Wait()
}

func (d *daemon) cutAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		_ = c.Close()
	}
}

func (d *daemon) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.accepted
}

func (d *daemon) serve(c net.Conn) {
	defer func() {
		_ = c.Close()
		d.mu.Lock()
		delete(d.conns, c)
		d.mu.Unlock()
	}()
	s := &stream{conn: c}
	for {
		h, _, err := s.receive()
		if err != nil || !d.answer(h.Procedure) {
			return
		}
		var x xdr
		switch h.Procedure {
		case procAuthList:
			x.word(1)
			x.word(authNone)
		case procEventRegister:
			x.word(7)
		case procAllStats:
			x.word(0)
		}
		h.Type = 1 // a reply
		if err := s.send(h, x.Bytes()); err != nil {
			return
		}
	}
}

func (d *daemon) options() Options {
	return Options{
		Name: "h1", URI: "qemu:///system?socket=" + d.listener.Addr().String(),
		BackoffMin: time.Microsecond, BackoffMax: 10 * time.Microsecond, ConnectWait: 50 * time.Millisecond,
		CallLimit: 100 * time.Millisecond,
	}
}

func openFiles(t testing.TB) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("counts descriptors by /proc: %v", err)
	}
	return len(files)
}

// TestThousandReconnects leaks neither goroutines nor descriptors, whenever in its
// life a connection ends.
func TestThousandReconnects(t *testing.T) {
	before := goleak.IgnoreCurrent()
	d := newDaemon(t) // opens what Go itself keeps open for networking
	files := openFiles(t)
	var mu sync.Mutex
	asked := 0
	// Every seventh request ends its connection, so that each kind does in turn, and
	// the owner gets through now and then, to be cut below.
	d.answer = func(uint32) bool {
		mu.Lock()
		defer mu.Unlock()
		asked++
		return asked%7 != 0
	}
	d.start(t)
	h, err := Open(d.options())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, 4*time.Minute, "1,000 connections", func() bool {
		d.cutAll()
		return d.count() > 1000
	})
	h.Close()
	d.stop()
	goleak.VerifyNone(t, before)
	if now := openFiles(t); now >= files { // the listener is closed since

		t.Errorf("%d descriptors are open, %d were before", now, files)
	}
}

func TestReadyTellsWhy(t *testing.T) {
	o := newDaemon(t).options()
	o.URI = "qemu:///system?socket=" + filepath.Join(t.TempDir(), "none")
	h, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	err = h.call(t.Context(), func(api) error { return nil })
	if canonical.CodeOf(err) != canonical.Unavailable {
		t.Errorf("%v", err)
	}
	if after, ok := canonical.Retryable(err); !ok || after == 0 {
		t.Error("not to be retried")
	}
	eventually(t, 10*time.Second, "health says why", func() bool { return !h.Health().Connected && !errors.Is(h.Health().Err, errNotYet) })
}

// TestAwayForLong: whoever asks of a host that has been away for longer than calls wait
// is told at once.
func TestAwayForLong(t *testing.T) {
	o := newDaemon(t).options()
	o.URI, o.ConnectWait = "qemu:///system?socket="+filepath.Join(t.TempDir(), "none"), time.Hour
	h, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	h.mu.Lock()
	h.link.since = time.Now().Add(-time.Hour)
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := h.call(ctx, func(api) error { return nil }); canonical.CodeOf(err) != canonical.Unavailable || ctx.Err() != nil {
		t.Errorf("%v", err)
	}
}

// TestHangingCall costs the connection, and not the caller's patience.
func TestHangingCall(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	d := newDaemon(t)
	hang := make(chan struct{})
	d.answer = func(procedure uint32) bool {
		if procedure == 59 { // hostname
			<-hang
		}
		return true
	}
	d.start(t)
	h, err := Dial(t.Context(), d.options())
	if err != nil {
		t.Fatal(err)
	}
	first := d.count()
	err = h.call(t.Context(), func(a api) error {
		_, err := a.ConnectGetHostname()
		return err
	})
	if !lost(err) {
		t.Errorf("the call: %v", err)
	}
	eventually(t, 10*time.Second, "a new connection", func() bool { return d.count() > first && h.Health().Connected })
	close(hang)
	h.Close()
	d.stop()
}

// TestHangingUpload ends, though its caller would wait for ever.
func TestHangingUpload(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	d := newDaemon(t)
	hang := make(chan struct{})
	d.answer = func(procedure uint32) bool {
		if procedure == procVolUpload {
			<-hang
		}
		return true
	}
	d.start(t)
	h, err := Dial(t.Context(), d.options())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.upload(t.Context(), libvirt.StorageVol{}, strings.NewReader("data"), 4); !lost(err) {
		t.Errorf("hangs: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := h.upload(ctx, libvirt.StorageVol{}, strings.NewReader("data"), 4); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("deadline: %v", err)
	}
	close(hang)
	h.Close()
	d.stop()
}

// TestPeerIsNotLibvirt is refused before it costs memory.
func TestPeerIsNotLibvirt(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for name, said := range map[string][]byte{
		"Web":      []byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"TooShort": binary.BigEndian.AppendUint32(nil, 3),
		"Nothing":  {},
		"Half":     append(binary.BigEndian.AppendUint32(nil, 1000), "half"...),
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.ReadFull(c, make([]byte, minPacket))
				_, _ = c.Write(said)
				_ = c.Close()
			})
			addr, err := parseURI("qemu:///system?socket=" + l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := open(t.Context(), addr); err == nil {
				t.Error("connected")
			}
			_ = l.Close()
			wg.Wait()
		})
	}
}
