package canonical

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// Effect says what an operation does to the world. Policy decides by effect and
// resource, caches by effect alone.
type Effect string

// The effects.
const (
	Read   Effect = "read"   // changes nothing; may be repeated and cached
	Write  Effect = "write"  // creates or changes
	Delete Effect = "delete" // removes; repeating it is harmless
)

// Spec is the declaration of one operation: all that layers which treat every
// operation alike need to know. Specs are made by this package only and compared
// by pointer.
type Spec struct {
	Name   string // resource.verb, the contract's name
	Effect Effect // what it does to the world
	Method string // HTTP method of the canonical route
	Path   string // canonical route, parameters in braces
	Long   bool   // a cloud may finish later: the gateway answers 202
	// Streams says that the request or the result holds a Content: it takes as long as
	// its bytes take, and nobody holds it in memory or may repeat it.
	Streams bool
	Request reflect.Type // struct: fields tagged path, query or json
	Result  reflect.Type // what a Reply carries; None where there is nothing
}

// Resource is the part of the name before the last dot: "server".
func (s *Spec) Resource() string { return s.Name[:strings.LastIndexByte(s.Name, '.')] }

// Verb is the part of the name after the last dot: "create".
func (s *Spec) Verb() string { return s.Name[strings.LastIndexByte(s.Name, '.')+1:] }

// Success is the HTTP status of the final result: 201 for what a create made,
// 204 where there is no result, else 200. Work that is still under way is 202.
func (s *Spec) Success() int {
	switch {
	case s.Result == reflect.TypeFor[None]():
		return http.StatusNoContent
	case s.Verb() == "create":
		return http.StatusCreated
	default:
		return http.StatusOK
	}
}

func (s *Spec) String() string { return s.Name }

// Op is an operation with its types: the front that callers use.
type Op[Req, Res any] struct{ spec *Spec }

// Spec returns the declaration.
func (o Op[Req, Res]) Spec() *Spec { return o.spec }

// Do performs the operation on c. Every caller goes through it, so checks of the
// request and the context of errors are written here and in no Cloud. The error,
// if any, is always an *Error.
func (o Op[Req, Res]) Do(ctx context.Context, c Cloud, req Req) (TypedReply[Res], error) {
	reply, err := Do(ctx, c, Call{Op: o.spec, Request: req})
	if err != nil {
		return TypedReply[Res]{}, err
	}
	return typed[Res](o.spec, reply)
}

// Do performs a call whose types are known only at run time, with the checks and
// the error context of Op.Do.
func Do(ctx context.Context, c Cloud, call Call) (Reply, error) {
	if got := reflect.TypeOf(call.Request); got != call.Op.Request {
		return Reply{}, Errorf(Internal, "%s takes %v, not %v", call.Op.Name, call.Op.Request, got)
	}
	if v, ok := call.Request.(validator); ok {
		if err := v.Validate(); err != nil {
			return Reply{}, inOperation(err, call.Op)
		}
	}
	var err error
	if call.Request, err = measure(call.Request, call.Op); err != nil {
		return Reply{}, inOperation(err, call.Op)
	}
	reply, err := c.Do(ctx, call)
	if err != nil {
		return Reply{}, inOperation(err, call.Op)
	}
	return reply, nil
}

// validator is what requests implement whose fields depend on each other.
type validator interface{ Validate() error }

func typed[Res any](op *Spec, r Reply) (TypedReply[Res], error) {
	out := TypedReply[Res]{Task: r.Task, AsOf: r.AsOf}
	if r.Result == nil {
		return out, nil
	}
	res, ok := r.Result.(Res)
	if !ok {
		return out, Errorf(Internal, "%s answered %T, not %T", op.Name, r.Result, res)
	}
	out.Result = res
	return out, nil
}

// registry holds every declared operation; it is filled while the package's
// variables are initialised and only read afterwards.
var registry []*Spec

// op declares an operation; route is "METHOD /path".
func op[Req, Res any](name string, effect Effect, route string) Op[Req, Res] {
	method, path, ok := strings.Cut(route, " ")
	if !ok {
		panic(fmt.Sprintf("canonical: %s: route %q is not METHOD /path", name, route))
	}
	s := &Spec{
		Name: name, Effect: effect, Method: method, Path: path,
		Request: reflect.TypeFor[Req](), Result: reflect.TypeFor[Res](),
	}
	s.Streams = holdsContent(s.Request) || holdsContent(s.Result)
	registry = append(registry, s)
	return Op[Req, Res]{s}
}

// long declares an operation that a cloud may finish after it has answered.
func long[Req, Res any](name string, effect Effect, route string) Op[Req, Res] {
	o := op[Req, Res](name, effect, route)
	o.spec.Long = true
	return o
}

// Ops returns every declared operation, sorted by name.
func Ops() []*Spec {
	all := slices.Clone(registry)
	slices.SortFunc(all, func(a, b *Spec) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Lookup returns the operation of that name, or nil.
func Lookup(name string) *Spec {
	for _, s := range registry {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// None is the result of operations that have none.
type None struct{}
