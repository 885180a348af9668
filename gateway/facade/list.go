package facade

import (
	"context"
	"reflect"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// listed is what the requests of lists have by embedding canonical.ListOptions.
type listed interface{ Listing() canonical.ListOptions }

// list reads on where the dialect filters by what no canonical filter says, until
// the page is as long as the client asked for, and to the end where the answer tells
// of all items.
func (f *Facade) list(ctx context.Context, l translate.Lister, call canonical.Call, env *translate.Env) (canonical.Reply, error) {
	req, ok := call.Request.(listed)
	if !ok {
		return canonical.Reply{}, canonical.Errorf(canonical.Internal, "%T is not the request of a list", call.Request)
	}
	gathered := l.Gather(req.Listing())
	for at := ""; ; {
		reply, err := f.do(ctx, call)
		if err != nil {
			return reply, err
		}
		next, err := gathered.Add(reply.Result, env)
		if err != nil || next == "" {
			reply.Result = gathered.Page()
			return reply, err
		}
		if next == at {
			return reply, canonical.Errorf(canonical.UpstreamError, "a list does not go on")
		}
		at, call.Request = next, withCursor(call.Request, next)
	}
}

// withCursor is the request of a list, going on at cursor.
func withCursor(req any, cursor string) any {
	v := reflect.New(reflect.TypeOf(req)).Elem()
	v.Set(reflect.ValueOf(req))
	if f := v.FieldByName("Cursor"); f.IsValid() {
		f.SetString(cursor)
	}
	return v.Interface()
}
