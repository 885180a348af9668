package broker

import (
	"context"
	"slices"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// watch follows an operation to its end; Close ends the watching.
func (v *view) watch(o store.Operation) { v.b.wg.Go(func() { v.follow(v.b.ctx, o) }) }

// follow asks about the work, often at first, until it ends or its time is up. A
// question that fails says nothing about the work, so it is asked again.
func (v *view) follow(ctx context.Context, o store.Operation) {
	ctx = canonical.WithCaller(ctx, canonical.Caller{Tenant: v.tenant, Role: canonical.Operator})
	ctx = canonical.WithOptions(ctx, canonical.Options{Fresh: true, RequestID: o.RequestID})
	for pause := v.b.PollFirst; ; pause = min(2*pause, v.b.PollMost) {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if time.Now().After(o.Deadline) {
			v.end(ctx, o, nil, canonical.Errorf(canonical.Timeout, "the operation did not end in time"))
			return
		}
		if v.advance(ctx, &o) {
			return
		}
	}
}

// advance asks once and notes the answer; true: the operation has ended.
func (v *view) advance(ctx context.Context, o *store.Operation) bool {
	call, cancel := v.deadline(ctx)
	defer cancel()
	p, err := o.Task.Check(call, v.cloud)
	if err != nil {
		v.b.Log.Warn("broker: cannot ask about an operation", "operation", o.ID, "cloud", v.m.Name, "error", err)
		return false
	}
	if len(p.Resources) > 0 && !slices.Equal(p.Resources, o.Resources) {
		o.Resources = p.Resources
		if op := canonical.Lookup(o.Operation.Operation); op.Effect != canonical.Delete {
			v.settle(ctx, op, string(o.ID), o.Resources)
		}
	}
	switch p.Verdict {
	case canonical.TaskSucceeded:
		v.finish(ctx, *o, nil)
		return true
	case canonical.TaskFailed:
		v.end(ctx, *o, nil, p.Err)
		return true
	case canonical.TaskRunning:
		o.Progress = p.Percent
		return !v.save(ctx, *o)
	}
	return true
}

// resume follows what an earlier process left. An operation whose cloud was never
// heard to take it up has failed.
func (b *Broker) resume() error {
	all, err := b.Store.Unfinished(b.ctx)
	if err != nil {
		return err
	}
	for _, o := range all {
		i := slices.IndexFunc(b.Members, func(m Member) bool { return m.Name == o.Cloud })
		var v *view
		if i >= 0 {
			ctx := canonical.WithCaller(b.ctx, canonical.Caller{Tenant: o.Tenant, Role: canonical.Member})
			if v, err = b.view(ctx, b.Members[i]); err != nil {
				b.Log.Error("broker: cannot open a cloud", "cloud", o.Cloud, "error", err)
			}
		}
		if v != nil && o.Task != nil {
			v.watch(o)
			continue
		}
		gone := &view{b: b, m: Member{Name: o.Cloud}}
		gone.end(b.ctx, o, nil, canonical.Errorf(canonical.Unavailable, "dragoman stopped, and its cloud cannot be asked"))
	}
	return nil
}
