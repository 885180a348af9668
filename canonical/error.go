package canonical

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Code is the kind of a failure. Codes are sent to clients and stored: add, never
// rename.
type Code string

// The codes of the contract.
const (
	InvalidRequest     Code = "invalid_request"
	Unauthenticated    Code = "unauthenticated"
	Forbidden          Code = "forbidden"
	NotFound           Code = "not_found"
	Conflict           Code = "conflict"            // concurrent change, or a key reused with another body
	AlreadyExists      Code = "already_exists"      // the name is taken
	FailedPrecondition Code = "failed_precondition" // the state forbids it
	TooLarge           Code = "too_large"
	QuotaExceeded      Code = "quota_exceeded"
	RateLimited        Code = "rate_limited"
	Unsupported        Code = "unsupported" // SupportedBy says which clouds could
	Unavailable        Code = "unavailable" // breaker open, cloud down
	Timeout            Code = "timeout"
	UpstreamError      Code = "upstream_error" // a cloud failed in a way that its dialect does not classify
	Internal           Code = "internal"
	Canceled           Code = "canceled" // the caller went away; never sent, for nobody is there
)

// codeInfo is the one place that maps codes to HTTP and to titles.
var codeInfo = map[Code]struct {
	status int
	title  string
}{
	InvalidRequest:     {http.StatusBadRequest, "Invalid request"},
	Unauthenticated:    {http.StatusUnauthorized, "Authentication required"},
	Forbidden:          {http.StatusForbidden, "Forbidden"},
	NotFound:           {http.StatusNotFound, "Not found"},
	Conflict:           {http.StatusConflict, "Conflict"},
	AlreadyExists:      {http.StatusConflict, "Already exists"},
	FailedPrecondition: {http.StatusConflict, "The state forbids it"},
	TooLarge:           {http.StatusRequestEntityTooLarge, "Too large"},
	QuotaExceeded:      {http.StatusForbidden, "Quota exceeded"},
	RateLimited:        {http.StatusTooManyRequests, "Rate limit exceeded"},
	Unsupported:        {http.StatusNotImplemented, "Not supported"},
	Unavailable:        {http.StatusServiceUnavailable, "Unavailable"},
	Timeout:            {http.StatusGatewayTimeout, "Timed out"},
	UpstreamError:      {http.StatusBadGateway, "A cloud failed"},
	Internal:           {http.StatusInternalServerError, "Internal error"},
	Canceled:           {499, "Canceled by the client"},
}

// HTTPStatus is the status that answers this code.
func (c Code) HTTPStatus() int {
	if i, ok := codeInfo[c]; ok {
		return i.status
	}
	return http.StatusInternalServerError
}

// Title is a short name of the code for people.
func (c Code) Title() string {
	if i, ok := codeInfo[c]; ok {
		return i.title
	}
	return string(c)
}

// FieldError says what is wrong with one field of a request.
type FieldError struct {
	Field  string `json:"field"`  // path with dots: networks.0.ip
	Reason string `json:"reason"` // for people
}

// Upstream is what a cloud said, in its own words.
type Upstream struct {
	Status    int    `json:"status"`
	Code      string `json:"code,omitempty"`
	Message   string `json:"message,omitempty"` // cut at 1 KiB
	RequestID string `json:"request_id,omitempty"`
}

// Error is a failure with all that a caller may act on.
type Error struct {
	Code        Code
	Detail      string        // one sentence for people
	Status      int           // HTTP status where the code's own does not do (405, 406, 415); else 0
	Cloud       string        // the cloud that failed, if one did
	Operation   string        // the operation's name
	Fields      []FieldError  // what is wrong with the request
	Upstream    *Upstream     // what the cloud said
	Hindrance   *Hindrance    // with FailedPrecondition: what of a server's state it is, where that is known
	RetryAfter  time.Duration // 0: unknown
	SupportedBy []string      // with Unsupported: the tenant's clouds that could
	Err         error         // the cause; its text is not shown to clients
}

// Error implements error.
func (e *Error) Error() string {
	s := string(e.Code)
	if e.Operation != "" {
		s = e.Operation + ": " + s
	}
	if e.Cloud != "" {
		s = e.Cloud + ": " + s
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	for _, f := range e.Fields {
		s += fmt.Sprintf(" (%s: %s)", f.Field, f.Reason)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// HTTPStatus is the status that answers this error.
func (e *Error) HTTPStatus() int {
	if e.Status != 0 {
		return e.Status
	}
	return e.Code.HTTPStatus()
}

// Errorf makes an error of that code. An operand of %w becomes its cause, and is
// then part of Detail as well: wrap only what a client may read.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	e := &Error{Code: code, Detail: err.Error()}
	if cause := errors.Unwrap(err); cause != nil {
		e.Err = quiet{cause}
	}
	return e
}

// quiet keeps a cause for errors.Is and errors.As without printing it twice.
type quiet struct{ error }

func (q quiet) Error() string { return "" }
func (q quiet) Unwrap() error { return q.error }

// Invalid is an InvalidRequest about one field.
func Invalid(field, format string, args ...any) *Error {
	reason := sprintf(format, args...)
	return &Error{
		Code: InvalidRequest, Detail: field + ": " + reason,
		Fields: []FieldError{{Field: field, Reason: reason}},
	}
}

// CodeOf is the code of err: that of the *Error it wraps, Timeout or Canceled for
// the ends of contexts, Internal for all else, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return AsError(err).Code
}

// AsError is err as an *Error: the one that it wraps, or a new one around it.
func AsError(err error) *Error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Code: Timeout, Detail: "the deadline passed", Err: err}
	case errors.Is(err, context.Canceled):
		return &Error{Code: Canceled, Detail: "the caller went away", Err: err}
	default:
		return &Error{Code: Internal, Detail: "an unexpected failure", Err: err}
	}
}

// InCloud is err with the cloud named that it came from, if none is named yet.
func InCloud(err error, cloud string) error {
	if err == nil {
		return nil
	}
	e := *AsError(err)
	if e.Cloud == "" {
		e.Cloud = cloud
	}
	return &e
}

func inOperation(err error, op *Spec) error {
	e := *AsError(err)
	if e.Operation == "" {
		e.Operation = op.Name
	}
	return &e
}

// Retryable says whether repeating a harmless call may help, and how long to wait
// first (0: the caller's own back-off).
func Retryable(err error) (after time.Duration, ok bool) {
	e := AsError(err)
	if e == nil {
		return 0, false
	}
	switch e.Code { //nolint:exhaustive // every other code is final
	case Unavailable, Timeout, RateLimited:
		return e.RetryAfter, true
	default:
		return 0, false
	}
}

func sprintf(format string, args ...any) string {
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}
