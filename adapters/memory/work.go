package memory

import (
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// job is long work on one server, or on something that has no server. Jobs wait in the order in which they end, for
// all of a cloud's work takes the same time.
type job struct {
	due    time.Time
	server *server
	turn   int // of the server when the job began; later work cancels earlier
	op     *canonical.Spec
	finish func()
}

// begin starts work on s: task is shown until it ends, then finish is called with
// the lock held. It says whether the work is still under way.
func (c *Cloud) begin(op *canonical.Spec, s *server, task string, finish func()) bool {
	now := c.now()
	s.turn++
	s.Task, s.UpdatedAt = &task, &now
	if c.opts.Stuck != nil && c.opts.Stuck(op, s.copy()) {
		return true
	}
	j := job{due: now.Add(c.opts.Delay), server: s, turn: s.turn, op: op, finish: finish}
	if c.opts.Delay <= 0 {
		c.end(j)
		return false
	}
	c.queue = append(c.queue, j)
	return true
}

// settle finishes all work whose time has come.
func (c *Cloud) settle() {
	c.purgeDue(c.now())
	if len(c.queue) == 0 {
		return
	}
	now, n := c.now(), 0
	for n < len(c.queue) && !c.queue[n].due.After(now) {
		c.end(c.queue[n])
		c.queue[n] = job{}
		n++
	}
	c.queue = c.queue[n:]
}

// after has finish called, with the lock held, when work that is about no server is
// done. It says whether the work is still under way.
func (c *Cloud) after(op *canonical.Spec, finish func()) bool {
	j := job{due: c.now().Add(c.opts.Delay), op: op, finish: finish}
	if c.opts.Delay <= 0 {
		c.end(j)
		return false
	}
	c.queue = append(c.queue, j)
	return true
}

func (c *Cloud) end(j job) {
	s := j.server
	if s == nil {
		j.finish()
		return
	}
	if s.turn != j.turn {
		return
	}
	now := j.due
	s.Task, s.UpdatedAt, s.Progress = nil, &now, 100
	if c.opts.Outcome != nil && canFail(j.op) {
		if fault := c.opts.Outcome(j.op, s.copy()); fault != nil {
			f := *fault
			f.At = &now
			s.Fault = &f
			s.rest(canonical.ServerError, s.Power)
			c.noteEnd(s)
			return
		}
	}
	s.Fault = nil
	j.finish()
	c.noteEnd(s)
}

// canFail says whether the outcome of an operation is asked for.
func canFail(op *canonical.Spec) bool {
	return op.Effect != canonical.Delete && op != canonical.CreateServerSnapshot.Spec() &&
		op != canonical.CreateServerImage.Spec() && op != canonical.CreateServerBackup.Spec() && op != canonical.PurgeServer.Spec()
}
