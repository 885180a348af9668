package transport

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// retry repeats what harms nobody when it is done twice: reads that failed, and any
// call that the cloud says it has not begun (429 and 503 with Retry-After).
type retry struct {
	next    http.RoundTripper
	backoff time.Duration
}

func (r *retry) RoundTrip(req *http.Request) (*http.Response, error) {
	for n := 1; ; n++ {
		resp, err := r.next.RoundTrip(req)
		after, again := r.again(req, resp, err)
		if !again || n == maxTries {
			return resp, err
		}
		if after == 0 {
			after = jitter(r.backoff << (n - 1))
		}
		next, ok := rewind(req)
		if !ok || !pause(req.Context(), after) {
			return resp, err
		}
		req = next
	}
}

// again says whether a try may be repeated, and what pause the cloud asked for.
func (r *retry) again(req *http.Request, resp *http.Response, err error) (time.Duration, bool) {
	if err != nil {
		if errors.Is(err, errOpen) || errors.Is(err, errLimited) || req.Context().Err() != nil {
			return 0, false
		}
		_, passing := canonical.Retryable(err)
		return 0, repeatable(req) && (passing || cutShort(err))
	}
	after, told := retryAfter(resp)
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return after, told || repeatable(req)
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return after, repeatable(req)
	default:
		return 0, false
	}
}

// repeatable says whether a call changes nothing.
func repeatable(req *http.Request) bool {
	return req.Method == http.MethodGet || req.Method == http.MethodHead
}

func cutShort(err error) bool {
	var b *broken
	return errors.As(err, &b)
}

// retryAfter reads the header of that name: seconds, or a date (RFC 9110, 10.2.3).
func retryAfter(resp *http.Response) (time.Duration, bool) {
	text := resp.Header.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return time.Duration(n) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0), true
	}
	return 0, false
}

// jitter is between half of d and d and a half, so that callers do not come in step.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d) //nolint:gosec // no secret
}

// pause waits; it is false at once where the deadline would come first.
func pause(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// rewind is req with its body from the start.
func rewind(req *http.Request) (*http.Request, bool) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, false
	}
	again := req.Clone(req.Context())
	again.Body = body
	return again, true
}
