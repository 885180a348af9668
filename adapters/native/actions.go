package native

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func canonicalPath(list string, i int) string { return list + "." + strconv.Itoa(i) }

// act begins a job on a server that is in one of these states.
func (c *Cloud) act(ctx context.Context, j job, id canonical.ID, task string, from []canonical.ServerStatus, run func(context.Context) error) (out canonical.TypedReply[canonical.Server], err error) {
	s, err := c.server(ctx, id)
	switch {
	case err != nil:
		return out, err
	case s.Task != nil:
		return out, canonical.Errorf(canonical.FailedPrecondition, "the server is busy: %s", *s.Task)
	case *s.HostStatus == "down":
		return out, canonical.Errorf(canonical.Unavailable, "host %s is not connected", *s.Host)
	case !slices.Contains(from, s.Status):
		return out, canonical.Errorf(canonical.FailedPrecondition, "the server is %s", s.Status)
	}
	j.Resources = about("server", id)
	if out.Task, err = c.work(ctx, j, task, run); err != nil {
		return out, err
	}
	out.Result, err = c.server(ctx, id)
	return out, err
}

func (c *Cloud) startServer(ctx context.Context, r canonical.ServerStart) (canonical.TypedReply[canonical.Server], error) {
	j := job{Operation: canonical.StartServer.Spec().Name}
	return c.act(ctx, j, r.ID, starting, []canonical.ServerStatus{canonical.ServerStopped}, func(ctx context.Context) error {
		return c.startNow(ctx, r.ID)
	})
}

func (c *Cloud) startNow(ctx context.Context, id canonical.ID) error {
	return c.onHost(ctx, id, func(r record) error {
		_, err := c.host(r.Host).Start(ctx, r.ID)
		return err
	})
}

func (c *Cloud) stopServer(ctx context.Context, r canonical.ServerStop) (canonical.TypedReply[canonical.Server], error) {
	j := job{Operation: canonical.StopServer.Spec().Name, Force: r.Force}
	return c.act(ctx, j, r.ID, stopping, []canonical.ServerStatus{canonical.ServerRunning}, func(ctx context.Context) error {
		return c.stopNow(ctx, r.ID, r.Force)
	})
}

func (c *Cloud) stopNow(ctx context.Context, id canonical.ID, force bool) error {
	return c.onHost(ctx, id, func(r record) error {
		_, err := c.host(r.Host).Stop(ctx, r.ID, force)
		return err
	})
}

// rebootServer reboots: softly from running only, by the rules of Nova; hard also what
// is stopped.
func (c *Cloud) rebootServer(ctx context.Context, r canonical.ServerReboot) (canonical.TypedReply[canonical.Server], error) {
	j, from := job{Operation: canonical.RebootServer.Spec().Name}, []canonical.ServerStatus{canonical.ServerRunning}
	if r.Kind == canonical.RebootHard {
		from = append(from, canonical.ServerStopped, canonical.ServerPaused, canonical.ServerSuspended, canonical.ServerError)
	}
	return c.act(ctx, j, r.ID, rebooting, from, func(ctx context.Context) error {
		return c.onHost(ctx, r.ID, func(rec record) error {
			h := c.host(rec.Host)
			if live := c.live(rec); r.Kind == canonical.RebootHard && live != nil && live.Status == canonical.ServerStopped {
				_, err := h.Start(ctx, rec.ID)
				return err
			}
			_, err := h.Reboot(ctx, rec.ID, r.Kind)
			return err
		})
	})
}

// onHost does something to a server where it is, and notes that it has changed.
func (c *Cloud) onHost(ctx context.Context, id canonical.ID, f func(record) error) error {
	r, err := c.record(ctx, id)
	if err != nil {
		return err
	}
	if err := c.host(r.Host).Ready(ctx); err != nil {
		return err
	}
	if err := f(r); err != nil {
		return err
	}
	_, err = c.change(ctx, id, func(*record) error { return nil })
	return err
}

// deleteServer works in every state, and again while it is under way. What is being
// made is not waited for: the making ends first, and then what it made is removed.
func (c *Cloud) deleteServer(ctx context.Context, r canonical.ServerDelete) (out canonical.TypedReply[canonical.None], err error) {
	if _, err := c.record(ctx, r.ID); err != nil {
		return out, err
	}
	if c.busyWith(r.ID) == deleting {
		out.Task = canonical.WaitGone(r.ID)
		return out, nil
	}
	j := job{Operation: canonical.DeleteServer.Spec().Name, Resources: about("server", r.ID)}
	c.mu.Lock()
	delete(c.busy, r.ID) // a delete goes before all else
	c.mu.Unlock()
	out.Task, err = c.work(ctx, j, deleting, func(ctx context.Context) error { return c.remove(ctx, r.ID) })
	return out, err
}

// remove removes a server from its host, and then all that was kept of it.
func (c *Cloud) remove(ctx context.Context, id canonical.ID) error {
	r, err := c.record(ctx, id)
	if canonical.CodeOf(err) == canonical.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	h := c.host(r.Host)
	if h == nil {
		return canonical.Errorf(canonical.FailedPrecondition, "host %s is not configured any more", r.Host)
	}
	if err := h.Ready(ctx); err != nil {
		return err
	}
	if err := h.Delete(ctx, r.ID); err != nil {
		return err
	}
	return errors.Join(
		c.images.Release(r.Image.ID, r.ID), c.opts.Store.Unclaim(ctx, c.opts.Name, r.ID),
		c.opts.Store.DeleteObject(ctx, c.object(serverKind, r.ID)),
	)
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
	text, err := c.host(rec.Host).Console(ctx, rec.ID, maxConsole)
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
