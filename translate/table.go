package translate

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Route is one row: one operation over one call.
type Route struct {
	ID      string // of the catalogue; those of calls that it lacks begin with the dialect's name too
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

	// Static answers without any operation, northwards (version documents).
	Static func(env *Env) (status int, body any)
	Open   bool // northwards: needs no authentication
}

// Table is a dialect.
type Table struct {
	Dialect string
	Rows    []Route
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

// Row finds the row that says req: the first that can carry it.
func (t *Table) Row(op *canonical.Spec, req any) (*Route, bool) {
	for _, r := range t.ForOp(op) {
		if r.Can == nil || r.Can(req) {
			return r, true
		}
	}
	return nil, false
}

// Say writes req as the row's call. It finds the lowest version that carries what
// the request holds, but not below the row's Want, within the cloud's window, and
// leaves it in env.Version.
func (t *Table) Say(row *Route, req any, env *Env, cloud Window) (*Request, error) {
	env.Asked = req
	env.Version = cloud.Max
	if _, body, err := row.say(req, env); err != nil {
		return nil, err
	} else if !cloud.Max.IsZero() {
		env.Version = cloud.Clamp(maxVersion(row.Since, row.Want))
		if need := minVersion(body); need.Compare(env.Version) > 0 {
			env.Version = need
		}
		if env.Version.Compare(cloud.Max) > 0 || !row.span().has(env.Version) {
			return nil, canonical.Errorf(canonical.Unsupported,
				"the cloud's API is too old or too new: it speaks %s to %s, this needs %s", cloud.Min, cloud.Max, env.Version)
		}
	}
	to, body, err := row.say(req, env)
	if err != nil {
		return nil, err
	}
	if name, lost := overfull(body, env.Version); lost {
		return nil, canonical.Errorf(canonical.Unsupported,
			"what else is asked for needs version %s of the cloud's API, which has no %s any more", env.Version, name)
	}
	if to.Body, err = encodeBody(body, row.Action, env.Version); err != nil {
		return nil, err
	}
	if t.Version != nil && !env.Version.IsZero() {
		t.Version(to, env.Version)
	}
	env.Wire = to
	return to, nil
}

func (r *Route) span() span { return span{r.Since, r.Until} }

// Offered says whether a cloud of that window has the call at all.
func (r *Route) Offered(cloud Window) bool {
	return cloud.Max.IsZero() || cloud.Max.AtLeast(r.Since) && (r.Until.IsZero() || r.Until.AtLeast(cloud.Min))
}

func (r *Route) say(req any, env *Env) (*Request, any, error) {
	to := &Request{
		Service: r.Service, Method: r.Method, Params: map[string]string{"tenant_id": env.Project},
		Query: map[string][]string{}, Header: http.Header{},
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

// Candidates are the rows that method, path and action allow. known says whether
// the path is one of the dialect's at all, with whatever method.
func (t *Table) Candidates(req *Request) (rows []Candidate, known bool) {
	action := actionOf(req.Body)
	for i := range t.Rows {
		r := &t.Rows[i]
		if r.Service != req.Service {
			continue
		}
		params, ok := match(r.Path, req.Path)
		if !ok {
			continue
		}
		known = true
		if r.Method == req.Method && (r.Action == "" || r.Action == action) {
			rows = append(rows, Candidate{r, params})
		}
	}
	return rows, known
}

// Pick is the one of the candidates that the request means, by the facts in env.
func Pick(rows []Candidate, req *Request, env *Env) (Candidate, bool) {
	for _, c := range rows {
		req.Params = c.Params
		if c.Row.span().has(env.Version) && (c.Row.When == nil || c.Row.When(req, env)) {
			return c, true
		}
	}
	return Candidate{}, false
}

// HearRequest makes the canonical request of what the row heard.
func (r *Route) HearRequest(req *Request, env *Env) (any, error) {
	env.Wire = req
	asked, err := r.Ask.hear(req, r.Action, env)
	env.Asked = asked
	return asked, err
}

// SayReply writes the answer to what the row heard.
func (r *Route) SayReply(reply canonical.Reply, env *Env) (*Response, error) {
	to := &Response{Status: r.Status, Header: http.Header{}}
	body, err := r.Answer.say(reply, env, to)
	if err != nil {
		return nil, err
	}
	to.Body, err = encodeBody(body, "", env.Version)
	return to, err
}

// HearReply reads the answer to what the row said. It is not for lists, whose
// pages a Collector gathers.
func (r *Route) HearReply(resp *Response, env *Env) (canonical.Reply, error) {
	reply, err := r.Answer.hear(resp, env)
	if err != nil {
		return canonical.Reply{}, err
	}
	if r.Done != nil && reply.Task == nil {
		reply.Task = r.Done(env.Asked, reply.Result, env)
	}
	return reply, nil
}

// StaticReply is the answer of a Static row.
func (r *Route) StaticReply(env *Env) (*Response, error) {
	status, body := r.Static(env)
	b, err := encodeBody(body, "", env.Version)
	return &Response{Status: status, Header: http.Header{}, Body: b}, err
}

// actionOf is the one key of a body that is an object; keys with a colon stand
// beside an action (os:scheduler_hints) and do not count.
func actionOf(body []byte) string {
	var m map[string]json.RawMessage
	if json.Unmarshal(body, &m) != nil {
		return ""
	}
	var action string
	for k := range m {
		switch {
		case strings.Contains(k, ":") && len(m) > 1:
		case action != "":
			return ""
		default:
			action = k
		}
	}
	return action
}

func maxVersion(a, b Version) Version {
	if a.AtLeast(b) {
		return a
	}
	return b
}
