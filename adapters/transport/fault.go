package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"os"

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

func isContextEnd(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
}
