package native

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/native/kvm"
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
	Force     bool                    // of a stop, and of a hard reboot
	Off       bool                    // of a reboot or a resize: the first half is done
	On        bool                    // of a resize: the server ran
	Flavor    *canonical.ServerFlavor `json:",omitempty"` // of a resize: what it becomes
	URL       string                  `json:"-"`          // of an import: it may hold secrets
	BegunAt   time.Time
	EndedAt   time.Time
}

// about is the server or image that the job is about, where it is about one.
func (j *job) about() canonical.ID {
	if len(j.Resources) == 0 {
		return ""
	}
	return j.Resources[0].ID
}

// tasks are what servers are busy with during an operation.
var tasks = map[*canonical.Spec]string{
	canonical.CreateServer.Spec(): building,
	canonical.DeleteServer.Spec(): deleting,
	canonical.StartServer.Spec():  starting,
	canonical.StopServer.Spec():   stopping,
	canonical.RebootServer.Spec(): rebooting,

	canonical.PauseServer.Spec():         pausing,
	canonical.UnpauseServer.Spec():       unpausing,
	canonical.SuspendServer.Spec():       saving,
	canonical.ResumeServer.Spec():        resuming,
	canonical.ResizeServer.Spec():        resizing,
	canonical.ConfirmServerResize.Spec(): verifying,
	canonical.RevertServerResize.Spec():  reverting,
}

func (j *job) task() string { return tasks[canonical.Lookup(j.Operation)] }

// perform does the work of a job. It can be repeated after a crash at any point.
func (c *Cloud) perform(ctx context.Context, j *job) error {
	switch canonical.Lookup(j.Operation) {
	case canonical.CreateServer.Spec():
		return c.buildAll(ctx, j.Resources)
	case canonical.DeleteServer.Spec():
		return c.remove(ctx, j.about())
	case canonical.StartServer.Spec():
		return c.start(ctx, j)
	case canonical.StopServer.Spec():
		return c.halt(ctx, j)
	case canonical.RebootServer.Spec():
		return c.reboot(ctx, j)
	case canonical.PauseServer.Spec():
		return c.onHost(ctx, j.about(), func(h host, id string) error { return errorOf(h.Pause(ctx, id)) })
	case canonical.UnpauseServer.Spec():
		return c.onHost(ctx, j.about(), func(h host, id string) error { return errorOf(h.Unpause(ctx, id)) })
	case canonical.SuspendServer.Spec():
		return c.onHost(ctx, j.about(), func(h host, id string) error { return errorOf(h.Suspend(ctx, id)) })
	case canonical.ResumeServer.Spec():
		return c.start(ctx, j)
	case canonical.ResizeServer.Spec(), canonical.RevertServerResize.Spec():
		return c.reshape(ctx, j)
	case canonical.ConfirmServerResize.Spec():
		return c.confirm(ctx, j)
	case canonical.ImportImage.Spec():
		return c.fetchImage(ctx, j)
	default:
		return canonical.Errorf(canonical.Internal, "no job does %s", j.Operation)
	}
}

// work begins a job: the servers that it is about are busy, what is to come first is
// done, the job is stored and performed. The store's last word on it is how that ended,
// unless the cloud is closed first: then the next process takes the job up.
func (c *Cloud) work(ctx context.Context, j job, first ...func(context.Context) error) (*canonical.Task, error) {
	j.ID, j.Status, j.BegunAt = canonical.ID(strings.ToLower(rand.Text())), canonical.OperationRunning, now()
	if task := c.occupy(j); task != "" {
		return nil, canonical.Errorf(canonical.FailedPrecondition, "the server is busy: %s", task)
	}
	for _, f := range append(first, func(ctx context.Context) error {
		return c.opts.Store.AddObject(ctx, c.object(jobKind, string(j.ID)), j)
	}) {
		if err := f(ctx); err != nil {
			if j.Flavor != nil {
				c.note("give back what a resize claimed", c.claimAgain(j.about()))
			}
			c.release(j)
			return nil, err
		}
	}
	c.run(j)
	return &canonical.Task{Job: j.ID, Resources: j.Resources}, nil
}

// run performs a job whose servers are busy with it.
func (c *Cloud) run(j job) {
	c.spawn(func() {
		err := c.perform(c.ctx, &j)
		c.release(j)
		if c.ctx.Err() != nil {
			return
		}
		c.tellAll(j)
		j.Status, j.EndedAt = canonical.OperationSucceeded, now()
		if err != nil {
			j.Status, j.Error = canonical.OperationFailed, canonical.ProblemOf(err, "")
			c.opts.Log.Warn("native: a job failed", "operation", j.Operation, "resources", j.Resources, "error", err)
		}
		c.note("end a job", c.keep(c.ctx, j))
	})
}

func (c *Cloud) keep(ctx context.Context, j job) error {
	return c.opts.Store.SetObject(ctx, c.object(jobKind, string(j.ID)), j)
}

// spawn runs f, which Close waits for; once the cloud is closed it does nothing.
func (c *Cloud) spawn(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.wg.Go(f)
	}
}

// note logs a failure that changes nothing for who asked.
func (c *Cloud) note(what string, err error) {
	if err != nil && c.ctx.Err() == nil {
		c.opts.Log.Error("native: cannot "+what, "error", err)
	}
}

// occupy makes the servers of a job busy, all or none; then it answers with what they
// are busy already. A delete goes before all but another delete.
func (c *Cloud) occupy(j job) (busy string) {
	task := j.task()
	if task == "" {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range j.Resources {
		if is := c.busy[r.ID]; is != "" && (task != deleting || is == deleting) {
			return is
		}
	}
	for _, r := range j.Resources {
		c.busy[r.ID], c.jobs[r.ID] = task, j.ID
	}
	return ""
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

// unfinished are the jobs that have not ended; those that ended long ago are forgotten.
func (c *Cloud) unfinished(ctx context.Context) ([]job, error) {
	jobs, err := store.Objects[job](ctx, c.opts.Store, c.opts.Name, jobKind)
	if err != nil {
		return nil, err
	}
	ended := func(j job) bool { return j.Status.Final() }
	for _, j := range jobs {
		if ended(j) && now().Sub(j.EndedAt) > keepJobs {
			if err := c.opts.Store.DeleteObject(ctx, c.object(jobKind, string(j.ID))); err != nil {
				return nil, err
			}
		}
	}
	return slices.DeleteFunc(jobs, ended), nil
}

// forget forgets old jobs every now and then.
func (c *Cloud) forget(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-tick.C:
			_, err := c.unfinished(c.ctx)
			c.note("forget old jobs", err)
		}
	}
}

// resume takes up the jobs that an earlier process left, and forgets old ones and what
// creates left that were never answered.
func (c *Cloud) resume(ctx context.Context) error {
	jobs, err := c.unfinished(ctx)
	if err != nil {
		return err
	}
	if err := c.settle(ctx, jobs); err != nil {
		return err
	}
	// Deletes come last, for they go before all else.
	slices.SortStableFunc(jobs, func(a, b job) int { return rank(a) - rank(b) })
	for _, j := range jobs {
		c.occupy(j)
		c.run(j)
	}
	return nil
}

func rank(j job) int {
	if j.task() == deleting {
		return 1
	}
	return 0
}

// settle forgets what creates left that were cut short before they had a job: nobody
// was told of them, and nothing of them is on a host.
func (c *Cloud) settle(ctx context.Context, jobs []job) error {
	records, err := store.Objects[record](ctx, c.opts.Store, c.opts.Name, serverKind)
	if err != nil {
		return err
	}
	known, begun := map[string]bool{}, map[canonical.ID]bool{}
	for _, j := range jobs {
		for _, r := range j.Resources {
			begun[r.ID] = true
		}
	}
	var errs []error
	for _, r := range records {
		if known[r.ID] = r.Built || begun[canonical.ID(r.ID)]; !known[r.ID] {
			errs = append(errs, c.opts.Store.DeleteObject(ctx, c.object(serverKind, r.ID)))
		} else {
			errs = append(errs, c.usesImage(r.Record))
		}
	}
	claims, err := c.opts.Store.Claims(ctx, c.opts.Name)
	errs = append(errs, err)
	for _, claim := range claims {
		if !known[claim.Server] {
			errs = append(errs, c.opts.Store.Unclaim(ctx, c.opts.Name, claim.Server))
		}
	}
	return errors.Join(errs...)
}

// usesImage keeps the image of a server from being deleted; one that is gone, or is not
// there yet, is nothing to keep.
func (c *Cloud) usesImage(r kvm.Record) error {
	err := c.images.Use(r.Image.ID, r.ID)
	switch canonical.CodeOf(err) { //nolint:exhaustive // every other code is a failure
	case canonical.NotFound, canonical.FailedPrecondition:
		return nil
	default:
		return err
	}
}
