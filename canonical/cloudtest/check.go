package cloudtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// check is one running test. It gathers failures instead of reporting them, for a
// declared deviation turns them round.
type check struct {
	*suite
	ctx      context.Context //nolint:containedctx // the test's own, for its life
	failures []string
	skipped  string
	undo     []func(*check)
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
	for _, undo := range slices.Backward(k.undo) {
		k.perform(undo)
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

// code fails the test unless err has one of these codes.
func (k *check) code(what string, err error, want ...canonical.Code) {
	if got := canonical.CodeOf(err); !slices.Contains(want, got) {
		k.errorf("%s: got code %q (%v), want %q", what, got, err, want)
	}
}

// refused fails the test unless err is InvalidRequest and names the field.
func (k *check) refused(what string, err error, field string) {
	k.code(what, err, canonical.InvalidRequest)
	if e := canonical.AsError(err); e != nil && e.Code == canonical.InvalidRequest &&
		!slices.ContainsFunc(e.Fields, func(f canonical.FieldError) bool { return f.Field == field }) {
		k.errorf("%s: the error names the fields %v, not %s: %v", what, e.Fields, field, err)
	}
}

// do performs an operation, waits for its task, and ends the test if either fails.
func do[Req, Res any](k *check, op canonical.Op[Req, Res], req Req) Res {
	r, err := op.Do(k.ctx, k.cloud, req)
	if err != nil {
		k.fatalf("%s: %v", op.Spec().Name, err)
	}
	if r.Task == nil || !reflect.ValueOf(r.Result).IsZero() { // a Task may tell the result later
		k.whole(op.Spec().Name, r.Result)
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

// await waits for a task; its failure is the error.
func (k *check) await(t *canonical.Task) error {
	if t == nil {
		return nil
	}
	for pause := k.h.First; ; pause = min(2*pause, k.h.Most) {
		p, err := t.Check(k.ctx, k.cloud)
		switch _, again := canonical.Retryable(err); {
		case k.ctx.Err() != nil:
			return fmt.Errorf("it did not end: %w", k.ctx.Err())
		case err != nil && !again:
			return err
		case err == nil && p.Verdict == canonical.TaskSucceeded:
			return nil
		case err == nil && p.Verdict == canonical.TaskFailed:
			return p.Err
		}
		k.pause(pause)
	}
}

func (k *check) pause(d time.Duration) {
	if k.h.Pause != nil {
		k.h.Pause(d)
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-k.ctx.Done():
	}
}

// parallel runs parts of the test at once and gathers their failures; each part
// removes what it made.
func (k *check) parallel(n int, part func(p *check, i int)) {
	parts, done := make([]*check, n), make(chan struct{})
	for i := range parts {
		parts[i] = &check{suite: k.suite, ctx: k.ctx}
		go func() {
			defer func() { done <- struct{}{} }()
			parts[i].perform(func(p *check) { part(p, i) })
			parts[i].cleanUp()
		}()
	}
	for range parts {
		<-done
	}
	for _, p := range parts {
		k.failures = append(k.failures, p.failures...)
	}
}

// name is a name that nothing else has.
func (k *check) name(what string) string {
	return "cloudtest-" + what + "-" + strings.ToLower(rand.Text()[:8])
}

// request is a create with the harness's flavor, image and network.
func (k *check) request(name string) canonical.ServerCreate {
	if k.h.Flavor == "" {
		k.h.Flavor = first(k, canonical.ListFlavors, canonical.FlavorList{}, func(f canonical.Flavor) canonical.ID { return f.ID })
	}
	if k.h.Image == "" {
		k.h.Image = first(k, canonical.ListImages, canonical.ImageList{}, func(i canonical.Image) canonical.ID { return i.ID })
	}
	if k.h.Network == "" {
		k.h.Network = first(k, canonical.ListNetworks, canonical.NetworkList{}, func(n canonical.Network) canonical.ID { return n.ID })
	}
	return canonical.ServerCreate{
		Name: name, Flavor: k.h.Flavor, Image: k.h.Image, Networks: canonical.Networks{
			Mode: canonical.NetworksList, List: []canonical.NetworkChoice{{Network: k.h.Network}},
		},
	}
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
	ids, err := k.tryCreate(r)
	if err != nil {
		k.fatalf("server.create: %v", err)
	}
	if len(ids) != r.HowMany() {
		k.fatalf("server.create named %d servers, not %d", len(ids), r.HowMany())
	}
	return ids
}

func (k *check) tryCreate(r canonical.ServerCreate) ([]canonical.ID, error) {
	reply, err := canonical.CreateServer.Do(k.ctx, k.cloud, r)
	if err != nil {
		return nil, err
	}
	var ids []canonical.ID
	for _, s := range reply.Result.Servers {
		ids = append(ids, s.ID)
	}
	if len(ids) == 0 && reply.Task != nil { // the task names them in the end
		err = k.await(reply.Task)
		ids, reply.Task = k.made("server", reply.Task), nil
	}
	k.undo = append(k.undo, func(k *check) { k.deleteAll(ids) })
	if err == nil {
		err = k.await(reply.Task)
	}
	return ids, err
}

// made are the things of a kind that a finished task names.
func (k *check) made(kind string, t *canonical.Task) []canonical.ID {
	p, err := t.Check(k.ctx, k.cloud)
	if err != nil {
		k.errorf("the task cannot be asked what it made: %v", err)
	}
	var ids []canonical.ID
	for _, r := range p.Resources {
		if r.Type == kind {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// server makes one server.
func (k *check) server(what string) canonical.ID { return k.create(k.request(k.name(what)))[0] }

// deleteAll begins to delete servers; the end of the suite waits for it.
func (k *check) deleteAll(ids []canonical.ID) {
	for _, id := range ids {
		r, err := canonical.DeleteServer.Do(k.ctx, k.cloud, canonical.ServerDelete{ID: id})
		switch {
		case canonical.CodeOf(err) == canonical.NotFound:
		case err != nil:
			k.errorf("cleaning up server %s: %v", id, err)
		default:
			k.suite.note(id, r.Task)
		}
	}
}

func (s *suite) note(id canonical.ID, t *canonical.Task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deleting == nil {
		s.deleting = map[canonical.ID]*canonical.Task{}
	}
	s.deleting[id] = t
}

// awaitDeletes waits until what tests left is gone.
func (k *check) awaitDeletes() {
	for id, t := range k.deleting {
		if err := k.await(t); err != nil {
			k.errorf("cleaning up server %s: the task: %v", id, err)
		}
	}
}

func (k *check) get(id canonical.ID) canonical.Server {
	return do(k, canonical.GetServer, canonical.ServerGet{ID: id})
}

// named are the servers of a name.
func (k *check) named(name string) []canonical.Server {
	return do(k, canonical.ListServers, canonical.ServerList{Name: name}).Items
}

// is fails the test unless the server has come to rest in that state.
func (k *check) is(id canonical.ID, want canonical.ServerStatus) {
	if s := k.get(id); s.Status != want || s.Task != nil {
		k.errorf("server %s is %s (task %v), want %s", id, s.Status, s.Task, want)
	}
}

// gone fails the test unless the server is not there, or rests in a recycle bin.
func (k *check) gone(id canonical.ID) {
	r, err := canonical.GetServer.Do(k.ctx, k.cloud, canonical.ServerGet{ID: id})
	switch {
	case err != nil:
		k.code("server.get after server.delete", err, canonical.NotFound)
	case r.Result.Status != canonical.ServerSoftDeleted:
		k.errorf("after its deletion server %s is %s", id, r.Result.Status)
	}
}
