package broker

import (
	"context"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// cancel takes an operation over from whoever has it, and begins to undo it.
func (b *Broker) cancel(ctx context.Context, id canonical.ID) (canonical.Operation, error) {
	o, err := b.Store.TakeOperation(ctx, id, b.owner)
	if canonical.CodeOf(err) == canonical.NotFound {
		err = canonical.Errorf(canonical.FailedPrecondition, "the operation has ended meanwhile")
	}
	if err != nil {
		return canonical.Operation{}, err
	}
	v, err := b.viewOf(o)
	if err != nil {
		return canonical.Operation{}, err
	}
	if v == nil {
		return canonical.Operation{}, canonical.Errorf(canonical.Unavailable, "cloud %s is not configured any more", o.Cloud)
	}
	v.undo(context.WithoutCancel(ctx), &o, nil)
	v.follow(o)
	return o.Operation, nil
}

// undo begins the removal of what a create has made. With a reason the operation ends
// as failed for it, else as cancelled.
func (v *view) undo(ctx context.Context, o *store.Operation, reason error) {
	o.Phase, o.Status = store.Undoing, canonical.OperationRunning
	if reason != nil {
		o.Error = canonical.ProblemOf(canonical.InCloud(reason, v.m.Name), o.RequestID)
	}
	endStep(&o.Operation, canonical.OperationCancelled)
	begin(&o.Operation, "undo")
	v.save(ctx, *o)
}

// undoing removes what is left of what a create made. It says whether the operation has
// ended, and whether the cloud has answered all that it was asked.
func (v *view) undoing(ctx context.Context, o *store.Operation) (ended, answered bool) {
	if len(o.Resources) == 0 {
		made, _, err := v.findMarked(ctx, *o)
		if err != nil || len(made) == 0 && !v.settled(*o) {
			v.warn("find what a create has made", err)
			return false, err != nil && !silent(err)
		}
		o.Resources = made
	}
	left := 0
	answered = true
	for _, r := range o.Resources {
		s, err := v.findServer(ctx, r.ID)
		if err == nil && (s == nil || s.Status == canonical.ServerSoftDeleted) {
			continue
		}
		left++
		if err == nil && s.Status != canonical.ServerDeleted {
			_, err = v.call(ctx, canonical.Call{Op: canonical.DeleteServer.Spec(), Request: canonical.ServerDelete{ID: r.ID}})
		}
		if code := canonical.CodeOf(err); code != canonical.NotFound {
			v.warn("remove what a create has made", err)
			answered = answered && !silent(err)
		}
	}
	if left > 0 {
		return false, answered
	}
	v.noteOwners(ctx, canonical.DeleteServer.Spec(), string(o.ID), o.Resources)
	v.warn("drop an intent", v.b.Store.DropIntent(ctx, string(o.ID)))
	if o.Error != nil {
		v.end(ctx, *o, canonical.OperationFailed, nil, nil)
	} else {
		v.end(ctx, *o, canonical.OperationCancelled, nil, nil)
	}
	return true, true
}
