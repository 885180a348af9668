package wire

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// Conn is an authenticated connection to one account of a cloud. It may implement
// canonical.Healther and Forgetter.
type Conn interface {
	// Send carries a request to its service. It returns an error, with a code,
	// only where there is no answer of the dialect; an answer of any status is
	// returned as it is. It repeats a request only where that is harmless.
	Send(ctx context.Context, req *translate.Request) (*translate.Response, error)
	// Session says what codecs must know of the account and the service. It may
	// authenticate and discover the first time.
	Session(ctx context.Context, service string) (Session, error)
}

// Forgetter is a connection that remembers what versions services speak.
type Forgetter interface {
	// ForgetVersions has Session ask for them anew: the service has refused one (406),
	// so it was upgraded, or taken back, since it was asked.
	ForgetVersions(service string)
}

// Session is what an account is to one service.
type Session struct {
	Bases   map[string]string // base URL by service, without a slash at its end
	Project string
	User    string
	Window  translate.Window // versions; zero: the service has none
}

// Cloud is a remote cloud behind a dialect. Register compound operations on Mux
// before the first call.
type Cloud struct {
	Mux   canonical.Mux
	table *translate.Table
	conn  Conn
	facts facts
}

var (
	_ canonical.Cloud    = (*Cloud)(nil)
	_ canonical.Healther = (*Cloud)(nil)
)

// New is the cloud behind conn, in the dialect of table.
func New(table *translate.Table, conn Conn) *Cloud {
	c := &Cloud{table: table, conn: conn, facts: facts{keep: time.Minute, now: time.Now}}
	c.Mux.Next = rows{c}
	return c
}

// Do implements canonical.Cloud.
func (c *Cloud) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	return c.Mux.Do(ctx, call)
}

// Support implements canonical.Cloud.
func (c *Cloud) Support(ctx context.Context, op *canonical.Spec) canonical.Support {
	return c.Mux.Support(ctx, op)
}

// Health implements canonical.Healther: it is that of the connection, where that
// tells.
func (c *Cloud) Health() canonical.Health {
	if h, ok := c.conn.(canonical.Healther); ok {
		return h.Health()
	}
	return canonical.HealthOf(&c.Mux)
}

// Rows is the cloud without the compound operations: what they are made of.
func (c *Cloud) Rows() canonical.Cloud { return rows{c} }

// rows performs operations by the table alone.
type rows struct{ *Cloud }

// Support implements canonical.Cloud.
func (c rows) Support(ctx context.Context, op *canonical.Spec) canonical.Support {
	candidates := c.table.ForOp(op)
	if len(candidates) == 0 {
		return canonical.Unsupportedf("%s has no call for %s", c.table.Dialect, op.Name)
	}
	s, err := c.conn.Session(ctx, candidates[0].Service)
	if canonical.CodeOf(err) == canonical.Unsupported {
		return canonical.Unsupportedf("%s", canonical.AsError(err).Detail)
	}
	if err != nil { // what cannot be asked is not declared impossible: the call itself will tell
		return canonical.Support{Level: canonical.Native}
	}
	for _, row := range candidates {
		if row.Offered(s.Window) {
			return canonical.Support{Level: canonical.Native}
		}
	}
	return canonical.Unsupportedf("%s needs version %s of the cloud's API, which speaks %s to %s",
		op.Name, candidates[0].Since, s.Window.Min, s.Window.Max)
}

// Do implements canonical.Cloud. A call whose version the service refuses was not begun:
// it is said once more, in the versions that the service speaks now.
func (c rows) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	reply, err := c.perform(ctx, call)
	f, remembers := c.conn.(Forgetter)
	if !remembers || err == nil {
		return reply, err
	}
	if up := canonical.AsError(err).Upstream; up == nil || up.Status != http.StatusNotAcceptable {
		return reply, err
	}
	f.ForgetVersions(c.table.ForOp(call.Op)[0].Service)
	return c.perform(ctx, call)
}

func (c rows) perform(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	if s := c.Support(ctx, call.Op); s.Level == canonical.No {
		return canonical.Reply{}, canonical.Errorf(canonical.Unsupported, "%s", s.Reason)
	}
	s, err := c.conn.Session(ctx, c.table.ForOp(call.Op)[0].Service) // an operation is of one service
	if err != nil {
		return canonical.Reply{}, unbegun(ctx, err, call.Op)
	}
	row, ok := c.table.Row(call.Op, call.Request, s.Window)
	if !ok {
		return canonical.Reply{}, canonical.Errorf(canonical.Unsupported, "%s has no call for this %s", c.table.Dialect, call.Op.Name)
	}
	env := &translate.Env{
		Bases: s.Bases, Project: s.Project, User: s.User, Native: canonical.OptionsOf(ctx).Native,
		Role: canonical.CallerOf(ctx).Role, Facts: map[string]any{},
	}
	if err := c.resolve(ctx, row, call.Request, env); err != nil {
		return canonical.Reply{}, unbegun(ctx, err, call.Op)
	}
	if l, ok := row.Answer.(translate.Lister); ok {
		return c.list(ctx, row, l, call.Request, env, s.Window)
	}
	resp, err := c.exchange(ctx, row, call.Request, env, s.Window)
	if err != nil {
		return canonical.Reply{}, err
	}
	if call.Op.Effect != canonical.Read && call.Op.Resource() != "server" {
		c.facts.forget()
	}
	reply, err := row.HearReply(resp, env)
	if err != nil && resp.Content != nil {
		err = errors.Join(err, resp.Content.Close())
	}
	return reply, err
}

// unbegun is a failure of what goes before a call: a write was not begun then, which
// is what Unavailable says.
func unbegun(ctx context.Context, err error, op *canonical.Spec) error {
	e := *canonical.AsError(err)
	if op.Effect != canonical.Read && ctx.Err() == nil && (e.Code == canonical.Timeout || e.Code == canonical.UpstreamError) {
		e.Code = canonical.Unavailable
	}
	return &e
}

// exchange says one request and returns the answer of success.
func (c rows) exchange(ctx context.Context, row *translate.Route, req any, env *translate.Env, w translate.Window) (*translate.Response, error) {
	to, err := c.table.Say(row, req, env, w)
	if err != nil {
		return nil, err
	}
	return c.send(ctx, to)
}

func (c rows) send(ctx context.Context, to *translate.Request) (*translate.Response, error) {
	resp, err := c.conn.Send(ctx, to)
	if err != nil {
		return nil, err
	}
	if resp.Status < 200 || resp.Status > 299 {
		return nil, accountError(c.table.HearError(resp))
	}
	return resp, nil
}

// accountError: that a cloud does not know the account is no fault of the caller,
// who has authenticated to us.
func accountError(e *canonical.Error) *canonical.Error {
	if e.Code == canonical.Unauthenticated {
		e.Code, e.Detail = canonical.UpstreamError, "the cloud refuses the account: "+e.Detail
	}
	return e
}

// list reads all pages, then sorts, filters and cuts: few clouds can seek by a
// canonical cursor, and none of theirs survives its item's deletion.
func (c rows) list(ctx context.Context, row *translate.Route, l translate.Lister, req any, env *translate.Env, w translate.Window) (canonical.Reply, error) {
	asked, err := c.table.Say(row, req, env, w)
	if err != nil {
		return canonical.Reply{}, err
	}
	asOf := time.Now()
	for all := l.Collect(); ; {
		resp, err := c.send(ctx, asked)
		if err != nil {
			return canonical.Reply{}, err
		}
		before := all.Len()
		next, err := all.Add(resp, asked, env)
		switch {
		case err != nil:
			return canonical.Reply{}, err
		case all.Len() > canonical.MaxWhole:
			return canonical.Reply{}, canonical.Invalid("limit",
				"the cloud holds more than %d of these and cannot seek: filter the list", canonical.MaxWhole)
		case next == nil || all.Len() == before:
			res, err := all.Result(req)
			return canonical.Reply{Result: res, AsOf: asOf}, err
		}
		asked = next
	}
}

// resolve asks for what the row needs to know first.
func (c rows) resolve(ctx context.Context, row *translate.Route, req any, env *translate.Env) error {
	for _, need := range row.Needs {
		if need.Say == nil {
			continue
		}
		call, wanted := need.Say(req)
		if !wanted {
			continue
		}
		res, err := c.facts.ask(ctx, c.Cloud, call, need.Fresh)
		switch code := canonical.CodeOf(err); {
		case err == nil && need.Pick == nil:
			env.Facts[need.Fact] = res
		case err == nil:
			env.Asked = req
			if v := need.Pick(res, env); v != nil {
				env.Facts[need.Fact] = v
			}
		case code == canonical.NotFound || code == canonical.Unsupported: // no fact; the codec decides
		default:
			return err
		}
	}
	return nil
}
