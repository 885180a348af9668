package broker

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// do performs one call on the member, with its ownership rows and, where it is
// long, its operation.
func (v *view) do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	id := strings.ToLower(rand.Text())
	kind := call.Op.Resource()
	makes := v.shared && call.Op.Verb() == "create" && (kind == "server" || kind == "keypair")
	if makes {
		if err := v.b.Store.Intend(ctx, id, v.tenant, v.m.Name, kind); err != nil {
			return canonical.Reply{}, err
		}
	}
	var reply canonical.Reply
	var err error
	if call.Op.Long {
		reply, err = v.long(ctx, call, id)
	} else if reply, err = v.call(ctx, call); err == nil {
		v.settle(ctx, call.Op, id, resources(call, reply))
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

// show completes a result; one that the caller may not see is NotFound.
func (v *view) show(ctx context.Context, op *canonical.Spec, reply canonical.Reply) (canonical.Reply, error) {
	if created, ok := reply.Result.(canonical.ServersCreated); ok {
		for i := range created.Servers {
			created.Servers[i].Tenant = &v.tenant
		}
		return reply, nil
	}
	kind := op.Resource()
	if op.Result == reflect.TypeFor[canonical.Server]() {
		kind = "server" // the rollback of a snapshot answers its server
	}
	see, err := v.seer(ctx, kind)
	if err != nil {
		return reply, err
	}
	seen, ok := see(reply.Result)
	if !ok {
		return canonical.Reply{}, canonical.Errorf(canonical.NotFound, "there is no such %s", op.Resource())
	}
	reply.Result = seen
	return reply, nil
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
		return []canonical.Resource{{Type: call.Op.Resource(), ID: id}}
	}
	if id, kind, ok := target(call); ok {
		return []canonical.Resource{{Type: kind, ID: id}}
	}
	return []canonical.Resource{}
}

// settle brings the ownership rows up to date after a write.
func (v *view) settle(ctx context.Context, op *canonical.Spec, intent string, about []canonical.Resource) {
	ctx = context.WithoutCancel(ctx)
	if !v.shared {
		return
	}
	for _, r := range about {
		switch {
		case op.Verb() == "create" && r.Type == op.Resource():
			v.warn("note an owner", v.b.Store.Own(ctx, intent, r.ID))
		case op.Effect == canonical.Delete && r.Type == op.Resource() && v.gone(ctx, r):
			v.warn("forget an owner", v.b.Store.Disown(ctx, v.m.Name, r.Type, r.ID))
		}
	}
}

// gone says whether a deleted thing is not there any more. A server may rest in a
// recycle bin, and keeps its owner there.
func (v *view) gone(ctx context.Context, r canonical.Resource) bool {
	if r.Type != "server" {
		return true
	}
	ctx, cancel := v.deadline(ctx)
	defer cancel()
	s, err := canonical.FindServer(ctx, v.cloud, r.ID)
	v.warn("see whether a server is gone", err)
	return err == nil && s == nil
}

func (v *view) warn(what string, err error) {
	if err != nil {
		v.b.Log.Error("broker: cannot "+what, "cloud", v.m.Name, "error", err)
	}
}

// long performs a long call: its operation is stored before the cloud is asked, and
// followed when the cloud has answered.
func (v *view) long(ctx context.Context, call canonical.Call, id string) (canonical.Reply, error) {
	o, err := v.begin(ctx, call, id)
	if err != nil {
		return canonical.Reply{}, err
	}
	reply, err := v.call(ctx, call)
	ctx = context.WithoutCancel(ctx) // the cloud has begun: what it does is noted whoever waits
	if err != nil {
		v.end(ctx, o, nil, err)
		return canonical.Reply{}, err
	}
	o.Status, o.Task, o.Resources = canonical.OperationRunning, reply.Task, resources(call, reply)
	if call.Op.Effect != canonical.Delete {
		v.settle(ctx, call.Op, id, o.Resources)
	}
	if reply.Task == nil {
		v.finish(ctx, o, reply.Result, nil)
	} else {
		v.save(ctx, o)
		v.follow(o)
	}
	reply.Task = &canonical.Task{Job: o.ID, Resources: o.Resources}
	return reply, nil
}

// begin stores the operation of a call that is about to be made. It belongs to the
// tenant whose things it changes, whoever asks.
func (v *view) begin(ctx context.Context, call canonical.Call, id string) (store.Operation, error) {
	tenant := v.tenant
	if target, kind, ok := target(call); ok && v.shared {
		owner, err := v.b.Store.Owner(ctx, v.m.Name, kind, target)
		if err != nil {
			return store.Operation{}, err
		}
		tenant = cmp.Or(owner, tenant)
	}
	now := time.Now().UTC()
	o := store.Operation{Deadline: now.Add(v.b.OperationDeadline), Operation: canonical.Operation{
		ID: canonical.ID(id), Operation: call.Op.Name, Status: canonical.OperationPending, Cloud: v.m.Name,
		Resources: resources(call, canonical.Reply{}), Steps: []canonical.Step{}, Tenant: tenant,
		RequestID: canonical.OptionsOf(ctx).RequestID, CreatedAt: now, UpdatedAt: now,
	}}
	return o, v.b.Store.CreateOperation(ctx, o)
}

func (v *view) save(ctx context.Context, o store.Operation) bool {
	o.UpdatedAt = time.Now().UTC()
	err := v.b.Store.UpdateOperation(ctx, o)
	if canonical.CodeOf(err) == canonical.NotFound {
		return false // it was cancelled
	}
	v.warn("write an operation", err)
	return true
}

// end writes how an operation ended.
func (v *view) end(ctx context.Context, o store.Operation, result any, err error) {
	o.Status, o.Progress = canonical.OperationSucceeded, 100
	if err != nil {
		o.Status, o.Error = canonical.OperationFailed, canonical.ProblemOf(canonical.InCloud(err, v.m.Name), o.RequestID)
	}
	if _, none := result.(canonical.None); result != nil && !none {
		raw, err := json.Marshal(withoutSecrets(result))
		v.warn("keep a result", err)
		o.Result = raw
	}
	v.save(ctx, o)
}

// withoutSecrets is a result as it may be stored: what is told once is told by the
// answer to the request alone.
func withoutSecrets(result any) any {
	made, ok := result.(canonical.ServersCreated)
	if !ok {
		return result
	}
	made.Servers = slices.Clone(made.Servers)
	for i := range made.Servers {
		made.Servers[i].AdminPassword = nil
	}
	return made
}

// finish ends an operation well: with its final result, which is read from the
// cloud where neither the reply nor a look at its servers has told it.
func (v *view) finish(ctx context.Context, o store.Operation, result any, found map[canonical.ID]*canonical.Server) {
	op := canonical.Lookup(o.Operation.Operation)
	v.settle(ctx, op, string(o.ID), o.Resources)
	if result == nil && op.Effect != canonical.Delete {
		result = v.final(ctx, op, o.Resources, found)
	}
	v.end(ctx, o, result, nil)
}

// final is what an operation has made or changed. What cannot be read is left out:
// the work has succeeded all the same.
func (v *view) final(ctx context.Context, op *canonical.Spec, about []canonical.Resource, found map[canonical.ID]*canonical.Server) any {
	servers, err := v.made(ctx, about, found)
	if err != nil {
		v.warn("read the result", err)
		return nil
	}
	switch {
	case op.Result == reflect.TypeFor[canonical.Server]() && len(servers) == 1:
		return servers[0]
	case op.Result == reflect.TypeFor[canonical.ServersCreated]():
		created := canonical.ServersCreated{Servers: make([]canonical.ServerCreated, len(servers))}
		for i, s := range servers {
			created.Servers[i].Server = s
		}
		return created
	default:
		return nil
	}
}

// made are the servers that an operation is about, with their owners.
func (v *view) made(ctx context.Context, about []canonical.Resource, found map[canonical.ID]*canonical.Server) ([]canonical.Server, error) {
	see, err := v.seer(ctx, "server")
	if err != nil {
		return nil, err
	}
	var out []canonical.Server
	for _, r := range about {
		if r.Type != "server" {
			continue
		}
		s := found[r.ID]
		if s == nil {
			call, cancel := v.deadline(ctx)
			s, err = canonical.FindServer(call, v.cloud, r.ID)
			cancel()
		}
		if err != nil || s == nil {
			return nil, cmp.Or(err, error(canonical.Errorf(canonical.NotFound, "server %s is gone", r.ID)))
		}
		seen, _ := see(*s)                         // whoever began the work saw the server
		out = append(out, seen.(canonical.Server)) //nolint:forcetypeassert // see answers what it was given
	}
	return out, nil
}

func (b *Broker) mayOperate(ctx context.Context, tenant string) bool {
	c, o := canonical.CallerOf(ctx), canonical.OptionsOf(ctx)
	if c.Role.AtLeast(canonical.Operator) {
		return o.Tenant == "" || o.Tenant == tenant
	}
	return c.Tenant == tenant
}

func (b *Broker) getOperation(ctx context.Context, r canonical.OperationGet) (out canonical.TypedReply[canonical.Operation], err error) {
	o, err := b.Store.Operation(ctx, r.ID)
	if err == nil && !b.mayOperate(ctx, o.Tenant) {
		err = canonical.Errorf(canonical.NotFound, "there is no such operation")
	}
	if err != nil {
		return out, err
	}
	out.Result = o.Operation
	return out, nil
}

func (b *Broker) listOperations(ctx context.Context, r canonical.OperationList) (out canonical.TypedReply[canonical.Page[canonical.Operation]], err error) {
	c, opts := canonical.CallerOf(ctx), canonical.OptionsOf(ctx)
	tenant := c.Tenant
	if c.Role.AtLeast(canonical.Operator) {
		tenant = opts.Tenant
	}
	all, err := b.Store.Operations(ctx, tenant)
	if err != nil {
		return out, err
	}
	all = slices.DeleteFunc(all, func(o canonical.Operation) bool {
		about := func(x canonical.Resource) bool { return x.ID == r.Resource }
		return r.Status != "" && o.Status != r.Status || r.Operation != "" && o.Operation != r.Operation ||
			r.Resource != "" && !slices.ContainsFunc(o.Resources, about) ||
			len(opts.Clouds) > 0 && !slices.Contains(opts.Clouds, o.Cloud)
	})
	out.Result, err = canonical.Arrange(all, r.ListOptions)
	return out, err
}

// cancelOperation refuses: what a cloud was asked to do, and is doing, has no end
// but its own.
func (b *Broker) cancelOperation(ctx context.Context, r canonical.OperationCancel) (out canonical.TypedReply[canonical.Operation], err error) {
	got, err := b.getOperation(ctx, canonical.OperationGet(r))
	switch {
	case err != nil:
		return out, err
	case got.Result.Status.Final():
		return out, canonical.Errorf(canonical.FailedPrecondition, "the operation has ended as %s", got.Result.Status)
	default:
		return out, canonical.Errorf(canonical.FailedPrecondition, "the cloud is at work, and its present step cannot be ended")
	}
}
