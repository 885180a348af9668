package translate

import (
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
	if err := decodeStrict(from.Body, action, env.Version, &w); err != nil {
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
	return canonical.Reply{Result: res}, err
}

func (Answer[Res, W]) wire() any { var w W; return w }

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

func (l List[T, W]) page(from *Response, asked *Request, env *Env) ([]T, *Request, error) {
	var w W
	if err := decodeLenient(from.Body, &w); err != nil {
		return nil, nil, err
	}
	items, err := l.Hear(w, from, env)
	if err != nil || l.Next == nil || asked == nil {
		return items, nil, err
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

// Lister is an Answerer of lists.
type Lister interface {
	Answerer
	Collect() Collector
	// WantsAll says whether northwards all items are read before they are said.
	WantsAll() bool
	// Filter keeps of a page what Keep wants; it says how many were dropped.
	Filter(page any, env *Env) (kept any, dropped int)
	// Join appends the items of b to those of a and takes the cursor of b; cut
	// limits the items, and sets the cursor to the last that remains.
	Join(a, b any, limit int, by canonical.Sort) any
}

var _ Lister = List[canonical.Server, NoBody]{}

// Collect implements Lister.
func (l List[T, W]) Collect() Collector { return &collector[T, W]{list: l} }

type collector[T canonical.Listed, W any] struct {
	list  List[T, W]
	items []T
}

func (c *collector[T, W]) Add(from *Response, asked *Request, env *Env) (*Request, error) {
	items, next, err := c.list.page(from, asked, env)
	c.items = append(c.items, items...)
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

// WantsAll implements Lister.
func (l List[T, W]) WantsAll() bool { return l.Whole }

// Filter implements Lister.
func (l List[T, W]) Filter(page any, env *Env) (any, int) {
	p, ok := page.(canonical.Page[T])
	if !ok || l.Keep == nil {
		return page, 0
	}
	kept := make([]T, 0, len(p.Items))
	for i := range p.Items {
		if l.Keep(&p.Items[i], env) {
			kept = append(kept, p.Items[i])
		}
	}
	dropped := len(p.Items) - len(kept)
	p.Items = kept
	return p, dropped
}

// Join implements Lister.
func (l List[T, W]) Join(a, b any, limit int, by canonical.Sort) any {
	first, _ := a.(canonical.Page[T])
	second, _ := b.(canonical.Page[T])
	second.Items = append(first.Items, second.Items...)
	if len(second.Items) > limit {
		second.Items = second.Items[:limit]
		if second.NextCursor == "" { // the client asks by marker; any text says that there is more
			second.NextCursor = canonical.Cursor{Sort: by, After: map[string]canonical.Position{
				"": canonical.PositionOf(second.Items[limit-1], by),
			}}.String()
		}
	}
	return second
}
