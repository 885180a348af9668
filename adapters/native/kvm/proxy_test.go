package kvm

import (
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
)

// proxy stands between a host and a libvirtd, and cuts connections.
type proxy struct {
	listener net.Listener
	upstream string

	mu     sync.Mutex // guards all below
	conns  map[net.Conn]bool
	passed int  // packets, more or less, that went to the daemon
	cutAt  int  // which of them ends its connection; 0: none
	stay   bool // after that no connection is let in
	down   bool
	cuts   int
	after  func() // with it the packet is passed on, and then this is done
}

// newProxy listens on a socket of the test's own.
func newProxy(t testing.TB, upstream string) *proxy {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, upstream: upstream, conns: map[net.Conn]bool{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.accept()
	}()
	t.Cleanup(func() {
		_ = l.Close()
		p.cutAll()
		<-done
	})
	return p
}

func (p *proxy) uri() string { return "qemu:///system?socket=" + p.listener.Addr().String() }

func (p *proxy) accept() {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		wg.Go(func() { p.serve(c) })
	}
}

func (p *proxy) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	p.mu.Lock()
	down := p.down
	p.mu.Unlock()
	if down {
		return
	}
	up, err := net.Dial("unix", p.upstream)
	if err != nil {
		return
	}
	defer func() { _ = up.Close() }()
	p.mu.Lock()
	p.conns[c] = true
	p.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = io.Copy(c, up)
		_ = c.Close()
	})
	buf := make([]byte, 512<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			break
		}
		cut, after := p.cutsHere()
		if cut && after == nil {
			break
		}
		if _, err := up.Write(buf[:n]); err != nil {
			break
		}
		if cut {
			after()
			break
		}
	}
	_ = up.Close()
	_ = c.Close()
	wg.Wait()
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
}

func (p *proxy) cutsHere() (cut bool, after func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passed++
	if p.passed != p.cutAt {
		return false, nil
	}
	p.cuts++
	if p.stay {
		p.down = true
		for c := range p.conns {
			_ = c.Close()
		}
	}
	return true, p.after
}

// arm makes the n-th packet from now on end its connection; with stay the daemon is
// out of reach until disarm.
func (p *proxy) arm(n int, stay bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passed, p.cutAt, p.stay, p.down, p.cuts = 0, n, stay, false, 0
}

// disarm says whether it cut.
func (p *proxy) disarm() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutAt, p.stay, p.down = 0, false, false
	return p.cuts > 0
}

func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
}
