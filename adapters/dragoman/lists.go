package dragoman

import (
	"context"
	"reflect"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// sealed is the place in a cursor of ours where the remote's own cursor stands, a
// sealed text. No cloud can have this name.
const sealed = ":"

// list performs the call of a list. The remote takes its own cursors alone, so ours
// hold them; a layer before this one may also go on behind an item.
func (c *Cloud) list(ctx context.Context, call canonical.Call, o canonical.ListOptions) (canonical.Reply, error) {
	at, err := o.Position()
	if err != nil {
		return canonical.Reply{}, err
	}
	after, seek := at.After[""]
	remote := at.After[sealed].Key
	switch {
	case seek:
		return c.seek(ctx, call, o.OrDefault(), after)
	case remote == "" && o.Cursor != "":
		return canonical.Reply{}, canonical.Invalid("cursor", "is not of this cloud")
	}
	reply, err := c.exchange(ctx, withListing(call, canonical.ListOptions{Limit: o.Limit, Sort: o.Sort, Cursor: remote}))
	if err != nil {
		return reply, err
	}
	page := pageOf(reply)
	page.FieldByName("NextCursor").SetString(cursor(page.FieldByName("NextCursor").String(), o.OrDefault().Sort))
	reply.Result = page.Interface()
	return reply, nil
}

// seek is the page behind a position: the list is read from its beginning up to it.
func (c *Cloud) seek(ctx context.Context, call canonical.Call, o canonical.ListOptions, after canonical.Position) (canonical.Reply, error) {
	whole := canonical.ListOptions{Limit: canonical.MaxLimit, Sort: o.Sort}
	for read := 0; read <= canonical.MaxWhole; read += whole.Limit {
		reply, err := c.exchange(ctx, withListing(call, whole))
		if err != nil {
			return reply, err
		}
		page := pageOf(reply)
		items, next := behind(page.FieldByName("Items"), o.Sort, after), page.FieldByName("NextCursor")
		if items.Len() == 0 && next.Len() > 0 {
			whole.Cursor = next.String()
			continue
		}
		next.SetString(cursor(next.String(), o.Sort))
		if items.Len() > o.Limit {
			items = items.Slice(0, o.Limit)
			next.SetString(canonical.Cursor{Sort: o.Sort, After: map[string]canonical.Position{"": position(items.Index(o.Limit-1), o.Sort)}}.String())
		}
		page.FieldByName("Items").Set(items)
		reply.Result = page.Interface()
		return reply, nil
	}
	return canonical.Reply{}, canonical.Invalid("cursor", "stands behind more than %d items: filter the list", canonical.MaxWhole)
}

// cursor is the remote's cursor as one of ours.
func cursor(remote string, sort canonical.Sort) string {
	if remote == "" {
		return ""
	}
	return canonical.Cursor{Sort: sort, After: map[string]canonical.Position{sealed: {Key: remote}}}.String()
}

// behind are the items of a page, which is sorted, that come after that position.
func behind(items reflect.Value, sort canonical.Sort, after canonical.Position) reflect.Value {
	for i := range items.Len() {
		if sort.Compare(position(items.Index(i), sort), after) > 0 {
			return items.Slice(i, items.Len())
		}
	}
	return items.Slice(0, 0)
}

func position(item reflect.Value, sort canonical.Sort) canonical.Position {
	l, _ := item.Interface().(canonical.Listed) // whole has seen that it is
	return canonical.PositionOf(l, sort)
}

// pageOf is the page of a reply, to be changed.
func pageOf(r canonical.Reply) reflect.Value {
	page := reflect.New(reflect.TypeOf(r.Result)).Elem()
	page.Set(reflect.ValueOf(r.Result))
	return page
}

func withListing(call canonical.Call, o canonical.ListOptions) canonical.Call {
	request := reflect.New(call.Op.Request).Elem()
	request.Set(reflect.ValueOf(call.Request))
	request.FieldByName("ListOptions").Set(reflect.ValueOf(o))
	return canonical.Call{Op: call.Op, Request: request.Interface()}
}
