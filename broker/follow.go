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
	v     *view // of the tenant whose operation it is; the follower's is of who came first
	op    store.Operation
	pause time.Duration // before the look after the next
	next  time.Time
	seen  map[canonical.ID]canonical.Server // as events told of them last
}

// waits are the servers whose states the operation waits for.
func (w *followed) waits() []canonical.ID {
	if w.op.Phase != store.Waiting {
		return nil
	}
	return w.op.Task.Servers()
}

// account names what one follower follows.
type account struct{ cloud, tenant string }

// follow has the operation followed to its end, or until Close.
func (v *view) follow(o store.Operation) {
	b := v.b
	own, err := b.viewOf(o)
	if v.warn("open the account of an operation", err); own == nil {
		own = v
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return // closed: the next broker on this store follows it
	}
	w := &followed{v: own, op: o, pause: b.PollFirst, next: time.Now().Add(b.PollFirst), seen: map[canonical.ID]canonical.Server{}}
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
		switch n := len(w.waits()); {
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

// look asks about all that is due: about servers by one list, about all else one by
// one at the same time.
func (f *follower) look(ctx context.Context) {
	due := f.due(time.Now())
	ctx = canonical.WithCaller(ctx, canonical.Caller{Tenant: f.v.tenant, Role: canonical.Operator})
	ctx = canonical.WithOptions(ctx, canonical.Options{Fresh: true})
	var waits []*followed
	var servers []canonical.ID
	var others sync.WaitGroup
	for _, w := range due {
		if ids := w.waits(); len(ids) > 0 {
			waits, servers = append(waits, w), append(servers, ids...)
			continue
		}
		others.Go(func() { f.plan(ctx, w, f.step(ctx, w)) })
	}
	found, err := f.v.servers(ctx, servers)
	for _, w := range waits {
		f.plan(ctx, w, f.judge(ctx, w, w.withoutDeleted(ctx, found).Judge(found), err, found))
	}
	others.Wait()
}

// step takes an operation one step on that is not a wait for servers; true: it has
// ended.
func (f *follower) step(ctx context.Context, w *followed) (ended bool) {
	switch w.op.Phase {
	case store.Asking: // without an answer it has no end, for what the cloud made would be nobody's
		ended, answered := w.v.settle(ctx, &w.op)
		return ended || answered && w.v.late(ctx, w.op)
	case store.Undoing:
		ended, answered := w.v.undoing(ctx, &w.op)
		return ended || answered && w.v.late(ctx, w.op)
	case store.Waiting:
	}
	call, cancel := w.v.deadline(ctx)
	defer cancel()
	p, err := w.op.Task.Check(call, w.v.cloud)
	return f.judge(ctx, w, p, err, nil)
}

// judge notes what a look has shown of one operation; true: it has ended. A look that
// failed says nothing about the work.
func (f *follower) judge(ctx context.Context, w *followed, p canonical.Progress, failure error, found map[canonical.ID]*canonical.Server) (ended bool) {
	switch {
	case ctx.Err() != nil:
		return false
	case failure == nil && p.Verdict == canonical.TaskFailed:
		w.v.know(ctx, &w.op, p)
		f.tell(ctx, w, found)
		if w.op.Operation.Operation == createServer && len(w.op.Resources) > 1 { // all or none
			w.v.undo(ctx, &w.op, p.Err)
			return false
		}
		w.v.end(ctx, w.op, canonical.OperationFailed, nil, p.Err)
		return true
	case failure == nil && p.Verdict == canonical.TaskSucceeded:
		w.v.know(ctx, &w.op, p)
		f.tell(ctx, w, found)
		w.v.finish(ctx, w.op, nil, found)
		return true
	case w.v.late(ctx, w.op):
		return true
	case failure != nil:
		w.v.b.Log.Warn("broker: cannot ask about an operation", "operation", w.op.ID, "cloud", w.v.m.Name, "error", failure)
		return false
	default:
		f.tell(ctx, w, found)
		return w.v.know(ctx, &w.op, p)
	}
}

// withoutDeleted is the task of the operation, which from now on is not about those of
// the servers of a create that were deleted meanwhile by operations of their own: the
// others are wanted all the same. One that nobody asked to delete has failed.
func (w *followed) withoutDeleted(ctx context.Context, found map[canonical.ID]*canonical.Server) *canonical.Task {
	all := w.op.Task.Resources
	if w.op.Operation.Operation != createServer || len(all) < 2 {
		return w.op.Task
	}
	left := slices.DeleteFunc(slices.Clone(all), func(r canonical.Resource) bool {
		s, asked := found[r.ID]
		return asked && (s == nil || s.Status == canonical.ServerSoftDeleted) && w.v.isDeleted(ctx, r.ID)
	})
	if n := len(left); n > 0 && n < len(all) {
		task := *w.op.Task
		task.Resources = left
		w.op.Task = &task
	}
	return w.op.Task
}

// isDeleted says whether the cloud was asked to delete the server, and has not refused.
func (v *view) isDeleted(ctx context.Context, id canonical.ID) bool {
	all, err := v.b.Store.Operations(ctx, store.OperationFilter{Clouds: []string{v.m.Name}, Resource: id})
	v.warn("see whether a server was to be deleted", err)
	return slices.ContainsFunc(all, func(o canonical.Operation) bool {
		op := canonical.Lookup(o.Operation)
		return op != nil && op.Resource() == "server" && removes(op) && o.Status != canonical.OperationFailed
	})
}

// late ends an operation whose time is over.
func (v *view) late(ctx context.Context, o store.Operation) bool {
	if ctx.Err() != nil || v.b.Now().Before(o.Deadline) {
		return false
	}
	v.end(ctx, o, canonical.OperationFailed, nil, canonical.Errorf(canonical.Timeout, "the operation did not end in time"))
	return true
}

// seldom is how many times longer the longest pause is when the time of an operation is
// over and its cloud does not answer.
const seldom = 12

// plan sets the time of the next look, or lets go of an operation that has ended.
func (f *follower) plan(ctx context.Context, w *followed, ended bool) {
	f.v.b.mu.Lock()
	defer f.v.b.mu.Unlock()
	if f.work[w.op.ID] != w {
		return // it was taken anew, to be undone
	}
	if ended && ctx.Err() == nil {
		delete(f.work, w.op.ID)
		return
	}
	most := f.v.b.PollMost
	if f.v.b.Now().After(w.op.Deadline) {
		most *= seldom
	}
	w.pause = min(2*w.pause, most)
	w.next = time.Now().Add(w.pause)
}

// tell tells of the servers whose states have changed.
func (f *follower) tell(ctx context.Context, w *followed, found map[canonical.ID]*canonical.Server) {
	for _, id := range w.waits() {
		last, known := w.seen[id]
		now := last
		switch s := found[id]; {
		case s != nil:
			now = *s
		case known:
			now.Status, now.Task = canonical.ServerDeleted, nil
		default:
			continue
		}
		if known && now.Status == last.Status && now.Power == last.Power && (now.Task == nil) == (last.Task == nil) {
			continue
		}
		now.Tenant, now.Metadata = &w.op.Tenant, f.v.b.withoutMark(now.Metadata)
		w.seen[id] = now
		f.v.b.say(ctx, now, w.op.Tenant)
	}
}

// know stores what is new about an operation; true: it has ended elsewhere.
func (v *view) know(ctx context.Context, o *store.Operation, p canonical.Progress) (ended bool) {
	named := len(p.Resources) > 0 && !slices.Equal(p.Resources, o.Resources)
	if named {
		o.Resources = p.Resources
		if op := canonical.Lookup(o.Operation.Operation); !removes(op) {
			v.noteOwners(ctx, op, string(o.ID), o.Resources)
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
		s, err := v.findServer(ctx, id)
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
