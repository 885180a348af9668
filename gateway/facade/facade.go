package facade

import (
	"context"
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
	// ProjectOf is the project by which clients know a tenant; nil: its name.
	ProjectOf func(tenant string) string
	// Tenants are the names of all tenants: they say which projects of clients are
	// tenants', and which of results. nil: projects are passed on as they are.
	Tenants func(ctx context.Context) ([]string, error)
	// IDs shows ids to clients and reads them; nil: as they are.
	IDs *IDs
	Log *slog.Logger
	// Patience is how long throttling by a cloud is absorbed; 0: 20 s.
	Patience time.Duration
	// Slowest is how long a client may take to send its body, and to take its answer;
	// 0: 30 s.
	Slowest time.Duration
}

// Facade serves one dialect.
type Facade struct{ o Options }

// New is the facade that o describes.
func New(o Options) *Facade {
	if o.Patience == 0 {
		o.Patience = 20 * time.Second
	}
	if o.Slowest == 0 {
		o.Slowest = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Facade{o}
}

// Handle answers one request. bases are the base URLs of the dialect's services as
// the client sees them.
func (f *Facade) Handle(ctx context.Context, req *translate.Request, bases map[string]string) *translate.Response {
	env := f.env(ctx, req, bases)
	resp, err := f.answer(ctx, req, env)
	return f.said(ctx, resp, err, env)
}

func (f *Facade) env(ctx context.Context, req *translate.Request, bases map[string]string) *translate.Env {
	return &translate.Env{
		Clouds: f.o.IDs.zoned(), Bases: bases, Facts: map[string]any{}, Wire: req, RequestID: canonical.OptionsOf(ctx).RequestID,
	}
}

// said is resp, or what the dialect answers to err, with the headers of all answers.
func (f *Facade) said(ctx context.Context, resp *translate.Response, err error, env *translate.Env) *translate.Response {
	req := env.Wire
	if err != nil {
		e := canonical.AsError(err)
		if e.Code == canonical.Internal {
			f.o.Log.ErrorContext(ctx, "facade", "method", req.Method, "path", req.Path, "request_id", env.RequestID, "error", err)
		}
		resp = f.o.Table.SayError(withRetry(e), req, env)
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
	rows, unheard := f.o.Table.Candidates(req)
	if open, ok := static(rows, env); ok {
		return open.StaticReply(env)
	}
	who, err := f.o.Authenticate(ctx, req)
	if err != nil {
		return nil, err
	}
	env.ProjectOf = f.o.ProjectOf
	env.Project, env.User, env.Role = who.Project, who.User, who.Caller.Role
	opts := canonical.OptionsOf(ctx)
	opts.Native, opts.Dialect = true, f.o.Table.Dialect
	ctx = canonical.WithOptions(canonical.WithCaller(ctx, who.Caller), opts)
	if f.o.Table.Negotiate != nil {
		if env.Version, err = f.o.Table.Negotiate(req); err != nil {
			return nil, err
		}
	}
	if unheard != nil {
		return nil, unheard
	}
	if err := f.resolve(ctx, rows, req, env); err != nil {
		return nil, err
	}
	row, err := translate.Pick(rows, req, env)
	if err != nil {
		return nil, err
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

func (f *Facade) perform(ctx context.Context, row *translate.Route, req *translate.Request, env *translate.Env) (*translate.Response, error) {
	if row.Static != nil {
		return row.StaticReply(env)
	}
	asked, err := row.HearRequest(req, env)
	if err != nil {
		return nil, err
	}
	names, err := f.projects(ctx, row.Op)
	if err != nil {
		return nil, err
	}
	call := canonical.Call{Op: row.Op, Request: names.read(f.o.IDs.readAll(row.Op, asked))}
	ctx, call.Request = f.o.IDs.place(ctx, call.Request)
	var reply canonical.Reply
	if l, ok := row.Answer.(translate.Lister); ok {
		reply, err = f.list(ctx, l, call, env)
	} else {
		reply, err = f.do(ctx, call)
		if err == nil {
			reply, err = f.known(ctx, row, call, reply)
		}
	}
	if err != nil {
		return nil, err
	}
	reply.Result = names.show(f.o.IDs.showAll(row.Op, reply.Result))
	if reply.Task != nil {
		t := canonical.MapIDs(*reply.Task, row.Op.Resource(), f.o.IDs.show)
		reply.Task = &t
	}
	return row.SayReply(reply, env)
}
