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
	out.Result.Items = []canonical.Event{}
	oldest, newest, err := b.Store.KeptEvents(ctx)
	switch {
	case err != nil:
		return out, err
	case r.After < 0:
		out.Result.Last = newest
	case r.After > newest || r.After < oldest-1:
		out.Result.Gap, out.Result.Last = true, max(oldest-1, 0)
	default:
		out.Result.Last = r.After
	}
	end := time.After(time.Duration(r.Wait) * time.Millisecond)
	for {
		b.mu.Lock()
		news := b.news
		b.mu.Unlock()
		got, err := b.Store.Events(ctx, tenant, out.Result.Last, eventsAtOnce)
		if err != nil {
			return out, err
		}
		if n := len(got); n > 0 {
			out.Result.Items, out.Result.Last = got, got[n-1].ID
			return out, nil
		}
		if out.Result.Gap || r.Wait == 0 {
			return out, nil
		}
		elsewhere := time.NewTimer(eventsElsewhere)
		select {
		case <-ctx.Done():
			elsewhere.Stop()
			return out, canonical.AsError(ctx.Err())
		case <-b.ctx.Done():
			elsewhere.Stop()
			return out, nil
		case <-end:
			elsewhere.Stop()
			return out, nil
		case <-news:
		case <-elsewhere.C:
		}
		elsewhere.Stop()
	}
}
