package broker

import (
	"cmp"
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// begin ends the step that is under way, if there is one, and begins another.
func begin(o *canonical.Operation, step string) {
	endStep(o, canonical.OperationSucceeded)
	now := time.Now().UTC()
	o.Steps = append(slices.Clone(o.Steps), canonical.Step{Name: step, Status: canonical.OperationRunning, StartedAt: &now})
}

func endStep(o *canonical.Operation, as canonical.OperationStatus) {
	if n := len(o.Steps); n > 0 && o.Steps[n-1].EndedAt == nil {
		now := time.Now().UTC()
		o.Steps = slices.Clone(o.Steps)
		o.Steps[n-1].Status, o.Steps[n-1].EndedAt = as, &now
	}
}

// save stores an operation; false: it has ended, or is another process's by now. A store
// that failed has not said so, and the answer is true: who goes on writes again with the
// next change, and of what has ended here but not in the store the lease ends, so that it
// is taken up and ended anew.
func (v *view) save(ctx context.Context, o store.Operation) bool {
	o.UpdatedAt = v.b.Now()
	err := v.b.Store.UpdateOperation(ctx, o)
	v.b.happened()
	if canonical.CodeOf(err) == canonical.NotFound {
		return false
	}
	v.warn("write an operation", err)
	return true
}

// end writes how an operation ended; false: it is another process's by now.
func (v *view) end(ctx context.Context, o store.Operation, as canonical.OperationStatus, result any, err error) bool {
	o.Status = as
	endStep(&o.Operation, as)
	if as == canonical.OperationSucceeded {
		o.Progress = 100
	}
	if err != nil {
		o.Error = canonical.ProblemOf(canonical.InCloud(err, v.m.Name), o.RequestID)
	}
	if _, none := result.(canonical.None); result != nil && !none {
		raw, err := json.Marshal(withoutSecrets(result))
		v.warn("keep a result", err)
		o.Result = raw
	}
	return v.save(ctx, o)
}

// withoutSecrets is a result as it may be stored: what is told once is told by the
// answer to the request alone.
func withoutSecrets(result any) any {
	switch made := result.(type) {
	case canonical.ServersCreated:
		made.Servers = slices.Clone(made.Servers)
		for i := range made.Servers {
			made.Servers[i].AdminPassword = nil
		}
		return made
	case canonical.ServerWithPassword:
		made.AdminPassword = nil
		return made
	default:
		return result
	}
}

// finish ends an operation well: with its final result, which is read from the
// cloud where neither the reply nor a look at its servers has told it. false: as end.
func (v *view) finish(ctx context.Context, o store.Operation, result any, found map[canonical.ID]*canonical.Server) bool {
	op := canonical.Lookup(o.Operation.Operation)
	v.noteOwners(ctx, op, string(o.ID), o.Resources)
	switch {
	case result != nil:
		shown, err := v.show(ctx, op, canonical.Reply{Result: result})
		v.warn("complete a result", err)
		result = shown.Result
	case !removes(op):
		result = v.final(ctx, op, o.Resources, found)
	}
	v.noteVolumes(ctx, result)
	return v.end(ctx, o, canonical.OperationSucceeded, result, nil)
}

// final is what an operation has made or changed. What cannot be read is left out:
// the work has succeeded all the same.
func (v *view) final(ctx context.Context, op *canonical.Spec, about []canonical.Resource, found map[canonical.ID]*canonical.Server) any {
	kind := shownBy(op)
	of := slices.IndexFunc(about, func(r canonical.Resource) bool { return r.Type == kind })
	if get := canonical.Lookup(kind + ".get"); kind != "server" && get != nil && get.Result == op.Result && of >= 0 {
		got, err := v.call(ctx, canonical.Call{Op: get, Request: withTarget(reflect.Zero(get.Request).Interface(), about[of].ID)})
		v.warn("read the result", err)
		return got.Result
	}
	servers, err := v.made(ctx, about, found)
	if err != nil {
		v.warn("read the result", err)
		return nil
	}
	switch {
	case op.Result == reflect.TypeFor[canonical.Server]() && len(servers) == 1:
		return servers[0]
	case op.Result == reflect.TypeFor[canonical.ServerWithPassword]() && len(servers) == 1:
		return canonical.ServerWithPassword{Server: servers[0]}
	case op.Result == reflect.TypeFor[canonical.ServersCreated]():
		created := canonical.ServersCreated{Servers: make([]canonical.ServerWithPassword, len(servers))}
		for i, s := range servers {
			created.Servers[i].Server = s
		}
		return created
	default:
		return nil
	}
}

// made are the servers that an operation is about, with their owners; whoever began the
// work sees all of them.
func (v *view) made(ctx context.Context, about []canonical.Resource, found map[canonical.ID]*canonical.Server) ([]canonical.Server, error) {
	var out []canonical.Server
	for _, r := range about {
		if r.Type != "server" {
			continue
		}
		s, err := found[r.ID], error(nil)
		if s == nil {
			s, err = v.findServer(ctx, r.ID)
		}
		if err != nil || s == nil {
			return nil, cmp.Or(err, error(canonical.Errorf(canonical.NotFound, "server %s is gone", r.ID)))
		}
		out = append(out, *s)
	}
	owners, err := v.owners(ctx, "server", out)
	for i := range out {
		seen, _ := v.see(out[i], owners)
		out[i], _ = seen.(canonical.Server)
	}
	return out, err
}

// findServer is a server as it is now, nil where the cloud says that it has none.
func (v *view) findServer(ctx context.Context, id canonical.ID) (*canonical.Server, error) {
	ctx, cancel := v.deadline(ctx)
	defer cancel()
	return canonical.FindServer(ctx, v.cloud, id)
}

// noteOwners brings the ownership rows up to date after a write.
func (v *view) noteOwners(ctx context.Context, op *canonical.Spec, intent string, about []canonical.Resource) {
	ctx = context.WithoutCancel(ctx)
	if !v.shared {
		return
	}
	for _, r := range about {
		switch {
		case r.Type == madeBy(op):
			v.warn("note an owner", v.b.Store.Own(ctx, intent, r.ID))
		case (op.Verb() == "delete" || removes(op) && op.Effect != canonical.Delete) && r.Type == op.Resource() && v.gone(ctx, r):
			v.warn("forget an owner", v.disown(ctx, r))
		}
	}
}

// disown takes a thing that is gone from its owner, who may still read of a server that
// it was deleted.
func (v *view) disown(ctx context.Context, r canonical.Resource) error {
	if r.Type == "server" {
		return v.b.Store.Bury(ctx, v.m.Name, r.Type, r.ID)
	}
	return v.b.Store.Disown(ctx, v.m.Name, r.Type, r.ID)
}

// gone says whether a deleted thing is not there any more. A server may rest in a
// recycle bin, and keeps its owner there.
func (v *view) gone(ctx context.Context, r canonical.Resource) bool {
	if r.Type != "server" {
		return true
	}
	s, err := v.findServer(ctx, r.ID)
	v.warn("see whether a server is gone", err)
	return err == nil && s == nil
}

func (v *view) warn(what string, err error) {
	if err != nil {
		v.b.Log.Error("broker: cannot "+what, "cloud", v.m.Name, "error", err)
	}
}
