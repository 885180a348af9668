package translate

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Route is one row: one operation over one call.
type Route struct {
	ID string // of the catalogue; those of calls that it lacks begin with the dialect's name too
	// Also are ids of the catalogue for what is the same call.
	Also []string
	// Dialect is whose fields the bodies have, of the dialects that share wire structs:
	// those with the tag only, or always, of that name. "" is who has none of these.
	Dialect string
	Service string // compute, image, network
	Method  string
	Path    string // below the service's base, parameters in braces
	// Action is the one key of the body that tells this row from others of the
	// same path; the body is then that key's value. "" is none.
	Action string
	// When tells rows of the same path and action apart, northwards; nil: always.
	When func(req *Request, env *Env) bool
	// Can says whether the row can carry this request, southwards; nil: any.
	Can func(req any) bool
	Op  *canonical.Spec

	Since, Until Version // the versions that have the call; zero: all
	// Want is the version whose answers carry the most that we read; a request
	// that needs no more is sent at it, or at the nearest that the cloud has.
	Want Version

	Needs  []Need
	Ask    Asker
	Answer Answerer
	Status int // of success, northwards; southwards any 2xx is

	// Done says how to ask about work that goes on after the answer; nil: the
	// answer is the end.
	Done func(req any, res any, env *Env) *canonical.Task

	// Fields are the keys of the answer's items that the client wants to see,
	// northwards; nil: all.
	Fields func(env *Env) []string

	// Static answers without any operation, northwards (version documents).
	Static func(env *Env) (status int, body any)
	Open   bool // northwards: needs no authentication
}

// Table is a dialect.
type Table struct {
	Dialect string
	Rows    []Route
	// Shorten takes out of a request's path what the rows leave out, northwards; nil:
	// nothing.
	Shorten func(req *Request)
	// Negotiate finds the version that a request asks for, northwards; nil: the
	// dialect has none.
	Negotiate func(req *Request) (Version, error)
	// Version puts the version on a request, southwards; nil: the dialect has none.
	Version func(req *Request, v Version)
	// HearError makes an error of an answer that is none of success.
	HearError func(resp *Response) *canonical.Error
	// SayError makes the answer that tells an error; req may be nil.
	SayError func(err *canonical.Error, req *Request, env *Env) *Response
	// Headers sets what every answer carries; nil: nothing.
	Headers func(h http.Header, req *Request, env *Env)
}

// Replace returns the table with rows in place of those of the same id, and with
// the ids in without taken out; rows of new ids are put first, so that they win.
func (t Table) Replace(rows []Route, without ...string) Table {
	out := make([]Route, 0, len(t.Rows)+len(rows))
	for _, r := range rows {
		if !slices.ContainsFunc(t.Rows, func(o Route) bool { return o.ID == r.ID }) {
			out = append(out, r)
		}
	}
	for _, old := range t.Rows {
		if slices.Contains(without, old.ID) {
			continue
		}
		if i := slices.IndexFunc(rows, func(r Route) bool { return r.ID == old.ID }); i >= 0 {
			old = rows[i]
		}
		out = append(out, old)
	}
	t.Rows = out
	return t
}

// ForOp is the rows that carry op.
func (t *Table) ForOp(op *canonical.Spec) []*Route {
	var rows []*Route
	for i := range t.Rows {
		if t.Rows[i].Op == op && t.Rows[i].Ask != nil {
			rows = append(rows, &t.Rows[i])
		}
	}
	return rows
}

// Row finds the row that says req: the first that can carry it, of those that a cloud
// of that window has; where it has none, the first that could elsewhere.
func (t *Table) Row(op *canonical.Spec, req any, cloud Window) (*Route, bool) {
	var elsewhere *Route
	for _, r := range t.ForOp(op) {
		switch {
		case r.Can != nil && !r.Can(req):
		case r.Offered(cloud):
			return r, true
		case elsewhere == nil:
			elsewhere = r
		}
	}
	return elsewhere, elsewhere != nil
}

// Say writes req as the row's call. It finds the lowest version that carries what
// the request holds, but not below the row's Want, within the cloud's window, and
// leaves it in env.Version.
func (t *Table) Say(row *Route, req any, env *Env, cloud Window) (*Request, error) {
	env.Asked, env.Dialect = req, row.Dialect
	env.Version = cloud.Max
	_, body, err := row.say(req, env)
	if err != nil {
		return nil, err
	}
	if !cloud.Max.IsZero() {
		if env.Version, err = row.lowest(body, cloud); err != nil {
			return nil, err
		}
	}
	to, body, err := row.say(req, env)
	if err != nil {
		return nil, err
	}
	if name, lost := overfull(body, func(f Field) bool { return f.in(env.form()) }); lost {
		return nil, tooOld(name, "what else is asked for needs version %s of the cloud's API, which has no such field any more", env.Version)
	}
	if to.Body, err = encodeBody(body, row.Action, env.form()); err != nil {
		return nil, err
	}
	if t.Version != nil && !env.Version.IsZero() {
		t.Version(to, env.Version)
	}
	env.Wire = to
	return to, nil
}

// lowest is the version at which the row carries body, in the cloud's window. What is
// wanted gives way where it has lost a field that the body holds.
func (r *Route) lowest(body any, cloud Window) (Version, error) {
	v := cloud.Clamp(maxVersion(r.Since, r.Want))
	need, field := minVersion(body)
	v = maxVersion(v, need)
	if _, lost := overfull(body, func(f Field) bool { return f.has(v) }); lost {
		v = maxVersion(cloud.Clamp(r.Since), need)
	}
	switch {
	case v.Compare(cloud.Max) > 0:
		return v, tooOld(field, "needs version %s of the cloud's API, which speaks %s to %s", v, cloud.Min, cloud.Max)
	case !r.span().has(v):
		return v, canonical.Errorf(canonical.Unsupported, "the cloud's API speaks %s to %s, the call is of %s to %s", cloud.Min, cloud.Max, r.Since, r.Until)
	default:
		return v, nil
	}
}

// tooOld refuses what only another version of the cloud's API carries.
func tooOld(field, format string, args ...any) *canonical.Error {
	e := canonical.Invalid(field, format, args...)
	e.Code = canonical.Unsupported
	return e
}

func (r *Route) span() span { return span{r.Since, r.Until} }

// Offered says whether a cloud of that window has the call at all.
func (r *Route) Offered(cloud Window) bool {
	return cloud.Max.IsZero() || cloud.Max.AtLeast(r.Since) && (r.Until.IsZero() || r.Until.AtLeast(cloud.Min))
}

func (r *Route) say(req any, env *Env) (*Request, any, error) {
	to := &Request{
		Service: r.Service, Method: r.Method, Params: map[string]string{"tenant_id": env.Project},
		Query: map[string][]string{}, Header: http.Header{}, Streams: hasContent(r.Op.Result),
	}
	body, err := r.Ask.say(req, env, to)
	to.Path = expand(r.Path, to.Params)
	return to, body, err
}

// Candidate is a row that a request may mean.
type Candidate struct {
	Row    *Route
	Params map[string]string
}

// Candidates are the rows that method, path and action allow. Where there is none
// the error says what is wrong with the request.
func (t *Table) Candidates(req *Request) ([]Candidate, error) {
	if t.Shorten != nil {
		t.Shorten(req)
	}
	action, one := actionOf(req.Body)
	var rows []Candidate
	unheard := canonical.Errorf(canonical.NotFound, "the dialect has no such call")
	for i := range t.Rows {
		r := &t.Rows[i]
		params, ok := match(r.Path, req.Path)
		switch {
		case !ok || r.Service != req.Service:
		case r.Method != req.Method:
			if unheard.Code == canonical.NotFound {
				unheard.Status = http.StatusMethodNotAllowed
			}
		case r.Action == "" || r.Action == action:
			rows = append(rows, Candidate{r, params})
		case !one:
			unheard = malformed()
		default:
			unheard = canonical.Errorf(canonical.InvalidRequest, "There is no such action: %.100s", action)
		}
	}
	if len(rows) == 0 {
		return nil, unheard
	}
	return rows, nil
}

// TakesContent says whether the body of a request is to be passed on as it comes.
func (t *Table) TakesContent(req *Request) bool {
	for i := range t.Rows {
		r := &t.Rows[i]
		if r.Op == nil || !r.Op.Streams || r.Service != req.Service || r.Method != req.Method || !hasContent(r.Op.Request) {
			continue
		}
		if _, ok := match(r.Path, req.Path); ok {
			return true
		}
	}
	return false
}

// hasContent says whether a request or a result holds bytes that are passed on.
func hasContent(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		if t.Field(i).Type == reflect.TypeFor[*canonical.Content]() {
			return true
		}
	}
	return false
}

// Pick is the one of the candidates that the request means, by the version and the
// facts in env.
func Pick(rows []Candidate, req *Request, env *Env) (Candidate, error) {
	unheard := canonical.Errorf(canonical.NotFound, "the dialect has no such call")
	for _, c := range rows {
		req.Params = c.Params
		switch {
		case !c.Row.span().has(env.Version):
			unheard = canonical.Errorf(canonical.Unsupported, "version %s has no such call", env.Version)
			unheard.Status = http.StatusNotFound
		case c.Row.When == nil || c.Row.When(req, env):
			return c, nil
		}
	}
	return Candidate{}, unheard
}

// HearRequest makes the canonical request of what the row heard.
func (r *Route) HearRequest(req *Request, env *Env) (any, error) {
	env.Wire, env.Dialect = req, r.Dialect
	asked, err := r.Ask.hear(req, r.Action, env)
	env.Asked = asked
	return asked, err
}

// TellsResult says whether the row's answer is made of the result, and not of nothing
// or of the job that will have it.
func (r *Route) TellsResult() bool { return r.Answer.tells() }

// SayReply writes the answer to what the row heard.
func (r *Route) SayReply(reply canonical.Reply, env *Env) (*Response, error) {
	env.Dialect = r.Dialect
	to := &Response{Status: r.Status, Header: http.Header{}}
	body, err := r.Answer.say(reply, env, to)
	if err != nil {
		return nil, err
	}
	if to.Body, err = encodeBody(body, "", env.form()); err == nil && r.Fields != nil {
		to.Body, err = onlyFields(to.Body, r.Fields(env))
	}
	return to, err
}

// HearReply reads the answer to what the row said. It is not for lists, whose
// pages a Collector gathers.
func (r *Route) HearReply(resp *Response, env *Env) (canonical.Reply, error) {
	if _, none := r.Answer.wire().(NoBody); none && (resp.Status != r.Status || r.Status == http.StatusOK) && holds(resp.Body) {
		// Another status, or a body, is some clouds' way; both are somebody else's answer.
		return canonical.Reply{}, canonical.Errorf(canonical.UpstreamError,
			"the cloud answers with status %d and a body where its dialect has %d and none", resp.Status, r.Status)
	}
	reply, err := r.Answer.hear(resp, env)
	if err != nil {
		return canonical.Reply{}, err
	}
	if r.Done != nil && reply.Task == nil {
		reply.Task = r.Done(env.Asked, reply.Result, env)
	}
	return reply, nil
}

// holds says whether a body says anything.
func holds(body []byte) bool {
	text := bytes.TrimSpace(body)
	return len(text) > 0 && !bytes.Equal(text, []byte("null"))
}

// StaticReply is the answer of a Static row.
func (r *Route) StaticReply(env *Env) (*Response, error) {
	status, body := r.Static(env)
	b, err := encodeBody(body, "", env.form())
	return &Response{Status: status, Header: http.Header{}, Body: b}, err
}

// actionOf is the one key of a body that is an object; keys with a colon stand
// beside an action (os:scheduler_hints) and do not count. one is false for any other
// body.
func actionOf(body []byte) (action string, one bool) {
	var m map[string]json.RawMessage
	if json.Unmarshal(body, &m) != nil {
		return "", false
	}
	for k := range m {
		switch {
		case strings.Contains(k, ":") && len(m) > 1:
		case one:
			return "", false
		default:
			action, one = k, true
		}
	}
	return action, one
}

func maxVersion(a, b Version) Version {
	if a.AtLeast(b) {
		return a
	}
	return b
}
