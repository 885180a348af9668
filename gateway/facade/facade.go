package facade

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// Principal is who calls, as the dialect's own authentication found.
type Principal struct {
	Caller  canonical.Caller
	Project string // as the dialect names the caller's tenant
	User    string
}

// Options make a Facade.
type Options struct {
	Table *translate.Table
	Cloud canonical.Cloud
	// Authenticate finds the caller of a request; its error is told in the dialect.
	Authenticate func(ctx context.Context, req *translate.Request) (Principal, error)
	// IDs shows ids to clients and reads them; nil: as they are.
	IDs *IDs
	Log *slog.Logger
	// Patience is how long throttling by a cloud is absorbed; 0: 20 s.
	Patience time.Duration
}

// Facade serves one dialect.
type Facade struct{ o Options }

// New is the facade that o describes.
func New(o Options) *Facade {
	if o.Patience == 0 {
		o.Patience = 20 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Facade{o}
}

// Handle answers one request. bases are the base URLs of the dialect's services as
// the client sees them.
func (f *Facade) Handle(ctx context.Context, req *translate.Request, bases map[string]string) *translate.Response {
	env := &translate.Env{Bases: bases, Facts: map[string]any{}, Wire: req}
	resp, err := f.answer(ctx, req, env)
	if err != nil {
		e := canonical.AsError(err)
		if e.Code == canonical.Internal {
			f.o.Log.ErrorContext(ctx, "facade", "method", req.Method, "path", req.Path,
				"request_id", canonical.OptionsOf(ctx).RequestID, "error", err)
		}
		resp = f.o.Table.SayError(e, req, env)
	}
	if resp.Header == nil {
		resp.Header = http.Header{}
	}
	if f.o.Table.Headers != nil {
		f.o.Table.Headers(resp.Header, req, env)
	}
	return resp
}

func (f *Facade) answer(ctx context.Context, req *translate.Request, env *translate.Env) (*translate.Response, error) {
	rows, known := f.o.Table.Candidates(req)
	if open, ok := static(rows, env); ok {
		return open.StaticReply(env)
	}
	who, err := f.o.Authenticate(ctx, req)
	if err != nil {
		return nil, err
	}
	env.Project, env.User, env.Role = who.Project, who.User, who.Caller.Role
	ctx = canonical.WithCaller(ctx, who.Caller)
	if f.o.Table.Negotiate != nil {
		if env.Version, err = f.o.Table.Negotiate(req); err != nil {
			return nil, err
		}
	}
	if len(rows) == 0 {
		return nil, unknownCall(known)
	}
	if err := f.resolve(ctx, rows, req, env); err != nil {
		return nil, err
	}
	row, ok := translate.Pick(rows, req, env)
	if !ok {
		return nil, unknownCall(known)
	}
	return f.perform(ctx, row.Row, req, env)
}

// static is the row that answers without authentication, if the request means one.
func static(rows []translate.Candidate, env *translate.Env) (*translate.Route, bool) {
	for _, c := range rows {
		if c.Row.Static != nil && c.Row.Open {
			return c.Row, true
		}
	}
	return nil, false
}

func unknownCall(pathKnown bool) error {
	e := canonical.Errorf(canonical.NotFound, "the dialect has no such call")
	if pathKnown {
		e.Status = http.StatusMethodNotAllowed
	}
	return e
}

func (f *Facade) perform(ctx context.Context, row *translate.Route, req *translate.Request, env *translate.Env) (*translate.Response, error) {
	if row.Static != nil {
		return row.StaticReply(env)
	}
	asked, err := row.HearRequest(req, env)
	if err != nil {
		return nil, err
	}
	call := canonical.Call{Op: row.Op, Request: f.o.IDs.readAll(row.Op, asked)}
	var reply canonical.Reply
	if l, ok := row.Answer.(translate.Lister); ok {
		reply, err = f.list(ctx, l, call, env)
	} else {
		reply, err = f.do(ctx, call)
	}
	if err != nil {
		return nil, err
	}
	reply.Result = f.o.IDs.showAll(row.Op, reply.Result)
	if reply.Task != nil {
		t := *reply.Task
		t.Job = f.o.IDs.show("operation", t.Job)
		reply.Task = &t
	}
	return row.SayReply(reply, env)
}

// do performs a call and absorbs throttling: what a cloud refused for its rate has
// not been done, so it is safe to say it again.
func (f *Facade) do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	end := time.Now().Add(f.o.Patience)
	for pause := 100 * time.Millisecond; ; pause *= 2 {
		reply, err := canonical.Do(ctx, f.o.Cloud, call)
		e := canonical.AsError(err)
		if e == nil || e.Code != canonical.RateLimited {
			return reply, err
		}
		wait := max(pause, e.RetryAfter)
		if time.Now().Add(wait).After(end) {
			return reply, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return reply, errors.Join(ctx.Err(), err)
		case <-timer.C:
		}
	}
}

// listed is what the requests of lists have by embedding canonical.ListOptions.
type listed interface{ Listing() canonical.ListOptions }

// list reads on where the dialect filters by what no canonical filter says, until
// the page is as long as the client asked for, and to the end where the answer tells
// of all items.
func (f *Facade) list(ctx context.Context, l translate.Lister, call canonical.Call, env *translate.Env) (canonical.Reply, error) {
	var got any
	for {
		reply, err := f.do(ctx, call)
		if err != nil {
			return reply, err
		}
		opts := canonical.ListOptions{}
		if r, ok := call.Request.(listed); ok {
			opts = r.Listing().OrDefault()
		}
		if l.WantsAll() {
			opts.Limit = canonical.MaxWhole
		}
		page, dropped := l.Filter(reply.Result, env)
		if got != nil {
			page = l.Join(got, page, opts.Limit, opts.Sort)
		}
		next := nextCursor(reply.Result)
		if l.WantsAll() && next == "" && nextCursor(page) != "" { // Join had to cut
			return reply, canonical.Invalid("limit", "there are more than %d of these: filter the list", canonical.MaxWhole)
		}
		if next == "" || dropped == 0 && !l.WantsAll() {
			reply.Result = page
			return reply, nil
		}
		got = page
		call.Request = withCursor(call.Request, next)
	}
}
