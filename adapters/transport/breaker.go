package transport

import (
	"context"
	"errors"
	"fmt"
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
	opened atomic.Int64           // Unix nanoseconds
	fault  atomic.Pointer[string] // the last failure, for people
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
		IsExcluded:   saysNothing,
		OnStateChange: func(name string, from, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				b.opened.Store(time.Now().UnixNano())
			}
			o.Log.Warn("breaker changed", "cloud", name, "from", states[from], "to", states[to])
		},
	})
	return b
}

// saysNothing tells failures that are not the cloud's.
func saysNothing(err error) bool {
	var hasty *hastyError
	return errors.As(err, &hasty) || errors.Is(err, context.Canceled) || errors.Is(err, errLimited)
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
		b.note(resp, err)
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

// note keeps what went wrong, for who asks how the cloud is.
func (b *breaker) note(resp *http.Response, err error) {
	if err == nil || saysNothing(err) {
		return
	}
	detail := canonical.AsError(err).Detail
	if errors.Is(err, errServer) {
		detail = fmt.Sprintf("the cloud answered %d", resp.StatusCode)
	}
	b.fault.Store(&detail)
}

func (b *breaker) lastFault() string {
	if detail := b.fault.Load(); detail != nil {
		return *detail
	}
	return ""
}

// health is the breaker's state and its counts as one word. State lets go of
// failures that are older than the window.
func (b *breaker) health() canonical.CloudStatus {
	switch state := b.cb.State(); {
	case state == gobreaker.StateOpen:
		return canonical.CloudDown
	case state == gobreaker.StateHalfOpen, b.cb.Counts().TotalFailures > 0:
		return canonical.CloudDegraded
	default:
		return canonical.CloudUp
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
