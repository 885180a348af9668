package broker

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// intent is what of a create is needed to find what it made.
type intent struct {
	Names []string `json:"names,omitempty"`
}

// intentOf is what to keep of a request: of a create the names, for all else may be
// secret; what may be asked for again holds no secrets and is kept whole, but for its
// ids. Of all else nothing is needed.
func intentOf(op *canonical.Spec, request any) any {
	r, ok := request.(canonical.ServerCreate)
	if _, again := repeatable[op]; again {
		return request
	}
	if !ok {
		return intent{}
	}
	var names []string
	for i := range r.HowMany() {
		names = append(names, r.NameOf(i))
	}
	return intent{names}
}

// repeatable are the operations that may be asked for again: they say the state that
// is wanted, and here are those that they lead to; none: nothing is left.
var repeatable = map[*canonical.Spec][]canonical.ServerStatus{
	canonical.DeleteServer.Spec():        {},
	canonical.PurgeServer.Spec():         {},
	canonical.RestoreServer.Spec():       {canonical.ServerRunning, canonical.ServerStopped},
	canonical.MigrateServer.Spec():       {canonical.ServerVerifyResize},
	canonical.StartServer.Spec():         {canonical.ServerRunning},
	canonical.StopServer.Spec():          {canonical.ServerStopped},
	canonical.PauseServer.Spec():         {canonical.ServerPaused},
	canonical.UnpauseServer.Spec():       {canonical.ServerRunning},
	canonical.SuspendServer.Spec():       {canonical.ServerSuspended},
	canonical.ResumeServer.Spec():        {canonical.ServerRunning},
	canonical.ShelveServer.Spec():        {canonical.ServerShelved, canonical.ServerShelvedOffloaded},
	canonical.ShelveOffloadServer.Spec(): {canonical.ServerShelvedOffloaded},
	canonical.UnshelveServer.Spec():      {canonical.ServerRunning},
	canonical.UnrescueServer.Spec():      {canonical.ServerRunning},
	canonical.ResizeServer.Spec():        {canonical.ServerVerifyResize},
	canonical.ConfirmServerResize.Spec(): {canonical.ServerRunning, canonical.ServerStopped},
	canonical.RevertServerResize.Spec():  {canonical.ServerRunning, canonical.ServerStopped},
}

// settles says whether it can be found out what became of a call.
func settles(op *canonical.Spec) bool {
	_, again := repeatable[op]
	return again || op == canonical.CreateServer.Spec()
}

// settle finds out what became of a call whose answer was lost. It changes the
// operation to Waiting when that is known, or ends it; ended says so, and answered
// whether the cloud has answered, and yet nothing is known.
func (v *view) settle(ctx context.Context, o *store.Operation) (ended, answered bool) {
	op := canonical.Lookup(o.Operation.Operation)
	switch {
	case op == canonical.CreateServer.Spec():
		return v.settleCreate(ctx, o)
	case settles(op):
		return v.settleRepeat(ctx, op, o)
	default:
		v.end(ctx, *o, canonical.OperationFailed, nil, canonical.Errorf(canonical.Unavailable,
			"dragoman stopped while it asked the cloud, and cannot know whether the cloud began"))
		return true, true
	}
}

// silent says whether a failure leaves open what the cloud would say.
func silent(err error) bool {
	c := canonical.CodeOf(err)
	return unknown(err) || c == canonical.Unavailable || c == canonical.RateLimited
}

// settleCreate looks for what a create made. The cloud may still be at it, so that
// nothing is nothing only when the grace is over.
func (v *view) settleCreate(ctx context.Context, o *store.Operation) (ended, answered bool) {
	made, whole, err := v.findMarked(ctx, *o)
	switch {
	case err != nil:
		v.b.Log.Warn("broker: cannot settle a create", "operation", o.ID, "cloud", v.m.Name, "error", err)
		return false, !silent(err)
	case whole:
		o.Resources, o.Phase = made, store.Waiting
		o.Task = waitMade(v.m.Name, made)
		v.noteOwners(ctx, canonical.CreateServer.Spec(), string(o.ID), made)
		begin(&o.Operation, "wait")
		return !v.save(ctx, *o), false
	case !v.settled(*o):
		return false, false // it may come yet, whatever the deadline
	case len(made) > 0:
		o.Resources = made
		v.undo(ctx, o, canonical.Errorf(canonical.Timeout, "the cloud did not answer, and made only %d of the servers", len(made)))
		return false, false
	default:
		v.warn("drop an intent", v.b.Store.DropIntent(ctx, string(o.ID)))
		v.end(ctx, *o, canonical.OperationFailed, nil, canonical.Errorf(canonical.Timeout, "the cloud did not answer, and made nothing"))
		return true, true
	}
}

// waitMade is the wait for servers that are being made.
func waitMade(cloud string, servers []canonical.Resource) *canonical.Task {
	return &canonical.Task{Cloud: cloud, Resources: servers, Status: &canonical.StatusWait{Done: []canonical.ServerStatus{canonical.ServerRunning}}}
}

// findMarked are the servers that carry the operation's mark; whole: all of them.
func (v *view) findMarked(ctx context.Context, o store.Operation) (made []canonical.Resource, whole bool, err error) {
	var want intent
	if err := json.Unmarshal(o.Intent, &want); err != nil {
		return nil, false, canonical.Errorf(canonical.Internal, "read the intent: %w", err)
	}
	req := canonical.ServerList{Name: want.Names[0], ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit}}
	if len(want.Names) > 1 {
		req.Name, req.NamePrefix = "", strings.TrimSuffix(want.Names[0], "1")
	}
	for {
		call, cancel := v.deadline(ctx)
		page, err := canonical.ListServers.Do(call, v.cloud, req)
		cancel()
		if err != nil {
			return nil, false, err
		}
		for _, s := range page.Result.Items {
			if s.Metadata[v.b.mark] == string(o.ID) {
				made = append(made, canonical.Resource{Type: "server", ID: s.ID})
			}
		}
		if req.Cursor = page.Result.NextCursor; req.Cursor == "" {
			return made, len(made) >= len(want.Names), nil
		}
	}
}

// settleRepeat asks again for what may be asked for again.
func (v *view) settleRepeat(ctx context.Context, op *canonical.Spec, o *store.Operation) (ended, answered bool) {
	req := reflect.New(op.Request)
	if err := json.Unmarshal(o.Intent, req.Interface()); err != nil || len(o.Resources) == 0 {
		v.end(ctx, *o, canonical.OperationFailed, nil, canonical.Errorf(canonical.Internal, "the intent cannot be read: %v", err))
		return true, true
	}
	reply, err := v.call(ctx, canonical.Call{Op: op, Request: withTarget(req.Elem().Interface(), o.Resources[0].ID)})
	switch code := canonical.CodeOf(err); {
	case err == nil && reply.Task != nil:
		o.Task, o.Phase, o.Status = reply.Task, store.Waiting, canonical.OperationRunning
		begin(&o.Operation, "wait")
		return !v.save(ctx, *o), false
	case err == nil, code == canonical.NotFound && removes(op):
		v.finish(ctx, *o, reply.Result, nil)
		return true, true
	case code == canonical.FailedPrecondition:
		return v.settleState(ctx, op, o, err)
	case silent(err) || code == canonical.Conflict:
		return false, code == canonical.Conflict
	default:
		v.end(ctx, *o, canonical.OperationFailed, nil, err)
		return true, true
	}
}

// settleState judges a refusal to do it again: where the server has come to the
// wanted state, the lost call has done it; where it is on its way, it may yet.
func (v *view) settleState(ctx context.Context, op *canonical.Spec, o *store.Operation, refusal error) (ended, answered bool) {
	s, err := v.findServer(ctx, o.Resources[0].ID)
	switch {
	case err != nil || s != nil && s.Task != nil:
		return false, err == nil
	case s != nil && slices.Contains(repeatable[op], s.Status):
		v.finish(ctx, *o, nil, map[canonical.ID]*canonical.Server{s.ID: s})
	default:
		v.end(ctx, *o, canonical.OperationFailed, nil, refusal)
	}
	return true, true
}
