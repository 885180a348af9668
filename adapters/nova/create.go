package nova

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// like declares a compound operation as its rows are.
func like[Req, Res any](c *Cloud, op canonical.Op[Req, Res]) func(context.Context) canonical.Support {
	return func(ctx context.Context) canonical.Support { return c.Rows().Support(ctx, op.Spec()) }
}

// createWidth is how many creates of one call run at once. Nova's own min_count
// tells only one server of those it makes, so each is made by a call of its own.
const createWidth = 4

// createServers makes all servers or none.
func (c *Cloud) createServers(ctx context.Context, r canonical.ServerCreate) (canonical.TypedReply[canonical.ServersCreated], error) {
	n := r.HowMany()
	if n == 1 {
		return canonical.CreateServer.Do(ctx, c.Rows(), r)
	}
	made, err := c.createEach(ctx, r)
	if err != nil {
		return canonical.TypedReply[canonical.ServersCreated]{}, c.undo(ctx, made, err)
	}
	return merge(made), nil
}

type created = canonical.TypedReply[canonical.ServersCreated]

// createEach makes the servers, in order in the result, and begins no more after
// the first that fails.
func (c *Cloud) createEach(ctx context.Context, r canonical.ServerCreate) ([]created, error) {
	var (
		n     = r.HowMany()
		made  = make([]created, n)
		errs  = make([]error, n)
		next  = make(chan int)
		stop  = make(chan struct{})
		once  sync.Once
		group sync.WaitGroup
	)
	for range min(n, createWidth) {
		group.Go(func() {
			for i := range next {
				one := r
				one.Name, one.Count = r.NameOf(i), 0
				if made[i], errs[i] = canonical.CreateServer.Do(ctx, c.Rows(), one); errs[i] != nil {
					once.Do(func() { close(stop) })
				}
			}
		})
	}
	feed(next, n, stop)
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return made, err
		}
	}
	return made, nil
}

func feed(next chan<- int, n int, stop <-chan struct{}) {
	defer close(next)
	for i := range n {
		select {
		case next <- i:
		case <-stop:
			return
		}
	}
}

// undoLimit bounds the deletes after a failed create, which go on when the caller
// has gone away.
const undoLimit = time.Minute

// undo deletes what was made. What cannot be deleted is named in the error.
func (c *Cloud) undo(ctx context.Context, made []created, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	var left []string
	errs := []error{cause}
	for _, m := range made {
		for _, s := range m.Result.Servers {
			_, err := canonical.DeleteServer.Do(ctx, c.Rows(), canonical.ServerDelete{ID: s.ID})
			if err != nil && canonical.CodeOf(err) != canonical.NotFound {
				left, errs = append(left, string(s.ID)), append(errs, err)
			}
		}
	}
	if left == nil {
		return cause
	}
	e := *canonical.AsError(cause)
	e.Detail += "; these servers were made and could not be deleted again: " + strings.Join(left, ", ")
	e.Err = errors.Join(errs...)
	return &e
}

// merge is the answers as one, whose task waits for all servers.
func merge(made []created) created {
	var all created
	for _, m := range made {
		all.Result.Servers = append(all.Result.Servers, m.Result.Servers...)
		switch {
		case m.Task == nil:
		case all.Task == nil:
			t := *m.Task
			t.Resources = append([]canonical.Resource(nil), t.Resources...)
			all.Task = &t
		default:
			all.Task.Resources = append(all.Task.Resources, m.Task.Resources...)
		}
	}
	return all
}
