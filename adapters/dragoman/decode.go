package dragoman

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Bounds of answers, in bytes.
const (
	maxAnswer  = 32 << 20 // a page of 1000 servers with all the metadata they may have
	maxProblem = 64 << 10
	maxMessage = 1 << 10 // of Upstream.Message
)

// decode is the remote's answer as a Reply, or as an *Error.
func decode(ctx context.Context, op *canonical.Spec, resp *http.Response) (canonical.Reply, error) {
	switch {
	case resp.StatusCode == http.StatusAccepted && op.Long:
		return decodeTask(ctx, op, resp)
	case resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusCreated || resp.StatusCode == http.StatusNoContent:
		return decodeResult(ctx, op, resp)
	default:
		return canonical.Reply{}, decodeProblem(ctx, op, resp)
	}
}

// decodeTask reads the Operation of a 202.
func decodeTask(ctx context.Context, op *canonical.Spec, resp *http.Response) (canonical.Reply, error) {
	var job canonical.Operation
	if err := readJSON(ctx, op, resp, &job); err != nil {
		return canonical.Reply{}, err
	}
	if job.ID == "" {
		return canonical.Reply{}, strange(resp, "answered 202 without an operation")
	}
	reply := canonical.Reply{Task: &canonical.Task{Job: job.ID, Resources: job.Resources}}
	if len(job.Result) == 0 || string(job.Result) == "null" {
		return reply, nil
	}
	result := reflect.New(op.Result)
	if err := json.Unmarshal(job.Result, result.Interface()); err != nil {
		return canonical.Reply{}, strange(resp, "answered an operation with a result of another kind")
	}
	reply.Result = result.Elem().Interface()
	return reply, nil
}

func decodeResult(ctx context.Context, op *canonical.Spec, resp *http.Response) (canonical.Reply, error) {
	result := reflect.New(op.Result)
	if op.Result != reflect.TypeFor[canonical.None]() {
		if err := readJSON(ctx, op, resp, result.Interface()); err != nil {
			return canonical.Reply{}, err
		}
		if !whole(result.Elem()) {
			return canonical.Reply{}, strange(resp, "answered "+strconv.Itoa(resp.StatusCode)+" without what was asked for")
		}
	}
	return canonical.Reply{Result: result.Elem().Interface(), AsOf: asOf(resp)}, nil
}

// whole says whether a result is one: it, or each item of its list, has its id. JSON
// of another kind, such as an error sent with 200, decodes into nothing at all.
func whole(v reflect.Value) bool {
	if l, ok := v.Interface().(canonical.Listed); ok {
		id, _, _ := l.ListKeys()
		return id != ""
	}
	if v.Kind() == reflect.Map {
		return !v.IsNil()
	}
	for _, name := range []string{"Items", "Servers"} {
		items := v.FieldByName(name)
		if !items.IsValid() || items.Kind() != reflect.Slice {
			continue
		}
		for i := range items.Len() {
			if !whole(items.Index(i)) {
				return false
			}
		}
		return !items.IsNil()
	}
	return true
}

// asOf is when the answer was true, where its Age tells.
func asOf(resp *http.Response) time.Time {
	age, err := strconv.Atoi(resp.Header.Get("Age"))
	if err != nil || age < 0 {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(age) * time.Second)
}

func readJSON(ctx context.Context, op *canonical.Spec, resp *http.Response, into any) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return unreachable(ctx, op, err)
	case err != nil:
		return strange(resp, "broke off its answer")
	case len(body) > maxAnswer:
		return strange(resp, "answered more than "+strconv.Itoa(maxAnswer>>20)+" MiB")
	}
	if err := json.Unmarshal(body, into); err != nil {
		e := strange(resp, "answered what is not JSON of this API")
		e.Upstream.Message = excerpt(body)
		return e
	}
	return nil
}

// decodeProblem is a failure in the remote's words, or by its status alone where it
// is not a problem of this API: proxies answer in HTML.
func decodeProblem(ctx context.Context, op *canonical.Spec, resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	if err != nil && ctx.Err() != nil {
		return unreachable(ctx, op, err)
	}
	var p canonical.Problem
	if json.Unmarshal(body, &p) == nil && known(p.Code) {
		e := p.Err()
		if e.RetryAfter == 0 {
			e.RetryAfter = retryAfter(resp)
		}
		return e
	}
	e := strange(resp, "answered "+strconv.Itoa(resp.StatusCode)+" without a problem of this API")
	e.Code = codeOfStatus(resp.StatusCode)
	e.RetryAfter = retryAfter(resp)
	e.Upstream.Message = excerpt(body)
	return e
}

// known says whether code is one of the contract's, and may be sent.
func known(code canonical.Code) bool {
	return code != "" && code != canonical.Canceled && code.Title() != string(code)
}

// codeOfStatus classifies an answer without a problem. A 404 of a proxy says nothing
// about the resource, so it is not NotFound.
func codeOfStatus(status int) canonical.Code {
	switch status {
	case http.StatusUnauthorized:
		return canonical.Unauthenticated
	case http.StatusRequestEntityTooLarge:
		return canonical.TooLarge
	case http.StatusTooManyRequests:
		return canonical.RateLimited
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		return canonical.Unavailable
	case http.StatusGatewayTimeout:
		return canonical.Timeout
	default:
		return canonical.UpstreamError
	}
}

// retryAfter is the header in its form of seconds, at most a day.
func retryAfter(resp *http.Response) time.Duration {
	s, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || s < 0 {
		return 0
	}
	return time.Duration(min(s, 86_400)) * time.Second
}

// strange is an answer that a dragoman does not give.
func strange(resp *http.Response, did string) *canonical.Error {
	e := canonical.Errorf(canonical.UpstreamError, "the remote dragoman %s", did)
	e.Upstream = &canonical.Upstream{Status: resp.StatusCode, RequestID: resp.Header.Get("X-Request-Id")}
	return e
}

func excerpt(body []byte) string { return string(body[:min(len(body), maxMessage)]) }

// unreachable is a failure to get an answer. Its cause may name addresses, so it is
// kept but not shown. Unavailable says that the remote has not begun, so a write that
// it may have got is a Timeout.
func unreachable(ctx context.Context, op *canonical.Spec, err error) error {
	if cause := ctx.Err(); cause != nil {
		e := *canonical.AsError(cause)
		if e.Detail = "the remote dragoman did not answer in time"; errors.Is(cause, context.Canceled) {
			e.Detail = "the call was given up before the remote dragoman answered"
		}
		return &e
	}
	var content *canonical.Error
	if errors.As(err, &content) { // what was to be sent failed
		return content
	}
	e := canonical.Errorf(canonical.Unavailable, "the remote dragoman cannot be reached")
	var n net.Error
	var dial *net.OpError
	unsent := errors.As(err, &dial) && dial.Op == "dial"
	switch {
	case errors.As(err, &n) && n.Timeout():
		e = canonical.Errorf(canonical.Timeout, "the remote dragoman did not answer in time")
	case op.Effect != canonical.Read && !unsent:
		e = canonical.Errorf(canonical.Timeout, "the connection to the remote dragoman broke: it may have begun")
	}
	e.Err = err
	return e
}

// blameCloud turns what the remote says about our key, or about itself, into a
// failure of the cloud: the caller of a broker has no part in either.
func blameCloud(err error) error {
	e := *canonical.AsError(err)
	switch e.Code { //nolint:exhaustive // every other code means the same one broker up
	case canonical.Unauthenticated, canonical.Internal:
		e.Upstream = &canonical.Upstream{Status: e.HTTPStatus(), Code: string(e.Code), Message: e.Detail}
		e.Code, e.Status = canonical.UpstreamError, 0
	}
	return &e
}
