package cloudtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// check is one running test. It gathers failures instead of reporting them, for a
// declared deviation turns them round.
type check struct {
	h        Harness
	ctx      context.Context //nolint:containedctx // the test's own, for its life
	cloud    canonical.Cloud
	failures []string
	skipped  string
	undo     []func()
}

// stop ends a test early.
type stop struct{}

func (k *check) perform(run func(*check)) {
	defer func() {
		if r := recover(); r != nil {
			if _, ours := r.(stop); !ours {
				panic(r)
			}
		}
	}()
	run(k)
}

// cleanUp removes what the test made, last made first.
func (k *check) cleanUp() {
	ctx, cancel := context.WithTimeout(k.h.Context(), k.h.Timeout)
	defer cancel()
	k.ctx = ctx
	for i := len(k.undo) - 1; i >= 0; i-- {
		k.perform(func(*check) { k.undo[i]() })
	}
}

func (k *check) errorf(format string, args ...any) {
	k.failures = append(k.failures, fmt.Sprintf(format, args...))
}

func (k *check) fatalf(format string, args ...any) {
	k.errorf(format, args...)
	panic(stop{})
}

// needs skips the test where an operation is not offered; the test "support" holds
// such a cloud to its refusal.
func (k *check) needs(ops ...*canonical.Spec) {
	for _, op := range ops {
		if s := k.cloud.Support(k.ctx, op); s.Level == canonical.No {
			k.skipped = fmt.Sprintf("%s is not offered: %s", op.Name, s.Reason)
			panic(stop{})
		}
	}
}

// code fails the test unless err has that code.
func (k *check) code(what string, err error, want canonical.Code) {
	if got := canonical.CodeOf(err); got != want {
		k.errorf("%s: got code %q (%v), want %q", what, got, err, want)
	}
}

// do performs an operation, waits for its task, and ends the test if either fails.
func do[Req, Res any](k *check, op canonical.Op[Req, Res], req Req) Res {
	r, err := op.Do(k.ctx, k.cloud, req)
	if err != nil {
		k.fatalf("%s: %v", op.Spec().Name, err)
	}
	if err := k.await(r.Task); err != nil {
		k.fatalf("%s: the task: %v", op.Spec().Name, err)
	}
	return r.Result
}

// try performs an operation and gives its error, be it at once or of the task.
func try[Req, Res any](k *check, op canonical.Op[Req, Res], req Req) error {
	r, err := op.Do(k.ctx, k.cloud, req)
	if err != nil {
		return err
	}
	return k.await(r.Task)
}

func (k *check) await(t *canonical.Task) error {
	if t == nil {
		return nil
	}
	p, err := t.Await(k.ctx, k.cloud, k.h.First, k.h.Most)
	switch {
	case err != nil:
		return err
	case p.Verdict == canonical.TaskFailed:
		return p.Err
	default:
		return nil
	}
}

// name is a name that nothing else has.
func (k *check) name(what string) string {
	return "cloudtest-" + what + "-" + strings.ToLower(rand.Text()[:8])
}

// request is a create with the harness's flavor, image and network.
func (k *check) request(name string) canonical.ServerCreate {
	r := canonical.ServerCreate{Name: name, Flavor: k.h.Flavor, Image: k.h.Image}
	if r.Flavor == "" {
		r.Flavor = first(k, canonical.ListFlavors, canonical.FlavorList{}, func(f canonical.Flavor) canonical.ID { return f.ID })
	}
	if r.Image == "" {
		r.Image = first(k, canonical.ListImages, canonical.ImageList{}, func(i canonical.Image) canonical.ID { return i.ID })
	}
	network := k.h.Network
	if network == "" {
		network = first(k, canonical.ListNetworks, canonical.NetworkList{}, func(n canonical.Network) canonical.ID { return n.ID })
	}
	r.Networks = canonical.Networks{Mode: canonical.NetworksList, List: []canonical.NetworkChoice{{Network: network}}}
	return r
}

// first is the id of the first item of a list.
func first[Req, T any](k *check, op canonical.Op[Req, canonical.Page[T]], req Req, id func(T) canonical.ID) canonical.Ref {
	items := do(k, op, req).Items
	if len(items) == 0 {
		k.fatalf("%s is empty", op.Spec().Name)
	}
	return canonical.Ref(id(items[0]))
}

// create makes servers, waits until they run, and has them deleted in the end.
func (k *check) create(r canonical.ServerCreate) []canonical.ID {
	reply, err := canonical.CreateServer.Do(k.ctx, k.cloud, r)
	if err != nil {
		k.fatalf("server.create: %v", err)
	}
	var ids []canonical.ID
	for _, s := range reply.Result.Servers {
		ids = append(ids, s.ID)
	}
	k.undo = append(k.undo, func() { k.deleteAll(ids) })
	if reply.Task != nil {
		p, err := reply.Task.Await(k.ctx, k.cloud, k.h.First, k.h.Most)
		if len(ids) == 0 {
			ids = serversOf(p.Resources)
		}
		if err != nil || p.Verdict != canonical.TaskSucceeded {
			k.fatalf("server.create: the task ended as %s: %v, %v", p.Verdict, err, p.Err)
		}
	}
	if len(ids) != r.HowMany() {
		k.fatalf("server.create named %d servers, not %d", len(ids), r.HowMany())
	}
	return ids
}

func serversOf(all []canonical.Resource) []canonical.ID {
	var ids []canonical.ID
	for _, r := range all {
		if r.Type == "server" {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// server makes one server.
func (k *check) server(what string) canonical.ID { return k.create(k.request(k.name(what)))[0] }

func (k *check) deleteAll(ids []canonical.ID) {
	for _, id := range ids {
		if err := try(k, canonical.DeleteServer, canonical.ServerDelete{ID: id}); err != nil && canonical.CodeOf(err) != canonical.NotFound {
			k.errorf("cleaning up server %s: %v", id, err)
		}
	}
}

func (k *check) get(id canonical.ID) canonical.Server {
	return do(k, canonical.GetServer, canonical.ServerGet{ID: id})
}

// is fails the test unless the server has come to rest in that state.
func (k *check) is(id canonical.ID, want canonical.ServerStatus) {
	if s := k.get(id); s.Status != want || s.Task != nil {
		k.errorf("server %s is %s (task %v), want %s", id, s.Status, s.Task, want)
	}
}
