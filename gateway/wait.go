package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// longAnswer answers work that goes on: its operation with 202, or what came of it
// when it ends while the client waits.
func (g *Gateway) longAnswer(ctx context.Context, op *canonical.Spec, reply canonical.Reply, in *input) *answer {
	if reply.Task.Job == "" {
		return errorAnswer(ctx, canonical.Errorf(canonical.Internal, "%s is under way but is no operation", op.Name))
	}
	o, err := g.await(ctx, reply.Task.Job, in)
	if err != nil {
		return errorAnswer(ctx, err)
	}
	if o.Result, err = withFirst(o.Result, reply.Result); err != nil {
		return errorAnswer(ctx, err)
	}
	a := endAnswer(ctx, op, o, in.wait > 0)
	if in.wait > 0 {
		a.set("Preference-Applied", "wait="+strconv.Itoa(int(in.wait.Seconds())))
	}
	return a
}

// withFirst is the result of an operation with what the cloud told at once: where the
// work goes on, that is all there is; and passwords are told then and never again.
func withFirst(result json.RawMessage, first any) (json.RawMessage, error) {
	switch told := first.(type) {
	case canonical.ServersCreated:
		return withSecrets(result, told, func(final *canonical.ServersCreated) {
			for i, s := range final.Servers {
				j := slices.IndexFunc(told.Servers, func(m canonical.ServerWithPassword) bool { return m.ID == s.ID })
				if j >= 0 {
					final.Servers[i].AdminPassword = told.Servers[j].AdminPassword
				}
			}
		})
	case canonical.ServerWithPassword:
		return withSecrets(result, told, func(final *canonical.ServerWithPassword) { final.AdminPassword = told.AdminPassword })
	default:
		return result, nil
	}
}

// withSecrets is the stored result, where there is one, with what was told first.
func withSecrets[T any](result json.RawMessage, told T, add func(final *T)) (json.RawMessage, error) {
	if len(result) > 0 {
		var final T
		if err := json.Unmarshal(result, &final); err != nil {
			return nil, canonical.Errorf(canonical.Internal, "the result of an operation: %w", err)
		}
		add(&final)
		told = final
	}
	text, err := json.Marshal(told)
	if err != nil {
		return nil, canonical.Errorf(canonical.Internal, "the result of an operation: %w", err)
	}
	return text, nil
}

// endAnswer is the end of an operation if it has ended and was waited for, else
// the operation itself.
func endAnswer(ctx context.Context, op *canonical.Spec, o canonical.Operation, waited bool) *answer {
	switch {
	case !waited || !o.Status.Final():
		return jsonAnswer(http.StatusAccepted, o).set("Location", "/v1/operations/"+url.PathEscape(string(o.ID)))
	case o.Status == canonical.OperationSucceeded && len(o.Result) > 0:
		return resultAnswer(op, o.Result)
	case o.Status == canonical.OperationSucceeded:
		return jsonAnswer(op.Success(), nil)
	case o.Error != nil:
		return failedAnswer(ctx, *o.Error)
	default:
		return errorAnswer(ctx, canonical.Errorf(canonical.Conflict, "the operation %s was %s", o.ID, o.Status))
	}
}

// failedAnswer is the problem that an operation ended with, as the answer to the
// request that caused it.
func failedAnswer(ctx context.Context, p canonical.Problem) *answer {
	if p.Status < 400 || p.Status > 599 {
		p.Status = p.Code.HTTPStatus()
	}
	p.RequestID = recordOf(ctx).requestID
	a := problemAnswer(&p)
	a.err = p.Err()
	return a
}

// await asks for the operation until it ends, the wait is over, the client is gone
// or the process drains. It holds no lock and no worker of the cloud.
func (g *Gateway) await(ctx context.Context, id canonical.ID, in *input) (canonical.Operation, error) {
	wait := in.wait
	end := time.NewTimer(wait)
	defer end.Stop()
	for pause := g.opts.PollFirst; ; pause = min(2*pause, g.opts.PollMost) {
		r, err := canonical.GetOperation.Do(ctx, g.opts.Cloud, canonical.OperationGet{ID: id})
		if err != nil || wait <= 0 || r.Result.Status.Final() {
			return r.Result, err
		}
		next := time.NewTimer(pause)
		select {
		case <-in.gone:
			wait = 0
		case <-draining(ctx):
			wait = 0
		case <-end.C:
			wait = 0
		case <-next.C:
		}
		next.Stop()
	}
}

// preferredWait is the N of a preference wait=N (RFC 7240 section 4.3), cut at
// MaxWait. What is not understood is ignored, as section 2 says.
func preferredWait(h http.Header) time.Duration {
	for _, line := range h.Values("Prefer") {
		for _, pref := range strings.Split(line, ",") {
			pref, _, _ = strings.Cut(pref, ";")
			name, value, _ := strings.Cut(pref, "=")
			if !strings.EqualFold(strings.TrimSpace(name), "wait") {
				continue
			}
			n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31)
			switch {
			case errors.Is(err, strconv.ErrRange):
				return MaxWait
			case err != nil:
				return 0
			}
			return min(time.Duration(n)*time.Second, MaxWait)
		}
	}
	return 0
}
