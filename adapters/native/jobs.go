package native

import (
	"context"
	"strings"
	"time"

	"crypto/rand"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// keepJobs is how long a job that has ended can be asked about.
const keepJobs = 24 * time.Hour

// job is long work as it is kept.
type job struct {
	ID        canonical.ID
	Operation string
	Resources []canonical.Resource
	Status    canonical.OperationStatus
	Error     *canonical.Problem
	Force     bool // of a stop
	BegunAt   time.Time
	EndedAt   time.Time
}

// work begins a job: it is stored, the servers that it is about are busy with task
// ("": they are not), and run is called. The store's last word on the job is how run
// ended, unless the cloud is closed first: then the next process takes the job up.
func (c *Cloud) work(ctx context.Context, j job, task string, run func(context.Context) error) (*canonical.Task, error) {
	j.ID, j.Status, j.BegunAt = canonical.ID(strings.ToLower(rand.Text())), canonical.OperationRunning, now()
	if !c.occupy(j, task) {
		return nil, canonical.Errorf(canonical.FailedPrecondition, "the server is busy: %s", c.busyWith(j.Resources[0].ID))
	}
	if err := c.opts.Store.AddObject(ctx, c.object(jobKind, string(j.ID)), j); err != nil {
		c.release(j)
		return nil, err
	}
	c.run(j, run)
	return &canonical.Task{Job: j.ID, Resources: j.Resources}, nil
}

// run performs a job whose servers are busy with it.
func (c *Cloud) run(j job, run func(context.Context) error) {
	c.wg.Go(func() {
		err := run(c.ctx)
		c.release(j)
		if c.ctx.Err() != nil {
			return
		}
		j.Status, j.EndedAt = canonical.OperationSucceeded, now()
		if err != nil {
			j.Status, j.Error = canonical.OperationFailed, canonical.ProblemOf(err, "")
			c.opts.Log.Warn("native: a job failed", "operation", j.Operation, "resources", j.Resources, "error", err)
		}
		c.note("end a job", c.opts.Store.SetObject(c.ctx, c.object(jobKind, string(j.ID)), j))
	})
}

// note logs a failure that changes nothing for who asked.
func (c *Cloud) note(what string, err error) {
	if err != nil && c.ctx.Err() == nil {
		c.opts.Log.Error("native: cannot "+what, "error", err)
	}
}

// occupy makes the servers of a job busy, all or none.
func (c *Cloud) occupy(j job, task string) bool {
	if task == "" {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range j.Resources {
		if c.busy[r.ID] != "" {
			return false
		}
	}
	for _, r := range j.Resources {
		c.busy[r.ID], c.jobs[r.ID] = task, j.ID
	}
	return true
}

func (c *Cloud) release(j job) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range j.Resources {
		if c.jobs[r.ID] == j.ID { // a delete may have gone before it
			delete(c.busy, r.ID)
			delete(c.jobs, r.ID)
		}
	}
}

func (c *Cloud) busyWith(id canonical.ID) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busy[id]
}

// getJob answers a job as an operation.
func (c *Cloud) getJob(ctx context.Context, r canonical.OperationGet) (o canonical.Operation, err error) {
	var j job
	if err := c.opts.Store.GetObject(ctx, c.object(jobKind, string(r.ID)), &j); err != nil {
		return o, err
	}
	o = canonical.Operation{
		ID: j.ID, Operation: j.Operation, Status: j.Status, Resources: j.Resources, Steps: []canonical.Step{}, Error: j.Error,
		CreatedAt: j.BegunAt, UpdatedAt: j.BegunAt,
	}
	if j.Status.Final() {
		o.Progress, o.UpdatedAt = 100, j.EndedAt
	}
	return o, nil
}

// resume takes up the jobs that an earlier process left, and forgets old ones.
func (c *Cloud) resume(ctx context.Context) error {
	jobs, err := store.Objects[job](ctx, c.opts.Store, c.opts.Name, jobKind)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		switch {
		case j.Status.Final() && now().Sub(j.EndedAt) > keepJobs:
			if err := c.opts.Store.DeleteObject(ctx, c.object(jobKind, string(j.ID))); err != nil {
				return err
			}
		case !j.Status.Final():
			task, run := c.again(j)
			c.occupy(j, task)
			c.run(j, run)
		}
	}
	return nil
}

// again is what is left to do of a job that was cut short.
func (c *Cloud) again(j job) (task string, run func(context.Context) error) {
	id := canonical.ID("")
	if len(j.Resources) > 0 {
		id = j.Resources[0].ID
	}
	switch canonical.Lookup(j.Operation) {
	case canonical.CreateServer.Spec():
		return building, func(ctx context.Context) error { return c.buildAll(ctx, j.Resources) }
	case canonical.DeleteServer.Spec():
		return deleting, func(ctx context.Context) error { return c.remove(ctx, id) }
	case canonical.StopServer.Spec():
		return stopping, func(ctx context.Context) error { return c.stopNow(ctx, id, j.Force) }
	case canonical.StartServer.Spec(), canonical.RebootServer.Spec():
		return starting, func(ctx context.Context) error { return c.startNow(ctx, id) }
	default:
		return "", func(context.Context) error {
			return canonical.Errorf(canonical.Unavailable, "dragoman stopped before it was done")
		}
	}
}
