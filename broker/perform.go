package broker

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// do performs one call on the member, with its ownership rows and, where it is
// long, its operation.
func (v *view) do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	request, err := v.keepMark(ctx, v.ownNative(ctx, call.Request))
	if err != nil {
		return canonical.Reply{}, err
	}
	call.Request = request
	id := strings.ToLower(rand.Text())
	kind := madeBy(call.Op)
	makes := v.shared && owned[kind]
	if makes {
		if err := v.b.Store.Intend(ctx, id, v.tenant, v.m.Name, kind); err != nil {
			return canonical.Reply{}, err
		}
	}
	var reply canonical.Reply
	if call.Op.Long {
		reply, err = v.long(ctx, call, id)
	} else if reply, err = v.call(ctx, call); err == nil {
		v.noteOwners(ctx, call.Op, id, resources(call, reply))
	}
	if err != nil {
		if makes && !unknown(err) {
			v.warn("drop an intent", v.b.Store.DropIntent(context.WithoutCancel(ctx), id))
		}
		return canonical.Reply{}, err
	}
	return v.show(ctx, call.Op, reply)
}

// unknown says whether a failed write may have happened all the same.
func unknown(err error) bool {
	c := canonical.CodeOf(err)
	return c == canonical.Timeout || c == canonical.Canceled || c == canonical.UpstreamError
}

// answered says whether a failure is the cloud's own word. A create that failed so is
// a failure to its caller, and what it may have made all the same is removed; one that
// was not answered goes on, and is settled.
func answered(err error) bool {
	e := canonical.AsError(err)
	return e.Upstream != nil && e.Upstream.Status != 0
}

// long performs a long call. The operation is stored before the cloud is asked, and
// followed when the cloud has answered, whether or not the caller still waits.
func (v *view) long(ctx context.Context, call canonical.Call, id string) (canonical.Reply, error) {
	o, err := v.begin(ctx, call, id)
	if err != nil {
		return canonical.Reply{}, err
	}
	type outcome struct {
		reply canonical.Reply
		err   error
	}
	asked := make(chan outcome, 1)
	if !v.b.goes(o.ID, func() {
		reply, err := v.ask(context.WithoutCancel(ctx), o, call)
		asked <- outcome{reply, err}
	}) {
		return canonical.Reply{}, canonical.Errorf(canonical.Unavailable, "dragoman is stopping")
	}
	select {
	case got := <-asked:
		return got.reply, got.err
	case <-ctx.Done():
		return canonical.Reply{}, canonical.AsError(ctx.Err())
	}
}

// ask makes the call of an operation and notes what came of it.
func (v *view) ask(ctx context.Context, o store.Operation, call canonical.Call) (canonical.Reply, error) {
	reply, err := v.callMarked(ctx, o, call)
	switch {
	case err != nil && unknown(err) && !answered(err) && settles(call.Op):
		o.Status = canonical.OperationRunning
		begin(&o.Operation, "settle")
		v.hold(ctx, o)
	case err != nil && unknown(err) && call.Op.Name == createServer:
		v.undo(ctx, &o, err)
		v.follow(o)
		return canonical.Reply{}, err
	case err != nil:
		v.end(ctx, o, canonical.OperationFailed, nil, err)
		return canonical.Reply{}, err
	case reply.Task == nil:
		o.Resources = resources(call, reply)
		if !v.finish(ctx, o, reply.Result, nil) {
			v.cleanUp(ctx, o)
		}
	default:
		o.Status, o.Phase, o.Task, o.Resources = canonical.OperationRunning, store.Waiting, reply.Task, resources(call, reply)
		begin(&o.Operation, "wait")
		if !removes(call.Op) {
			v.noteOwners(ctx, call.Op, string(o.ID), o.Resources)
		}
		v.hold(ctx, o)
	}
	reply.Task = &canonical.Task{Job: o.ID, Resources: o.Resources}
	return reply, nil
}

// callMarked makes the call with the mark of its operation. A cloud whose servers take
// no metadata of ours refuses it without beginning, and gets the call without.
func (v *view) callMarked(ctx context.Context, o store.Operation, call canonical.Call) (canonical.Reply, error) {
	plain := call.Request
	call.Request = v.b.marked(plain, o.ID)
	reply, err := v.call(ctx, call)
	e := canonical.AsError(err)
	if e == nil || e.Code != canonical.InvalidRequest && e.Code != canonical.Unsupported {
		return reply, err
	}
	if !slices.ContainsFunc(e.Fields, func(f canonical.FieldError) bool { return strings.HasPrefix(f.Field, "metadata") }) {
		return reply, err
	}
	call.Request = plain
	return v.call(ctx, call)
}

// hold stores an operation that goes on, and follows it.
func (v *view) hold(ctx context.Context, o store.Operation) {
	if v.save(ctx, o) {
		v.follow(o)
	} else {
		v.b.wg.Go(func() { v.cleanUp(ctx, o) }) // who called is of wg, too
	}
}

// cleanUp is for an operation that has become another's while this one made its call:
// another process's, or one that is being undone. It finds what was made by its mark, if
// it has one; so what this one knows to be made goes on in its hands. But if the other
// has given up, what was made is nobody's, and is removed.
func (v *view) cleanUp(ctx context.Context, o store.Operation) {
	kept, err := v.b.Store.Operation(ctx, o.ID)
	v.warn("read an operation", err)
	if err != nil || kept.Status == canonical.OperationSucceeded || o.Operation.Operation != createServer {
		return
	}
	if !kept.Status.Final() && (len(o.Resources) == 0 || kept.Phase == store.Waiting || v.takeBack(ctx, o)) {
		return
	}
	if len(o.Resources) == 0 {
		o.Resources = v.cameLate(ctx, o)
	}
	for _, r := range o.Resources {
		_, err := v.call(ctx, canonical.Call{Op: canonical.DeleteServer.Spec(), Request: canonical.ServerDelete{ID: r.ID}})
		v.warn("remove a server that came too late", err)
	}
}

// takeBack follows an operation that another has, with what its call has told; false:
// it has ended.
func (v *view) takeBack(ctx context.Context, o store.Operation) bool {
	kept, err := v.b.Store.TakeOperation(ctx, o.ID, v.b.owner)
	if err != nil {
		v.warn("take an operation back", err)
		return canonical.CodeOf(err) != canonical.NotFound
	}
	kept.Resources = o.Resources
	if kept.Phase == store.Asking {
		kept.Status, kept.Phase, kept.Task = canonical.OperationRunning, store.Waiting, waitMade(v.m.Name, o.Resources)
		begin(&kept.Operation, "wait")
	}
	v.hold(ctx, kept)
	return true
}

// cameLate are the servers of a create that was not answered, and that nobody waits for
// any more: this process stood still while it asked, so the cloud may get the call as
// late as now.
func (v *view) cameLate(ctx context.Context, o store.Operation) []canonical.Resource {
	for end := time.Now().Add(v.grace()); ; {
		made, _, err := v.findMarked(ctx, o)
		v.warn("look for servers that came too late", err)
		if len(made) > 0 || time.Now().After(end) {
			return made
		}
		select {
		case <-v.b.ctx.Done():
			return nil
		case <-time.After(min(v.b.PollMost, time.Second)):
		}
	}
}

var createServer = canonical.CreateServer.Spec().Name

// begin stores the operation of a call that is about to be made. It belongs to the
// tenant whose things it changes, whoever asks.
func (v *view) begin(ctx context.Context, call canonical.Call, id string) (store.Operation, error) {
	tenant := v.tenant
	if target, kind, ok := target(call); ok && v.shared {
		owner, err := v.b.Store.Owner(ctx, v.m.Name, kind, target)
		if err != nil {
			return store.Operation{}, err
		}
		if owner != "" {
			tenant = owner
		}
	}
	intent, err := json.Marshal(intentOf(call.Op, call.Request))
	if err != nil {
		return store.Operation{}, canonical.Errorf(canonical.Internal, "keep the intent: %w", err)
	}
	now := v.b.Now()
	o := store.Operation{Phase: store.Asking, Intent: intent, Deadline: now.Add(v.b.OperationDeadline), Repeat: canonical.OptionsOf(ctx).Repeat, Operation: canonical.Operation{
		ID: canonical.ID(id), Operation: call.Op.Name, Status: canonical.OperationPending, Cloud: v.m.Name,
		Resources: resources(call, canonical.Reply{}), Steps: []canonical.Step{}, Tenant: tenant,
		RequestID: canonical.OptionsOf(ctx).RequestID, CreatedAt: now, UpdatedAt: now,
	}}
	begin(&o.Operation, "ask")
	err = v.b.Store.CreateOperation(ctx, o, v.b.owner)
	v.b.happened()
	return o, err
}

// resources are what a call was about, as far as its request and reply tell.
func resources(call canonical.Call, reply canonical.Reply) []canonical.Resource {
	if reply.Task != nil && len(reply.Task.Resources) > 0 {
		return reply.Task.Resources
	}
	switch r := reply.Result.(type) {
	case canonical.ServersCreated:
		out := make([]canonical.Resource, len(r.Servers))
		for i, s := range r.Servers {
			out[i] = canonical.Resource{Type: "server", ID: s.ID}
		}
		return out
	case canonical.Listed:
		id, _, _ := r.ListKeys()
		return []canonical.Resource{{Type: shownBy(call.Op), ID: id}}
	}
	if id, kind, ok := target(call); ok {
		return []canonical.Resource{{Type: kind, ID: id}}
	}
	return []canonical.Resource{}
}

// show completes a result; one that the caller may not see is NotFound.
func (v *view) show(ctx context.Context, op *canonical.Spec, reply canonical.Reply) (canonical.Reply, error) {
	if created, ok := reply.Result.(canonical.ServersCreated); ok {
		created.Servers = slices.Clone(created.Servers)
		for i := range created.Servers {
			s := &created.Servers[i].Server
			s.Tenant, s.Metadata = &v.tenant, v.b.withoutMark(s.Metadata)
		}
		reply.Result = created
		return reply, nil
	}
	kind := shownBy(op)
	if _, ok := reply.Result.(canonical.Server); ok {
		kind = "server" // also what acts on a snapshot answers the server
	}
	seen, ok, err := v.seeOne(ctx, kind, reply.Result)
	if err != nil {
		return reply, err
	}
	if !ok {
		return canonical.Reply{}, canonical.Errorf(canonical.NotFound, "there is no such %s", op.Resource())
	}
	reply.Result = seen
	return reply, nil
}
