package kvm

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/digitalocean/go-libvirt"
)

// link is the connection as others see it; Host.mu guards it.
type link struct {
	session *session      // nil while there is none
	changed chan struct{} // closed and replaced when session changes
	why     error         // why there is none
	since   time.Time
}

var errNotYet = errors.New("not connected yet")

func (h *Host) setLink(s *session, why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if (s != nil) != (h.link.session != nil) {
		h.link.since = time.Now()
	}
	close(h.link.changed)
	h.link = link{session: s, changed: make(chan struct{}), why: why, since: h.link.since}
}

// Ready waits until the host is connected and its servers are known.
func (h *Host) Ready(ctx context.Context) error {
	for {
		h.mu.Lock()
		now, closed := h.link, h.closed
		h.mu.Unlock()
		switch {
		case closed:
			return errClosed
		case now.session != nil:
			return nil
		}
		select {
		case <-now.changed:
		case <-ctx.Done():
			return errors.Join(h.unavailable(now), ctx.Err())
		case <-h.ctx.Done():
			return errClosed
		}
	}
}

// session is the connection, for which it waits until ConnectWait has passed since it was
// lost: where the host has been away for longer nobody is kept waiting.
func (h *Host) session(ctx context.Context) (*session, error) {
	until := time.Now()
	if is := h.Health(); !is.Connected {
		until = is.Since
	}
	wait, cancel := context.WithDeadline(ctx, until.Add(h.opts.ConnectWait))
	defer cancel()
	for {
		if err := h.Ready(wait); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, err
		}
		h.mu.Lock()
		s := h.link.session
		h.mu.Unlock()
		if s != nil && !s.pipe.ended() {
			return s, nil
		}
		if s != nil { // dead, and the owner has not noticed yet
			h.dropped(s)
		}
	}
}

// dropped takes a dead session out of use.
func (h *Host) dropped(s *session) {
	h.mu.Lock()
	mine := h.link.session == s
	h.mu.Unlock()
	if mine {
		h.setLink(nil, errors.Join(errLost, s.pipe.whyEnded()))
	}
}

// own keeps the connection until the host is closed.
func (h *Host) own() {
	for attempt := 0; h.ctx.Err() == nil; attempt++ {
		s, err := h.connect(h.ctx)
		if err == nil {
			if err = h.serve(s); lost(err) {
				attempt = 0
			}
		}
		h.setLink(nil, err)
		if h.ctx.Err() == nil {
			h.opts.Log.Warn("libvirt is not connected", "host", h.opts.Name, "uri", h.addr.text, "attempt", attempt, "error", err)
			pause(h.ctx, h.backoff(attempt))
		}
	}
}

// backoff doubles from BackoffMin to BackoffMax; the upper half of each pause is
// chance, so that many who lost the same host do not return as one.
func (h *Host) backoff(attempt int) time.Duration {
	d := h.opts.BackoffMax
	if attempt < 30 {
		d = min(h.opts.BackoffMin<<attempt, d)
	}
	return d/2 + rand.N(d/2+1) //nolint:gosec // no secret depends on it
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// serve uses a connection until it ends. The error tells why, and is lost if it ended
// after it had been of use.
func (h *Host) serve(s *session) error {
	defer s.close()
	ev, end, err := h.subscribe(s)
	if err != nil {
		return err
	}
	defer end()
	if err := h.reconcile(s, true); err != nil {
		return err
	}
	h.setLink(s, nil)
	h.opts.Log.Info("libvirt is connected", "host", h.opts.Name, "uri", h.addr.text)
	h.spawn(h.cleanUp)
	return errors.Join(errLost, h.follow(s, ev))
}

// events are what libvirt tells of domains.
type events = <-chan libvirt.DomainEventLifecycleMsg

// subscribe registers for events until end is called, which closes the connection and
// returns when the library has let go of it.
func (h *Host) subscribe(s *session) (ev events, end func(), err error) {
	// The context must outlast the connection: when an event comes while its context
	// ends the library deadlocks. And it must end after it: when the connection ends
	// during the registration the library waits for events for ever.
	ctx, cancel := context.WithCancel(context.Background())
	got := make(chan events, 1)
	drain := func() { // the library ends only when all was read
		select {
		case ev := <-got:
			for range ev {
			}
		default:
		}
	}
	end = func() {
		s.close()
		<-s.api.Disconnected()
		cancel()
		drain()
	}
	ev, err = asOwner(h, s, func(a api) (events, error) {
		ev, err := a.LifecycleEvents(ctx)
		if err != nil {
			return nil, err
		}
		got <- ev
		if ctx.Err() != nil { // end came first
			drain()
		}
		return ev, nil
	})
	if err != nil {
		end()
	}
	return ev, end, err
}

// follow keeps the table true while the connection lasts.
func (h *Host) follow(s *session, ev events) error {
	tick := time.NewTicker(h.opts.ReconcileEvery)
	defer tick.Stop()
	for {
		var err error
		select {
		case e, ok := <-ev:
			if !ok {
				return s.pipe.whyEnded()
			}
			if id, ours := h.idOf(e.Dom.Name); ours {
				err = h.look(s, id)
			}
		case <-tick.C:
			err = h.reconcile(s, false)
		case <-s.pipe.dead:
			return s.pipe.whyEnded()
		case <-h.ctx.Done():
			return h.ctx.Err()
		}
		switch {
		case answered(err): // the next reading may tell more
			h.opts.Log.Warn("libvirt did not tell how a server is", "host", h.opts.Name, "error", err)
		case err != nil:
			return err
		}
	}
}

// ownerLimit is how long the owner's own calls may take: they are short, so one that
// is not means that the host is gone.
const ownerLimit = 15 * time.Second

// asOwner is a call of the owner's; see ask.
func asOwner[T any](h *Host, s *session, f func(api) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(h.ctx, ownerLimit)
	defer cancel()
	return ask(ctx, s, h.spawn, ownerLimit, f)
}
