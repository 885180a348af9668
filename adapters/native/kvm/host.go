package kvm

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Host is one KVM host. Its methods may be called concurrently.
type Host struct {
	opts Options
	addr address
	// connect makes a session; tests put a fake here.
	connect func(ctx context.Context) (*session, error)

	table *table
	bases bases
	locks keyLocks
	nets  keyLocks // by network: reservations are read, chosen and written

	ctx    context.Context // ends when the host is closed
	cancel context.CancelFunc
	work   sync.WaitGroup // every goroutine of this host

	mu     sync.Mutex // guards all below
	closed bool
	link   link
	facts  *Facts
	room   disk
	litter map[string]bool // ids of which an undo failed: removed once the host is back
}

// Dial reaches a host, and returns when its servers are known. The host is kept
// connected until it is closed, whatever ctx does.
func Dial(ctx context.Context, o Options) (*Host, error) {
	h, err := Open(o)
	if err != nil {
		return nil, err
	}
	if err := h.Ready(ctx); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// Open begins to manage a host, which need not be up yet. It fails only for options
// that are wrong.
func Open(o Options) (*Host, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	addr, err := parseURI(o.URI)
	if err != nil {
		return nil, err
	}
	h := newHost(o, addr)
	h.connect = func(ctx context.Context) (*session, error) { return open(ctx, addr) }
	h.begin()
	return h, nil
}

func newHost(o Options, addr address) *Host {
	h := &Host{opts: o, addr: addr, table: newTable(), litter: map[string]bool{}}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.link = link{changed: make(chan struct{}), why: errNotYet, since: time.Now()}
	return h
}

// begin starts the goroutines that every host has.
func (h *Host) begin() {
	h.spawn(h.own)
	h.spawn(func() { h.table.deliver(h.ctx) })
}

// Close stops managing the host: its servers go on. It returns when every goroutine
// has ended and every connection is closed.
func (h *Host) Close() {
	h.mu.Lock()
	h.closed = true
	s := h.link.session
	h.mu.Unlock()
	h.cancel()
	if s != nil {
		s.close()
	}
	h.work.Wait()
}

// spawn runs f in a goroutine of the host, unless the host is closed.
func (h *Host) spawn(f func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.work.Go(f)
	return true
}

// Name is the host's name.
func (h *Host) Name() string { return h.opts.Name }

// Zone is the host's availability zone.
func (h *Host) Zone() string { return h.opts.Zone }

// fetch runs f on the connection, and waits for one first if there is none. See ask.
func fetch[T any](ctx context.Context, h *Host, f func(api) (T, error)) (T, error) {
	s, err := h.session(ctx)
	if err != nil {
		var none T
		return none, err
	}
	return ask(ctx, s, h.spawn, h.opts.CallLimit, f)
}

// call is fetch without a result.
func (h *Host) call(ctx context.Context, f func(api) error) error {
	_, err := fetch(ctx, h, func(a api) (struct{}, error) { return struct{}{}, f(a) })
	return err
}

// tries is how often an idempotent step is done when the connection is lost under it.
const tries = 4

// step runs f, whose effect must be the same when it runs again, and runs it again
// when the connection was lost under it. Its failure is explained by doing.
func (h *Host) step(ctx context.Context, doing string, f func(context.Context) error) error {
	for try := 1; ; try++ {
		err := f(ctx)
		if !lost(err) || try == tries {
			return h.explain(err, "%s", doing)
		}
		h.opts.Log.InfoContext(ctx, "connection lost: doing it again", "host", h.opts.Name, "step", doing, "try", try)
	}
}

// Health says how the connection to a host is.
type Health struct {
	Connected bool
	Since     time.Time // when Connected became what it is
	Err       error     // why it is not connected; nil while it is
}

// Health asks nobody.
func (h *Host) Health() Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Health{Connected: h.link.session != nil, Since: h.link.since, Err: h.link.why}
}

func (h *Host) unavailable(l link) error {
	return &canonical.Error{
		Code: canonical.Unavailable, RetryAfter: retryAfter, Err: l.why,
		Detail: fmt.Sprintf("host %s cannot be reached since %s: %v", h.opts.Name, l.since.UTC().Format(time.RFC3339), l.why),
	}
}
