package facade

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// firstPause is between the first two tries of a throttled call; it doubles.
const firstPause = 100 * time.Millisecond

// do performs a call and absorbs throttling: it waits, within Options.Patience and
// the request's deadline, and says the call again. What stays throttled is
// Unavailable, for clients of these dialects know no limits of rates.
func (f *Facade) do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	end := time.Now().Add(f.o.Patience)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	for pause := firstPause; ; pause *= 2 {
		reply, err := canonical.Do(ctx, f.o.Cloud, call)
		if err == nil {
			err = incomplete(reply.Result)
		}
		if err == nil {
			return reply, nil
		}
		after, throttled := throttling(call.Op, err)
		wait := max(pause, after)
		switch {
		case !throttled || takesContent(call): // what was read of it cannot be read again
			return canonical.Reply{}, err
		case time.Now().Add(wait).After(end):
			return canonical.Reply{}, exhausted(err, wait)
		}
		if !sleep(ctx, wait) {
			return canonical.Reply{}, canonical.AsError(ctx.Err())
		}
	}
}

// takesContent says whether the request of a call holds bytes that are passed on.
func takesContent(call canonical.Call) bool {
	return call.Op.Streams && call.Op.Effect != canonical.Read
}

// throttling says whether a cloud refused the call for its rate, and how long it asks
// to wait. A call refused with RateLimited was not begun; one that a busy cloud
// answered with Unavailable may have been, so only reads are said again.
func throttling(op *canonical.Spec, err error) (after time.Duration, ok bool) {
	e := root(err)
	switch {
	case e.Code == canonical.RateLimited:
		return e.RetryAfter, true
	case e.Code == canonical.Unavailable && e.Upstream != nil && op.Effect == canonical.Read:
		return e.RetryAfter, e.RetryAfter > 0
	default:
		return 0, false
	}
}

// root is the failure at the bottom of err: what the one cloud said, where a layer
// speaks for all.
func root(err error) *canonical.Error {
	e := canonical.AsError(err)
	for inner := e; errors.As(e.Err, &inner); {
		e = inner
	}
	return e
}

// exhausted is err once waiting longer is no use.
func exhausted(err error, after time.Duration) error {
	e := *canonical.AsError(err)
	if e.Code == canonical.RateLimited {
		e.Code, e.Status = canonical.Unavailable, 0
	}
	e.RetryAfter = max(e.RetryAfter, after)
	return &e
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// awayRetry is what clients are told to wait for a cloud that cannot be reached.
const awayRetry = 5 * time.Second

// withRetry is the failure of a cloud that is away as clients are told: which cloud,
// and after what time it may be back.
func withRetry(e *canonical.Error) *canonical.Error {
	if e.Code != canonical.Unavailable {
		return e
	}
	told := *e
	if told.RetryAfter == 0 {
		told.RetryAfter = awayRetry
	}
	if told.Cloud != "" && !strings.Contains(told.Detail, told.Cloud) {
		told.Detail = "cloud " + told.Cloud + ": " + told.Detail
	}
	return &told
}

// incomplete is the failure of a list that lacks the part of a cloud. No dialect can
// say that a list is partial, and its clients take what is not listed for gone
// (docs/adr/0007).
func incomplete(result any) error {
	v := reflect.ValueOf(result)
	if v.Kind() != reflect.Struct {
		return nil
	}
	field := v.FieldByName("Unreachable")
	if !field.IsValid() {
		return nil
	}
	away, _ := field.Interface().([]canonical.Unreachable)
	if len(away) == 0 {
		return nil
	}
	e := canonical.Errorf(canonical.Unavailable, "the list would be incomplete: cloud %s: %s", away[0].Cloud, away[0].Detail)
	e.Cloud = away[0].Cloud
	down := func(u canonical.Unreachable) bool { return u.Code != canonical.RateLimited }
	if !slices.ContainsFunc(away, down) {
		e.Code = canonical.RateLimited // they will answer soon
	}
	return e
}
