package native

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func canonicalPath(list string, i int) string { return list + "." + strconv.Itoa(i) }

// admit refuses what may not be done to a server now, by the rules of Nova: it must be
// in one of these states, and not be locked.
func (c *Cloud) admit(ctx context.Context, op *canonical.Spec, id canonical.ID, from ...canonical.ServerStatus) (record, error) {
	r, err := c.record(ctx, id)
	if err != nil {
		return r, err
	}
	live := c.live(r)
	s := c.show(r, live)
	verb := op.Verb()
	switch {
	case r.lockedFor(ctx):
		return r, canonical.HinderedByLock(verb, &s)
	case s.Task == nil && *s.HostStatus == "down":
		return r, canonical.Errorf(canonical.Unavailable, "host %s is not connected", *s.Host)
	}
	if no := canonical.Hindered(verb, &s, from...); no != nil {
		return r, no
	}
	if live == nil {
		return r, canonical.Errorf(canonical.FailedPrecondition, "its host does not have the server: it can only be deleted")
	}
	return r, nil
}

// act begins a job on a server that is in one of these states.
func (c *Cloud) act(ctx context.Context, op *canonical.Spec, j job, id canonical.ID, from ...canonical.ServerStatus) (out canonical.TypedReply[canonical.Server], err error) {
	if _, err := c.admit(ctx, op, id, from...); err != nil {
		return out, err
	}
	j.Operation, j.Resources = op.Name, about("server", id)
	return c.enter(ctx, j)
}

// enter begins a job on a server; see work.
func (c *Cloud) enter(ctx context.Context, j job, first ...func(context.Context) error) (out canonical.TypedReply[canonical.Server], err error) {
	if out.Task, err = c.work(ctx, j, first...); err != nil {
		return out, err
	}
	id := j.about()
	c.tell(id)
	out.Result, err = c.server(ctx, id)
	return out, err
}

func (c *Cloud) startServer(ctx context.Context, r canonical.ServerStart) (canonical.TypedReply[canonical.Server], error) {
	return c.act(ctx, canonical.StartServer.Spec(), job{}, r.ID, canonical.ServerStopped)
}

func (c *Cloud) start(ctx context.Context, j *job) error {
	return c.onHost(ctx, j.about(), func(h host, id string) error {
		_, err := h.Start(ctx, id)
		return err
	})
}

func (c *Cloud) stopServer(ctx context.Context, r canonical.ServerStop) (canonical.TypedReply[canonical.Server], error) {
	return c.act(ctx, canonical.StopServer.Spec(), job{Force: r.Force}, r.ID, canonical.ServerRunning, canonical.ServerError)
}

func (c *Cloud) halt(ctx context.Context, j *job) error {
	return c.onHost(ctx, j.about(), func(h host, id string) error {
		_, err := h.Stop(ctx, id, j.Force)
		return err
	})
}

// rebootServer reboots: softly from running only, by the rules of Nova; hard also what
// is stopped.
func (c *Cloud) rebootServer(ctx context.Context, r canonical.ServerReboot) (canonical.TypedReply[canonical.Server], error) {
	j := job{Force: r.Kind == canonical.RebootHard}
	from := []canonical.ServerStatus{canonical.ServerRunning}
	if j.Force {
		from = append(from, canonical.ServerStopped, canonical.ServerPaused, canonical.ServerSuspended, canonical.ServerError)
	}
	return c.act(ctx, canonical.RebootServer.Spec(), j, r.ID, from...)
}

// reboot stops a server and starts it. Which half is done is stored between, so that a
// crash leads to one reboot, not to none or two.
func (c *Cloud) reboot(ctx context.Context, j *job) error {
	if !j.Off {
		if err := c.halt(ctx, j); err != nil {
			return err
		}
		j.Off = true
		if err := c.keep(ctx, *j); err != nil {
			return err
		}
	}
	return c.start(ctx, j)
}

// onHost does something to a server where it is, and notes that it has changed.
func (c *Cloud) onHost(ctx context.Context, id canonical.ID, f func(h host, id string) error) error {
	r, err := c.record(ctx, id)
	if err != nil {
		return err
	}
	h, err := c.hostOf(r)
	if err != nil {
		return err
	}
	if err := insist(ctx, h, func() error { return f(h, r.ID) }); err != nil {
		return err
	}
	if r, err = c.change(ctx, id, func(*record) error { return nil }); err != nil {
		return err
	}
	c.inform(ctx, h, r) // of what was changed meanwhile
	return nil
}

// insistences is how often work begins anew that lost its host.
const insistences = 5

// insist does f, which can be repeated, once the host is connected, and again when the
// host went away under it and is back.
func insist(ctx context.Context, h host, f func() error) (err error) {
	for range insistences {
		if err := h.Ready(ctx); err != nil {
			return err
		}
		if err = f(); canonical.CodeOf(err) != canonical.Unavailable {
			return err
		}
	}
	return err
}

// deleteServer works in every state, and again while it is under way. What is being
// made is given up.
func (c *Cloud) deleteServer(ctx context.Context, r canonical.ServerDelete) (out canonical.TypedReply[canonical.None], err error) {
	rec, err := c.record(ctx, r.ID)
	if err != nil {
		return out, err
	}
	if rec.lockedFor(ctx) {
		s := c.show(rec, nil)
		return out, canonical.HinderedByLock("delete", &s)
	}
	if _, err := c.hostOf(rec); err != nil {
		return out, err
	}
	out.Task, err = c.work(ctx, job{Operation: canonical.DeleteServer.Spec().Name, Resources: about("server", r.ID)})
	if canonical.CodeOf(err) == canonical.FailedPrecondition { // another delete is under way
		out.Task = canonical.WaitGone(r.ID)
		return out, nil
	}
	c.tell(r.ID)
	return out, err
}

// remove removes a server from its host, and then all that was kept of it.
func (c *Cloud) remove(ctx context.Context, id canonical.ID) error {
	if err := c.giveUp(ctx, id); err != nil {
		return err
	}
	r, err := c.record(ctx, id)
	if canonical.CodeOf(err) == canonical.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	h, err := c.hostOf(r)
	if err != nil {
		return err
	}
	if err := insist(ctx, h, func() error { return h.Delete(ctx, r.ID) }); err != nil {
		return err
	}
	// The record last: by it the rest is done again after a crash.
	if err := errors.Join(c.images.Release(r.Image.ID, r.ID), c.opts.Store.Unclaim(ctx, c.opts.Name, r.ID)); err != nil {
		return err
	}
	if err := c.opts.Store.DeleteObject(ctx, c.object(serverKind, r.ID)); err != nil {
		return err
	}
	c.tellGone(r)
	return nil
}

// maxConsole is how much of a console is told, in bytes.
const maxConsole = 1 << 20

func (c *Cloud) consoleOutput(ctx context.Context, r canonical.ConsoleOutputGet) (canonical.ConsoleOutput, error) {
	rec, err := c.record(ctx, r.ID)
	if err != nil {
		return canonical.ConsoleOutput{}, err
	}
	if !rec.Built || rec.Fault != nil {
		return canonical.ConsoleOutput{}, canonical.Errorf(canonical.FailedPrecondition, "the server has no console yet")
	}
	h, err := c.hostOf(rec)
	if err != nil {
		return canonical.ConsoleOutput{}, err
	}
	text, err := h.Console(ctx, rec.ID, maxConsole)
	if canonical.CodeOf(err) == canonical.NotFound {
		return canonical.ConsoleOutput{}, canonical.Errorf(canonical.FailedPrecondition, "its host does not have the server any more")
	}
	if err != nil {
		return canonical.ConsoleOutput{}, err
	}
	return canonical.ConsoleOutput{Output: strings.ToValidUTF8(string(lastLines(text, r.Lines)), "\uFFFD")}, nil
}

// lastLines are the last n lines of a text; all for 0.
func lastLines(text []byte, n int) []byte {
	if n == 0 {
		return text
	}
	end := len(bytes.TrimRight(text, "\n"))
	for i := end; n > 0; n-- {
		if i = bytes.LastIndexByte(text[:i], '\n'); i < 0 {
			return text
		}
		if n == 1 {
			return text[i+1:]
		}
	}
	return text
}
