package main

import (
	"context"
	"reflect"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// withIDs turns a name that stands for the id of a cloud's thing into the id: ids
// there hold a colon (<cloud>:<native id>). Names are exact, and must be one thing's.
func (v *verb) withIDs(ctx context.Context, cloud canonical.Cloud, args []string) ([]string, error) {
	kind := kindOf(v.op)
	list := canonical.Lookup(kind + ".list")
	if len(args) != 1 || v.params[0] != "id" || strings.Contains(args[0], ":") || !named(list) {
		return args, nil
	}
	request := reflect.New(list.Request).Elem()
	request.FieldByName("Name").SetString(args[0])
	reply, err := canonical.Do(ctx, cloud, canonical.Call{Op: list, Request: request.Interface()})
	if err != nil {
		return nil, err
	}
	found := idsOf(reply.Result)
	switch len(found) {
	case 0:
		return nil, canonical.Errorf(canonical.NotFound, "no %s is named %s", canonical.Spoken(kind), args[0])
	case 1:
		return found, nil
	default:
		return nil, canonical.Errorf(canonical.FailedPrecondition, "%d %s are named %s; give the id: %s",
			len(found), canonical.Plural(canonical.Spoken(kind)), args[0], strings.Join(found, ", "))
	}
}

// kindOf is what the id in an operation's path is of: a snapshot is made of a server.
func kindOf(op *canonical.Spec) string {
	for _, f := range reflect.VisibleFields(op.Request) {
		if f.Tag.Get("path") == "id" && f.Tag.Get("of") != "" {
			return f.Tag.Get("of")
		}
	}
	return op.Resource()
}

// named says whether a list is of clouds' things, and can be asked for a name.
func named(list *canonical.Spec) bool {
	if list == nil {
		return false
	}
	items, ok := list.Result.FieldByName("Items")
	if !ok {
		return false
	}
	_, ofClouds := items.Type.Elem().FieldByName("Cloud")
	_, byName := list.Request.FieldByName("Name")
	return ofClouds && byName
}

// idsOf are the ids of a page's items.
func idsOf(page any) []string {
	items := reflect.ValueOf(page).FieldByName("Items")
	ids := make([]string, 0, items.Len())
	for i := range items.Len() {
		if item, ok := items.Index(i).Interface().(canonical.Listed); ok {
			id, _, _ := item.ListKeys()
			ids = append(ids, string(id))
		}
	}
	return ids
}
