package canonical

import (
	"math"
	"time"
)

// Problem is an Error as RFC 9457 problem details: what HTTP clients get and what
// an Operation keeps.
type Problem struct {
	Type        string       `json:"type"`
	Title       string       `json:"title"`
	Status      int          `json:"status"`
	Detail      string       `json:"detail"`
	Code        Code         `json:"code"`
	Cloud       string       `json:"cloud,omitempty"`
	Operation   string       `json:"operation,omitempty"`
	RequestID   string       `json:"request_id,omitempty"`
	Errors      []FieldError `json:"errors,omitempty"`
	Upstream    *Upstream    `json:"upstream,omitempty"`
	Hindrance   *Hindrance   `json:"hindrance,omitempty"`
	RetryAfterS int          `json:"retry_after_s,omitempty"` // seconds
	SupportedBy []string     `json:"supported_by,omitempty"`
}

// problemTypes is the stable base of the type URIs, one for each code.
const problemTypes = "https://dragoman.cloud/problems/"

// ProblemOf is err as a problem. The causes of internal errors are not shown.
func ProblemOf(err error, requestID string) *Problem {
	e := AsError(err)
	if e == nil {
		return nil
	}
	return &Problem{
		Type: problemTypes + string(e.Code), Title: e.Code.Title(), Status: e.HTTPStatus(),
		Detail: e.Detail, Code: e.Code, Cloud: e.Cloud, Operation: e.Operation, RequestID: requestID,
		Errors: e.Fields, Upstream: e.Upstream, Hindrance: e.Hindrance, SupportedBy: e.SupportedBy,
		RetryAfterS: int(math.Ceil(e.RetryAfter.Seconds())),
	}
}

// Err is the problem as the error that it was made of.
func (p *Problem) Err() *Error {
	e := &Error{
		Code: p.Code, Detail: p.Detail, Cloud: p.Cloud, Operation: p.Operation, Fields: p.Errors,
		Upstream: p.Upstream, Hindrance: p.Hindrance, SupportedBy: p.SupportedBy,
		RetryAfter: time.Duration(p.RetryAfterS) * time.Second,
	}
	if p.Status != p.Code.HTTPStatus() {
		e.Status = p.Status
	}
	return e
}
