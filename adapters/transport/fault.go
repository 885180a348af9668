package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"sync/atomic"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// broken is an answer that ended early.
type broken struct{ error }

func (b *broken) Unwrap() error { return b.error }

// classify makes a *canonical.Error of what went wrong with a try. ctx is the
// caller's: its end is told apart from our own deadlines.
func classify(err error, ctx context.Context) error { //nolint:revive // err is the subject
	var known *canonical.Error
	var cut *broken
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(ctx.Err(), context.Canceled) || errors.Is(err, context.Canceled):
		return canonical.AsError(context.Canceled)
	case isContextEnd(err) || isTimeout(err):
		return &canonical.Error{Code: canonical.Timeout, Detail: "the cloud did not answer in time", Err: err}
	case errors.As(err, &cut) && errors.Is(err, io.ErrUnexpectedEOF):
		return &canonical.Error{Code: canonical.UpstreamError, Detail: "the cloud's answer ended early", Err: err}
	default:
		return &canonical.Error{Code: canonical.Unavailable, Detail: "the cloud cannot be reached", Err: err}
	}
}

// watchSent tells of a request whether the cloud may have got it: it is not begun
// before its headers are all written.
func watchSent(req *http.Request) (*http.Request, func() bool) {
	var sent atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}
	return req.WithContext(httptrace.WithClientTrace(req.Context(), trace)), sent.Load
}

// ErrInDoubt is in the errors of writes whose connection broke before the answer. Who
// knows that such a call changes nothing takes it for Unavailable.
var ErrInDoubt = errors.New("the answer to a write was lost")

// honest is the failure of a write with a code that tells whether it may have
// happened all the same: Unavailable is only what was never sent.
func honest(err error, sent bool) error {
	e := *canonical.AsError(err)
	switch {
	case e.Code == canonical.Unavailable && sent:
		e.Code, e.Detail = canonical.UpstreamError, "the connection broke before the cloud answered: it may have done what was asked"
		e.Err = errors.Join(ErrInDoubt, e.Err)
	case e.Code == canonical.Timeout && !sent:
		e.Code, e.Detail = canonical.Unavailable, "the cloud could not be reached in time"
	}
	return &e
}

func isContextEnd(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
}
