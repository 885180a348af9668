package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/gin-gonic/gin"
)

// Media types.
const (
	jsonType    = "application/json"
	problemType = "application/problem+json"
	patchType   = "application/merge-patch+json"
)

// writeTimeout is how long a client may take to read an answer.
const writeTimeout = time.Minute

// answer is a whole response.
type answer struct {
	status int
	header map[string]string
	body   []byte
	// content is what is sent in place of the body, and closed; nil: nothing.
	content *canonical.Content
	err     error // for the log
}

func (a *answer) set(key, value string) *answer {
	if a.header == nil {
		a.header = make(map[string]string)
	}
	a.header[key] = value
	return a
}

// write sends the answer. That the client is gone is no failure of ours.
func (a *answer) write(w http.ResponseWriter, r *http.Request) {
	rec := recordOf(r.Context())
	rec.err = a.err
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	if a.content == nil && a.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	deadline(http.NewResponseController(w).SetWriteDeadline, time.Now().Add(writeTimeout))
	w.WriteHeader(a.status)
	if a.content != nil {
		defer func() { _ = a.content.Close() }() // what was read is sent, whole or not
		rec.err = a.copyContent(w)
		return
	}
	if _, err := w.Write(a.body); err != nil && len(a.body) > 0 && rec.err == nil {
		rec.err = err
	}
}

// deadline sets a deadline where the connection has such; recorders of tests and
// wrapped writers have none, and then the server's own timeouts hold.
func deadline(set func(time.Time) error, t time.Time) { _ = set(t) }

// jsonAnswer is v with that status; without v there is no body.
func jsonAnswer(status int, v any) *answer {
	if status == http.StatusNoContent {
		return &answer{status: status}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return &answer{status: http.StatusInternalServerError, err: err}
	}
	return (&answer{status: status, body: b.Bytes()}).set("Content-Type", jsonType)
}

// errorAnswer is err as problem details, with the headers that go with it.
func errorAnswer(ctx context.Context, err error) *answer {
	rec := recordOf(ctx)
	p := canonical.ProblemOf(err, rec.requestID)
	if p.Operation == "" && canonical.Lookup(rec.op) != nil {
		p.Operation = rec.op
	}
	a := problemAnswer(p)
	a.err = err
	return a
}

func problemAnswer(p *canonical.Problem) *answer {
	a := jsonAnswer(p.Status, p).set("Content-Type", problemType)
	if p.RetryAfterS > 0 {
		a.set("Retry-After", strconv.Itoa(p.RetryAfterS))
	} else if p.Code == canonical.RateLimited || p.Code == canonical.Unavailable {
		a.set("Retry-After", "1")
	}
	if p.Status == http.StatusUnauthorized {
		a.set("WWW-Authenticate", `Bearer realm="dragoman"`)
	}
	return a
}

func writeError(w http.ResponseWriter, r *http.Request, err error) {
	errorAnswer(r.Context(), err).write(w, r)
}

// answer does all that one request asks for.
func (g *Gateway) answer(c *gin.Context, op *canonical.Spec, r *reader) *answer {
	ctx := c.Request.Context()
	caller, err := g.authenticate(c.Request)
	if err != nil {
		return errorAnswer(ctx, err)
	}
	recordOf(ctx).caller = caller
	deadline(http.NewResponseController(c.Writer).SetReadDeadline, time.Now().Add(g.opts.BodyTimeout))
	in, err := r.read(c)
	if err != nil { // the rest of the body is nobody's: net/http must not wait for it
		return errorAnswer(ctx, err).set("Connection", "close")
	}
	deadline(http.NewResponseController(c.Writer).SetReadDeadline, time.Time{})
	ctx = canonical.WithOptions(canonical.WithCaller(ctx, caller), in.options)
	if in.options.IdempotencyKey == "" {
		return g.perform(ctx, op, in)
	}
	return g.repeatable(ctx, op, in)
}

// perform carries the read request out and makes the answer of what came of it.
func (g *Gateway) perform(ctx context.Context, op *canonical.Spec, in *input) *answer {
	scope := in.cursorScope(canonical.CallerOf(ctx).Tenant)
	if err := g.unsealCursor(in, scope); err != nil {
		return errorAnswer(ctx, err)
	}
	reply, err := canonical.Do(ctx, g.opts.Cloud, canonical.Call{Op: op, Request: in.request.Interface()})
	if err != nil {
		return errorAnswer(ctx, err)
	}
	if reply.Task != nil {
		return g.longAnswer(ctx, op, reply, in)
	}
	result, err := g.sealCursor(reply.Result, scope)
	if err != nil {
		return errorAnswer(ctx, err)
	}
	a := resultAnswer(op, result)
	if op.Effect == canonical.Read && !reply.AsOf.IsZero() {
		age := max(0, g.opts.Now().Sub(reply.AsOf))
		a.set("Age", strconv.Itoa(int(age.Seconds())))
	}
	return a
}

// resultAnswer is a final result with its status.
func resultAnswer(op *canonical.Spec, result any) *answer {
	if c, ok := result.(canonical.ImageContent); ok {
		return contentAnswer(c)
	}
	return jsonAnswer(op.Success(), result)
}
