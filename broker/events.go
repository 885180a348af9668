package broker

import (
	"context"
	"encoding/json"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

const (
	eventsAtOnce = 100
	// eventsElsewhere is how soon the events of other processes are noticed.
	eventsElsewhere = time.Second
)

// happened wakes all who wait for events.
func (b *Broker) happened() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.news)
	b.news = make(chan struct{})
}

// say tells of a server.
func (b *Broker) say(ctx context.Context, s canonical.Server, tenant string) {
	data, err := json.Marshal(s)
	if err == nil {
		err = b.Store.Say(ctx, canonical.Event{Type: canonical.ServerEvent, Tenant: tenant, Data: data})
	}
	b.report("tell of a server", err)
	b.happened()
}

// noticed tells of a server that changed by itself, to its owner.
func (b *Broker) noticed(cloud string, s canonical.Server) {
	s = canonical.MapIDs(s, "server", func(_ string, id canonical.ID) canonical.ID { return canonical.MakeID(cloud, string(id)) })
	owner, err := b.Store.Owner(b.ctx, cloud, "server", s.ID)
	if err != nil {
		b.report("find the owner of a server", err)
		return
	}
	s.Cloud, s.Metadata = cloud, b.withoutMark(s.Metadata)
	if s.Tenant = nil; owner != "" {
		s.Tenant = &owner
	}
	b.say(b.ctx, s, owner)
}

// listEvents answers the events after one, of the caller's tenant or of the one that
// an operator names, and waits for some where there are none.
func (b *Broker) listEvents(ctx context.Context, r canonical.EventList) (out canonical.TypedReply[canonical.Events], err error) {
	caller, opts := canonical.CallerOf(ctx), canonical.OptionsOf(ctx)
	tenant := caller.Tenant
	if opts.Tenant != "" && caller.Role.AtLeast(canonical.Operator) {
		tenant = opts.Tenant
	}
	if out.Result, err = b.eventsFrom(ctx, r.After); err != nil {
		return out, err
	}
	end := time.After(time.Duration(r.Wait) * time.Millisecond)
	for {
		news := b.nextNews()
		got, err := b.Store.Events(ctx, tenant, out.Result.Last, eventsAtOnce)
		switch n := len(got); {
		case err != nil:
			return out, err
		case n > 0:
			out.Result.Items, out.Result.Last = got, got[n-1].ID
			return out, nil
		case out.Result.Gap || r.Wait == 0:
			return out, nil
		}
		if more, err := b.listen(ctx, news, end); !more {
			return out, err
		}
	}
}

// eventsFrom is where the events after one begin: negative, behind the newest; not
// known, at the oldest that is kept, and with a gap.
func (b *Broker) eventsFrom(ctx context.Context, after int64) (canonical.Events, error) {
	oldest, newest, err := b.Store.KeptEvents(ctx)
	from := canonical.Events{Items: []canonical.Event{}, Last: after}
	switch {
	case after < 0:
		from.Last = newest
	case after > newest || after < oldest-1:
		from.Gap, from.Last = true, max(oldest-1, 0)
	}
	return from, err
}

// nextNews is closed when the next event has happened.
func (b *Broker) nextNews() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.news
}

// listen waits until there may be events. There is no more to come when the time or
// the broker ends, and when the caller is gone.
func (b *Broker) listen(ctx context.Context, news <-chan struct{}, end <-chan time.Time) (more bool, err error) {
	elsewhere := time.NewTimer(eventsElsewhere)
	defer elsewhere.Stop()
	select {
	case <-ctx.Done():
		return false, canonical.AsError(ctx.Err())
	case <-b.ctx.Done():
		return false, nil
	case <-end:
		return false, nil
	case <-news:
	case <-elsewhere.C:
	}
	return true, nil
}
