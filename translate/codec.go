package translate

import (
	"reflect"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Asker carries requests both ways. It is made of Ask.
type Asker interface {
	say(req any, env *Env, to *Request) (body any, err error)
	hear(from *Request, action string, env *Env) (req any, err error)
	// wire is a zero value of the body's type.
	wire() any
}

// Ask carries requests of type Req over bodies of type W.
type Ask[Req, W any] struct {
	// Say fills what is not body (to.Params, to.Query, to.Header) and returns the
	// body. It refuses what the call cannot carry, by the canonical field's name.
	Say func(r Req, env *Env, to *Request) (W, error)
	// Hear makes the canonical request. The body has been checked against W: every
	// field is known in this version, and none that is given is binding.
	Hear func(w W, from *Request, env *Env) (Req, error)
}

func (a Ask[Req, W]) say(req any, env *Env, to *Request) (any, error) {
	r, ok := req.(Req)
	if !ok {
		return nil, canonical.Errorf(canonical.Internal, "the row takes %T, not %T", r, req)
	}
	return a.Say(r, env, to)
}

func (a Ask[Req, W]) hear(from *Request, action string, env *Env) (any, error) {
	var w W
	if err := decodeStrict(from.Body, action, env.form(), &w); err != nil {
		return nil, err
	}
	return a.Hear(w, from, env)
}

func (Ask[Req, W]) wire() any { var w W; return w }

// Answerer carries results both ways. It is made of Answer or List.
type Answerer interface {
	say(reply canonical.Reply, env *Env, to *Response) (body any, err error)
	hear(from *Response, env *Env) (canonical.Reply, error)
	wire() any
	tells() bool // something of the result
}

// Answer carries results of type Res over bodies of type W.
type Answer[Res, W any] struct {
	// Say makes the body; it may set to.Header, and to.Status where the row's own
	// does not do.
	Say func(r canonical.TypedReply[Res], env *Env, to *Response) (W, error)
	// Hear makes the canonical result.
	Hear func(w W, from *Response, env *Env) (Res, error)
	// Later is for answers that hold no result but how to ask for it (a job's id);
	// Hear is not asked where it gives a Task. nil: the answer is the result.
	Later func(w W, env *Env) *canonical.Task
}

func (a Answer[Res, W]) say(reply canonical.Reply, env *Env, to *Response) (any, error) {
	r := canonical.TypedReply[Res]{Task: reply.Task, AsOf: reply.AsOf}
	if reply.Result != nil {
		res, ok := reply.Result.(Res)
		if !ok {
			return nil, canonical.Errorf(canonical.Internal, "the row answers %T, not %T", res, reply.Result)
		}
		r.Result = res
	}
	return a.Say(r, env, to)
}

func (a Answer[Res, W]) hear(from *Response, env *Env) (canonical.Reply, error) {
	var w W
	if err := decodeLenient(from.Body, &w); err != nil {
		return canonical.Reply{}, err
	}
	if a.Later != nil {
		if task := a.Later(w, env); task != nil {
			return canonical.Reply{Task: task}, nil
		}
	}
	res, err := a.Hear(w, from, env)
	if err == nil {
		err = named(res)
	}
	return canonical.Reply{Result: res}, err
}

// named refuses a thing without an id: the cloud said something else than what it
// was asked for, such as an error with the status of success.
func named(res any) error {
	item, ok := res.(canonical.Listed)
	if !ok {
		return nil
	}
	if id, _, _ := item.ListKeys(); id == "" {
		return canonical.Errorf(canonical.UpstreamError, "the cloud's answer names nothing")
	}
	return nil
}

func (Answer[Res, W]) wire() any { var w W; return w }

func (a Answer[Res, W]) tells() bool {
	_, none := a.wire().(NoBody)
	return !none && a.Later == nil
}

// Nothing answers without a body, and hears none.
func Nothing[Res any]() Answer[Res, NoBody] {
	return Answer[Res, NoBody]{
		Say:  func(canonical.TypedReply[Res], *Env, *Response) (NoBody, error) { return NoBody{}, nil },
		Hear: func(NoBody, *Response, *Env) (res Res, err error) { return res, nil },
	}
}

// List carries lists of T over bodies of type W, page by page. Southwards the
// engine reads all pages and sorts and filters itself, for few dialects can seek
// by a canonical cursor; northwards the items of one page are given.
type List[T canonical.Listed, W any] struct {
	Say  func(p canonical.Page[T], env *Env, to *Response) (W, error)
	Hear func(w W, from *Response, env *Env) ([]T, error)
	// Next is the request for the page after the one that asked brought; nil: w
	// was the last.
	Next func(w W, asked *Request, got []T) *Request
	// Keep filters northwards by what no canonical filter can say (a pattern of
	// names); nil keeps all.
	Keep func(item *T, env *Env) bool
	// Whole: northwards the answer tells of all items (their number, or a page by
	// number, which no cursor reaches): Say gets all of them and cuts.
	Whole bool
}

func (l List[T, W]) say(reply canonical.Reply, env *Env, to *Response) (any, error) {
	p, ok := reply.Result.(canonical.Page[T])
	if !ok {
		return nil, canonical.Errorf(canonical.Internal, "the row answers %T, not %T", p, reply.Result)
	}
	return l.Say(p, env, to)
}

func (l List[T, W]) hear(from *Response, env *Env) (canonical.Reply, error) {
	items, _, err := l.page(from, nil, env)
	return canonical.Reply{Result: items}, err
}

func (List[T, W]) wire() any { var w W; return w }

func (List[T, W]) tells() bool { return true }

func (l List[T, W]) page(from *Response, asked *Request, env *Env) ([]T, *Request, error) {
	var w W
	if err := decodeLenient(from.Body, &w); err != nil {
		return nil, nil, err
	}
	items, err := l.Hear(w, from, env)
	if err != nil {
		return nil, nil, err
	}
	for i := range items {
		if err := named(items[i]); err != nil {
			return nil, nil, err
		}
	}
	if l.Next == nil || asked == nil {
		return items, nil, nil
	}
	return items, l.Next(w, asked, items), nil
}

// Collector gathers the pages of a list southwards.
type Collector interface {
	// Add takes one page and says what to ask next; nil at the end.
	Add(from *Response, asked *Request, env *Env) (*Request, error)
	// Len is how many items there are by now.
	Len() int
	// Result is the page that the canonical request asks for.
	Result(req any) (any, error)
}

// Gatherer gathers pages of a cloud, northwards, until they are the page that a
// client asked for.
type Gatherer interface {
	// Add takes the next page and says at which cursor to go on; "" is the end.
	Add(page any, env *Env) (next string, err error)
	// Page is what was gathered; its cursor, if any, says only that there is more.
	Page() any
}

// Lister is an Answerer of lists.
type Lister interface {
	Answerer
	Collect() Collector
	// Gather begins a page of that many items in that order.
	Gather(asked canonical.ListOptions) Gatherer
}

var _ Lister = List[canonical.Server, NoBody]{}

// Collect implements Lister.
func (l List[T, W]) Collect() Collector {
	return &collector[T, W]{list: l, seen: map[canonical.ID]bool{}}
}

type collector[T canonical.Listed, W any] struct {
	list  List[T, W]
	items []T
	seen  map[canonical.ID]bool
}

// Add leaves out what an earlier page had: pages by number shift while things come
// and go, and some clouds give the first page for every marker.
func (c *collector[T, W]) Add(from *Response, asked *Request, env *Env) (*Request, error) {
	items, next, err := c.list.page(from, asked, env)
	for _, item := range items {
		if id, _, _ := item.ListKeys(); !c.seen[id] {
			c.seen[id] = true
			c.items = append(c.items, item)
		}
	}
	return next, err
}

func (c *collector[T, W]) Len() int { return len(c.items) }

func (c *collector[T, W]) Result(req any) (any, error) {
	kept := c.items
	if m, ok := req.(interface{ Match(item *T) bool }); ok {
		kept = kept[:0]
		for i := range c.items {
			if m.Match(&c.items[i]) {
				kept = append(kept, c.items[i])
			}
		}
	}
	opts, ok := req.(interface{ Listing() canonical.ListOptions })
	if !ok {
		return nil, canonical.Errorf(canonical.Internal, "%T is not the request of a list", req)
	}
	return canonical.Arrange(kept, opts.Listing())
}

// Gather implements Lister.
func (l List[T, W]) Gather(asked canonical.ListOptions) Gatherer {
	asked = asked.OrDefault()
	g := &gatherer[T, W]{list: l, most: asked.Limit, by: asked.Sort}
	if l.Whole {
		g.most = canonical.MaxWhole
	}
	return g
}

type gatherer[T canonical.Listed, W any] struct {
	list List[T, W]
	most int
	by   canonical.Sort
	page canonical.Page[T]
}

func (g *gatherer[T, W]) Add(page any, env *Env) (string, error) {
	p, ok := page.(canonical.Page[T])
	if !ok {
		return "", canonical.Errorf(canonical.Internal, "the row lists %T, not %T", p, page)
	}
	items := g.page.Items
	for i := range p.Items {
		if g.list.Keep == nil || g.list.Keep(&p.Items[i], env) {
			items = append(items, p.Items[i])
		}
	}
	next := p.NextCursor
	g.page, g.page.Items = p, items
	if len(items) < g.most {
		return next, nil
	}
	if len(items) > g.most {
		g.cut()
	}
	if g.list.Whole && g.page.NextCursor != "" {
		return "", canonical.Invalid("limit", "there are more than %d of these: filter the list", g.most)
	}
	return "", nil
}

// cut leaves as many items as were asked for. Where the list went on is then behind
// the last of them.
func (g *gatherer[T, W]) cut() {
	g.page.Items = g.page.Items[:g.most]
	g.page.NextCursor = canonical.Cursor{Sort: g.by, After: map[string]canonical.Position{
		"": canonical.PositionOf(g.page.Items[g.most-1], g.by),
	}}.String()
}

func (g *gatherer[T, W]) Page() any { return g.page }

// ByID asks by a parameter of the path, without a body: for requests whose id is in
// the path of the canonical route too. What else Req holds is zero.
func ByID[Req any](param string) Ask[Req, NoBody] {
	field := idField(reflect.TypeFor[Req]())
	return Ask[Req, NoBody]{
		Say: func(r Req, _ *Env, to *Request) (NoBody, error) {
			to.Params[param] = reflect.ValueOf(r).Field(field).String()
			return NoBody{}, nil
		},
		Hear: func(_ NoBody, from *Request, _ *Env) (r Req, err error) {
			reflect.ValueOf(&r).Elem().Field(field).SetString(from.Params[param])
			return r, nil
		},
	}
}

// ByPath asks by the parameters of the path, without a body: for requests that are made
// of what is in the path of the canonical route; the row's path has the same names.
func ByPath[Req any]() Ask[Req, NoBody] {
	return Ask[Req, NoBody]{
		Say: func(r Req, _ *Env, to *Request) (NoBody, error) {
			SayPath(r, to)
			return NoBody{}, nil
		},
		Hear: func(_ NoBody, from *Request, _ *Env) (r Req, err error) {
			HearPath(from, &r)
			return r, nil
		},
	}
}

// SayPath fills the parameters of a row's path from the fields of a canonical request
// that its own route has in the path by the same names.
func SayPath(req any, to *Request) {
	v := reflect.ValueOf(req)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("path"); name != "" {
			to.Params[name] = v.Field(i).String()
		}
	}
}

// HearPath is SayPath the other way; req is a pointer to a canonical request.
func HearPath(from *Request, req any) {
	v := reflect.ValueOf(req).Elem()
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("path"); name != "" {
			v.Field(i).SetString(from.Params[name])
		}
	}
}

// IDOf is the id in the path of a canonical request.
func IDOf(req any) canonical.ID {
	v := reflect.ValueOf(req)
	return canonical.ID(v.Field(idField(v.Type())).String())
}

// idField is the field of a request that its canonical route calls id.
func idField(t reflect.Type) int {
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("path") == "id" {
			return i
		}
	}
	panic("translate: " + t.String() + " has no id in its path")
}
