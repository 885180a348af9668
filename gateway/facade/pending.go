package facade

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// Pauses between questions about work whose answer must be known: the first, and the
// longest.
const (
	firstLook = 50 * time.Millisecond
	mostLook  = time.Second
)

// cancelLimit bounds what is done for a request whose time is over.
const cancelLimit = 10 * time.Second

// known is reply once it tells what the dialect's answer names: a cloud may answer a
// create with only a job (docs/adr/0006). It waits, within Options.Patience and the
// request's deadline, until the work names what it makes; what does not in time is
// cancelled, for the client will not learn of it.
func (f *Facade) known(ctx context.Context, row *translate.Route, call canonical.Call, reply canonical.Reply) (canonical.Reply, error) {
	if reply.Result != nil || reply.Task == nil || reply.Task.Job == "" || !row.TellsResult() || call.Op.Result == reflect.TypeFor[canonical.None]() {
		return reply, nil
	}
	if call.Op.Verb() != "create" {
		return f.reread(ctx, call, reply)
	}
	task := *reply.Task
	err := f.named(ctx, call.Op, &task)
	if err != nil && canonical.CodeOf(err) != canonical.NotFound {
		err = f.abandon(ctx, call.Op, &task, err)
	}
	reply.Task = &task
	return reply, err
}

// reread gives a write without a result that of the thing as it is now.
func (f *Facade) reread(ctx context.Context, call canonical.Call, reply canonical.Reply) (canonical.Reply, error) {
	get := canonical.Lookup(call.Op.Resource() + ".get")
	if get == nil || !holds(call.Op.Result, get.Result) {
		return reply, nil
	}
	req := reflect.New(get.Request).Elem()
	req.FieldByName("ID").SetString(string(translate.IDOf(call.Request)))
	now, err := f.do(ctx, canonical.Call{Op: get, Request: req.Interface()})
	if err != nil || get.Result == call.Op.Result {
		reply.Result = now.Result
		return reply, err
	}
	whole := reflect.New(call.Op.Result).Elem()
	whole.Field(0).Set(reflect.ValueOf(now.Result))
	reply.Result = whole.Interface()
	return reply, nil
}

// holds says whether a result is a thing of that type, or begins with one.
func holds(result, thing reflect.Type) bool {
	return result == thing || result.Kind() == reflect.Struct && result.NumField() > 0 &&
		result.Field(0).Anonymous && result.Field(0).Type == thing
}

// named waits until the task names something of the operation's kind.
func (f *Facade) named(ctx context.Context, op *canonical.Spec, task *canonical.Task) error {
	ctx, cancel := context.WithTimeoutCause(ctx, f.o.Patience, errPatience)
	defer cancel()
	for pause := firstLook; ; pause = min(2*pause, mostLook) {
		if has(task, op) {
			return nil
		}
		p, err := task.Check(ctx, f.o.Cloud)
		if len(p.Resources) > 0 {
			task.Resources = p.Resources
		}
		_, again := canonical.Retryable(err)
		switch {
		case ctx.Err() != nil:
			return late(ctx)
		case err != nil && !again:
			return err
		case err != nil || p.Verdict == canonical.TaskRunning:
		case p.Verdict == canonical.TaskFailed:
			return failed(op, p.Err)
		case !has(task, op):
			return canonical.Errorf(canonical.UpstreamError, "the work has ended and does not name what it has made")
		}
		if !has(task, op) && !sleep(ctx, pause) {
			return late(ctx)
		}
	}
}

// errPatience is the end of Options.Patience.
var errPatience = canonical.Errorf(canonical.Timeout, "the cloud has not named what it makes in time")

// late is the failure of a wait that ended before its work: by our patience, by the
// request's deadline, or because the client went away.
func late(ctx context.Context) error { return canonical.AsError(context.Cause(ctx)) }

// failed is why work failed, said as the operation itself would have.
func failed(op *canonical.Spec, err *canonical.Error) error {
	if err == nil {
		return canonical.Errorf(canonical.UpstreamError, "the work failed")
	}
	e := *err
	e.Operation = op.Name
	return &e
}

func has(task *canonical.Task, op *canonical.Spec) bool {
	return slices.ContainsFunc(task.Resources, func(r canonical.Resource) bool { return r.Type == op.Resource() })
}

// abandon cancels work that is given up for cause, so that nothing is left behind.
// Work that ended well before it could be cancelled is not given up: then the cause is
// gone.
func (f *Facade) abandon(ctx context.Context, op *canonical.Spec, task *canonical.Task, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelLimit)
	defer cancel()
	_, err := canonical.CancelOperation.Do(ctx, f.o.Cloud, canonical.OperationCancel{ID: task.Job})
	if err == nil {
		return cause
	}
	p, lost := task.Check(ctx, f.o.Cloud)
	switch {
	case lost == nil && p.Verdict == canonical.TaskFailed:
		return cause
	case lost == nil && p.Verdict == canonical.TaskSucceeded:
		if task.Resources = p.Resources; has(task, op) {
			return nil
		}
	}
	f.o.Log.WarnContext(ctx, "facade: work that was given up goes on", "operation", task.Job, "error", err)
	return cause
}
