package native

import (
	"context"
	"slices"

	"github.com/dragoman-cloud/dragoman/adapters/native/kvm"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// Watch calls f for every server that changes from now on, whoever changed it, one at a
// time; f must be quick.
func (c *Cloud) Watch(f func(canonical.Server)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers = append(c.watchers, f)
}

// changed passes on what a host tells. That a server is gone for good its deletion tells.
func (c *Cloud) changed(e kvm.Event) { c.tell(canonical.ID(e.ID)) }

// tell tells of a server as it is now, if we have it.
func (c *Cloud) tell(id canonical.ID) {
	c.telling.Lock()
	defer c.telling.Unlock()
	if watchers := c.listeners(); len(watchers) > 0 {
		s, err := c.server(c.ctx, id)
		if err != nil {
			return // another's domain, or we are closing
		}
		for _, f := range watchers {
			f(s)
		}
	}
}

func (c *Cloud) tellAll(j job) {
	for _, r := range j.Resources {
		if r.Type == "server" {
			c.tell(r.ID)
		}
	}
}

// tellGone tells of a server that was deleted.
func (c *Cloud) tellGone(r record) {
	c.telling.Lock()
	defer c.telling.Unlock()
	s, at := c.show(r, nil), now()
	s.Status, s.NativeStatus, s.Power, s.Task, s.DeletedAt = canonical.ServerDeleted, "gone", canonical.PowerOff, nil, &at
	for _, f := range c.listeners() {
		f(s)
	}
}

func (c *Cloud) listeners() []func(canonical.Server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.watchers)
}

// informIdle is inform for what no job works on; a job does it at its end.
func (c *Cloud) informIdle(ctx context.Context, r record) {
	if c.busyWith(canonical.ID(r.ID)) == "" {
		c.informNow(ctx, r)
	}
}

func (c *Cloud) informNow(ctx context.Context, r record) {
	if h := c.hostNamed(r.Host); h != nil {
		c.inform(ctx, h, r)
	}
}

// inform writes what may be changed of a record to the host, where it is only needed to
// recover the former.
func (c *Cloud) inform(ctx context.Context, h host, r record) {
	live := c.live(r)
	if live == nil || !h.Health().Connected || r.told(live.Record) {
		return
	}
	_, err := h.Update(ctx, r.ID, func(k *kvm.Record) {
		if newest, err := c.record(ctx, canonical.ID(r.ID)); err == nil { // updates may overtake each other
			r = newest
		}
		r.tellTo(k)
	})
	c.note("write the host's record of a server", err)
}
