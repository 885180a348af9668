package transport

import (
	"context"
	"errors"
	"net/http"

	"golang.org/x/time/rate"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// limiter makes tries wait until the limits allow them, or until it is clear that
// they will not before the deadline.
type limiter struct {
	next  http.RoundTripper
	slots chan struct{}
	rate  *rate.Limiter
}

// errLimited says that our own limits refused a try: the cloud is not at fault.
var errLimited = errors.New("the limits of this cloud")

func (l *limiter) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if err := ctx.Err(); err != nil { // select would choose at random between a free slot and this
		return nil, err
	}
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return nil, limited(ctx, "too many calls to the cloud are under way")
	}
	if err := l.rate.Wait(ctx); err != nil {
		return nil, limited(ctx, "the cloud may not be asked as often")
	}
	return l.next.RoundTrip(req)
}

func limited(ctx context.Context, detail string) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return &canonical.Error{Code: canonical.Unavailable, Detail: detail, Err: errLimited}
}
