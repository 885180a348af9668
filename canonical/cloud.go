package canonical

import (
	"context"
	"time"
)

// Cloud is whatever can perform operations: a remote cloud behind its dialect, the
// hosts that dragoman manages itself, another dragoman, and every layer that
// stands before one of these. It is the project's only port.
//
// A Cloud is safe for concurrent use. It honours ctx: when ctx ends, Do returns
// soon, with code Timeout or Canceled. It does not retry writes whose outcome is
// unknown: a write that fails with Unavailable or RateLimited was not begun, one that
// fails with Timeout, Canceled or UpstreamError may have been. It never answers
// NotFound for what it merely could not reach.
type Cloud interface {
	// Do performs one operation. The caller has validated call.Request, whose
	// type is call.Op.Request. On success Reply.Result has type call.Op.Result, or
	// is nil when the Task will tell it. Do keeps no reference to the request, and
	// the caller owns the result. The error, if any, wraps an *Error; an operation
	// that Support calls No ends with code Unsupported and the same reason.
	Do(ctx context.Context, call Call) (Reply, error)

	// Support says how the operation is offered. It may ask the cloud (versions)
	// the first time, and answers from memory afterwards.
	Support(ctx context.Context, op *Spec) Support
}

// Call is one operation with its request.
type Call struct {
	Op      *Spec
	Request any // of type Op.Request
}

// Reply is what performing an operation gave.
type Reply struct {
	Result any       // of type Call.Op.Result, or nil
	Task   *Task     // not nil: the cloud finishes later, and this is how to ask
	AsOf   time.Time // when a cloud said so; zero: just now
}

// TypedReply is a Reply whose result has its type.
type TypedReply[Res any] struct {
	Result Res
	Task   *Task
	AsOf   time.Time
}

// Level is how far a cloud offers an operation.
type Level string

// The levels. The zero value means that nobody declared the operation, which the
// conformance suite refuses.
const (
	Undeclared Level = ""
	Native     Level = "native"   // the cloud does it
	Emulated   Level = "emulated" // dragoman does it with other operations
	No         Level = "no"       // it cannot be done there
)

// Support says how a cloud offers one operation.
type Support struct {
	Level  Level  `json:"level"`
	Reason string `json:"reason,omitempty"` // for Emulated and No: what the caller loses, or what is missing
}

// Unsupportedf is the Support of an operation that cannot be done, with its reason.
func Unsupportedf(format string, args ...any) Support {
	return Support{Level: No, Reason: sprintf(format, args...)}
}
