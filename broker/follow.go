package broker

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// follower follows all operations of one account on one cloud to their ends. Each
// is looked at often at first and then more seldom; however many servers are waited
// for, a look costs one list.
type follower struct {
	v    *view
	work map[canonical.ID]*followed // guarded by Broker.mu
	wake chan struct{}              // there is new work
}

type followed struct {
	op    store.Operation
	pause time.Duration // before the look after the next
	next  time.Time
}

// account names what one follower follows.
type account struct{ cloud, tenant string }

// follow has the operation followed to its end, or until Close.
func (v *view) follow(o store.Operation) {
	b := v.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return // closed: the next broker on this store follows it
	}
	w := &followed{op: o, pause: b.PollFirst, next: time.Now().Add(b.PollFirst)}
	key := account{v.m.Name, v.account}
	if f, ok := b.followers[key]; ok {
		f.work[o.ID] = w
		select {
		case f.wake <- struct{}{}:
		default: // it is awake
		}
		return
	}
	f := &follower{v: v, work: map[canonical.ID]*followed{o.ID: w}, wake: make(chan struct{}, 1)}
	b.followers[key] = f
	b.wg.Go(func() { f.run(b.ctx, key) })
}

// run looks whenever something is due, and ends with its work.
func (f *follower) run(ctx context.Context, key account) {
	for {
		next, ok := f.next(key)
		if !ok {
			return
		}
		timer := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
		case <-f.wake:
		case <-timer.C:
			f.look(ctx)
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// next is when something is due; without work the follower is forgotten.
func (f *follower) next(key account) (first time.Time, ok bool) {
	f.v.b.mu.Lock()
	defer f.v.b.mu.Unlock()
	if len(f.work) == 0 {
		delete(f.v.b.followers, key)
		return first, false
	}
	for _, w := range f.work {
		if first.IsZero() || w.next.Before(first) {
			first = w.next
		}
	}
	return first, true
}

// due is what is to be looked at now. A list shows all servers, so once many are
// waited for, all of them are looked at when the first is due.
func (f *follower) due(now time.Time) (due []*followed) {
	f.v.b.mu.Lock()
	defer f.v.b.mu.Unlock()
	var waits []*followed
	servers, isDue := 0, false
	for _, w := range f.work {
		switch n := len(w.op.Task.Servers()); {
		case n > 0:
			waits, servers, isDue = append(waits, w), servers+n, isDue || w.next.Before(now)
		case w.next.Before(now):
			due = append(due, w)
		}
	}
	if !isDue {
		return due
	}
	if servers <= fewServers {
		waits = slices.DeleteFunc(waits, func(w *followed) bool { return !w.next.Before(now) })
	}
	return append(due, waits...)
}

// look asks about all that is due.
func (f *follower) look(ctx context.Context) {
	due := f.due(time.Now())
	ctx = canonical.WithCaller(ctx, canonical.Caller{Tenant: f.v.tenant, Role: canonical.Operator})
	ctx = canonical.WithOptions(ctx, canonical.Options{Fresh: true})
	var waited []canonical.ID
	for _, w := range due {
		waited = append(waited, w.op.Task.Servers()...)
	}
	found, err := f.v.servers(ctx, waited)
	var jobs sync.WaitGroup
	for _, w := range due {
		if w.op.Task.Job != "" {
			jobs.Go(func() {
				call, cancel := f.v.deadline(ctx)
				defer cancel()
				p, err := w.op.Task.Check(call, f.v.cloud)
				f.judge(ctx, w, p, err, nil)
			})
			continue
		}
		f.judge(ctx, w, w.op.Task.Judge(found), err, found)
	}
	jobs.Wait()
}

// judge notes what a look has shown of one operation, and plans the next look
// unless it has ended. A look that failed says nothing about the work.
func (f *follower) judge(ctx context.Context, w *followed, p canonical.Progress, failure error, found map[canonical.ID]*canonical.Server) {
	if ctx.Err() != nil {
		return
	}
	ended := true
	switch {
	case failure == nil && p.Verdict != canonical.TaskRunning:
		f.v.know(ctx, &w.op, p)
		if p.Verdict == canonical.TaskFailed {
			f.v.end(ctx, w.op, nil, p.Err)
		} else {
			f.v.finish(ctx, w.op, nil, found)
		}
	case time.Now().After(w.op.Deadline):
		f.v.end(ctx, w.op, nil, canonical.Errorf(canonical.Timeout, "the operation did not end in time"))
	case failure != nil:
		f.v.b.Log.Warn("broker: cannot ask about an operation", "operation", w.op.ID, "cloud", f.v.m.Name, "error", failure)
		ended = false
	default:
		ended = f.v.know(ctx, &w.op, p)
	}
	f.v.b.mu.Lock()
	defer f.v.b.mu.Unlock()
	if ended {
		delete(f.work, w.op.ID)
		return
	}
	w.pause = min(2*w.pause, f.v.b.PollMost)
	w.next = time.Now().Add(w.pause)
}

// know stores what is new about an operation; true: it has ended elsewhere.
func (v *view) know(ctx context.Context, o *store.Operation, p canonical.Progress) (ended bool) {
	named := len(p.Resources) > 0 && !slices.Equal(p.Resources, o.Resources)
	if named {
		o.Resources = p.Resources
		if op := canonical.Lookup(o.Operation.Operation); op.Effect != canonical.Delete {
			v.settle(ctx, op, string(o.ID), o.Resources)
		}
	}
	if p.Verdict != canonical.TaskRunning || !named && p.Percent == o.Progress {
		return false
	}
	o.Progress = p.Percent
	return !v.save(ctx, *o)
}

// fewServers is how many servers are asked for one by one rather than by a list.
const fewServers = 2

// servers are these servers as they are now, nil for one that the cloud does not
// have: few by asking for each, many by one list. What a list lacks may rest in a
// recycle bin, or have come after its page was read, so it is asked for.
func (v *view) servers(ctx context.Context, ids []canonical.ID) (map[canonical.ID]*canonical.Server, error) {
	found := make(map[canonical.ID]*canonical.Server, len(ids))
	if len(ids) > fewServers {
		if err := v.listInto(ctx, ids, found); err != nil && canonical.CodeOf(err) != canonical.InvalidRequest {
			return nil, err // a list too long to be read whole is no failure: see below
		}
	}
	for _, id := range ids {
		if _, ok := found[id]; ok {
			continue
		}
		call, cancel := v.deadline(ctx)
		s, err := canonical.FindServer(call, v.cloud, id)
		cancel()
		if err != nil {
			return nil, err
		}
		found[id] = s
	}
	return found, nil
}

// listInto reads the list of servers until all ids are found.
func (v *view) listInto(ctx context.Context, ids []canonical.ID, found map[canonical.ID]*canonical.Server) error {
	missing := make(map[canonical.ID]bool, len(ids))
	for _, id := range ids {
		missing[id] = true
	}
	for o := (canonical.ListOptions{Limit: canonical.MaxLimit}); len(missing) > 0; {
		call, cancel := v.deadline(ctx)
		page, err := canonical.ListServers.Do(call, v.cloud, canonical.ServerList{ListOptions: o})
		cancel()
		if err != nil {
			return err
		}
		for i := range page.Result.Items {
			if s := &page.Result.Items[i]; missing[s.ID] {
				found[s.ID] = s
				delete(missing, s.ID)
			}
		}
		if o.Cursor = page.Result.NextCursor; o.Cursor == "" {
			return nil
		}
	}
	return nil
}

// resume follows what an earlier process left. An operation whose cloud was never
// heard to take it up has failed.
func (b *Broker) resume() error {
	all, err := b.Store.Unfinished(b.ctx)
	if err != nil {
		return err
	}
	for _, o := range all {
		v, err := b.viewOf(o)
		if err != nil {
			b.Log.Error("broker: cannot open a cloud", "cloud", o.Cloud, "error", err)
		}
		if v != nil && o.Task != nil {
			v.follow(o)
			continue
		}
		gone := &view{b: b, m: Member{Name: o.Cloud}}
		gone.end(b.ctx, o, nil, canonical.Errorf(canonical.Unavailable, "dragoman stopped, and its cloud cannot be asked"))
	}
	return nil
}

// viewOf is the account that an operation was begun with; nil: it is not there any
// more.
func (b *Broker) viewOf(o store.Operation) (*view, error) {
	i := slices.IndexFunc(b.Members, func(m Member) bool { return m.Name == o.Cloud })
	if i < 0 {
		return nil, nil //nolint:nilnil // a cloud that the configuration lost is no failure here
	}
	return b.view(canonical.WithCaller(b.ctx, canonical.Caller{Tenant: o.Tenant, Role: canonical.Member}), b.Members[i])
}
