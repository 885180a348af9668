package transport

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// breaker refuses calls while the cloud is down. Answers below 500 are successes,
// whatever they say; calls that their caller gave up say nothing.
type breaker struct {
	next   http.RoundTripper
	fair   time.Duration // a call that its caller ended sooner than this says nothing of the cloud
	cb     *gobreaker.CircuitBreaker[*http.Response]
	pause  time.Duration
	opened atomic.Int64 // Unix nanoseconds
}

func newBreaker(o Options, next http.RoundTripper) *breaker {
	b := &breaker{next: next, pause: o.Breaker.Open, fair: o.Timeout / 2}
	b.cb = gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{ //nolint:bodyclose // makes a breaker, not a request
		Name: o.Name, MaxRequests: 1, Interval: o.Breaker.Window, Timeout: o.Breaker.Open,
		BucketPeriod: o.Breaker.Window / 10,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			return o.Breaker.Failures > 0 && c.TotalFailures >= uint32(o.Breaker.Failures)
		},
		IsSuccessful: func(err error) bool { return err == nil },
		IsExcluded: func(err error) bool {
			var hasty *hastyError
			return errors.As(err, &hasty) || errors.Is(err, context.Canceled) || errors.Is(err, errLimited)
		},
		OnStateChange: func(name string, from, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				b.opened.Store(time.Now().UnixNano())
			}
			o.Log.Warn("breaker changed", "cloud", name, "from", states[from], "to", states[to])
		},
	})
	return b
}

// errServer marks an answer of 5xx for the breaker; it goes no further.
var errServer = errors.New("the server failed")

// hastyError marks the failure of a call whose caller left the cloud little time.
type hastyError struct{ error }

func (h *hastyError) Unwrap() error { return h.error }

func (b *breaker) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.cb.Execute(func() (*http.Response, error) {
		begin := time.Now()
		resp, err := b.next.RoundTrip(req)
		if err != nil && req.Context().Err() != nil && time.Since(begin) < b.fair {
			err = &hastyError{err}
		}
		if err == nil && resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented {
			err = errServer
		}
		return resp, err
	})
	switch {
	case errors.Is(err, errServer):
		return resp, nil
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return nil, b.refusal()
	default:
		return resp, err
	}
}

func (b *breaker) refusal() error {
	_, till := b.status()
	return &canonical.Error{
		Code: canonical.Unavailable, Detail: "the cloud failed repeatedly and is left alone for a while",
		RetryAfter: max(time.Until(till), time.Second), Err: errOpen,
	}
}

// errOpen tells a refusal of the breaker from failures of the cloud.
var errOpen = errors.New("the breaker is open")

func (b *breaker) status() (state State, till time.Time) {
	state = states[b.cb.State()]
	if state == Open {
		till = time.Unix(0, b.opened.Load()).Add(b.pause)
	}
	return state, till
}
