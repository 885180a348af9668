package broker

import (
	"context"
	"reflect"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// resolve replaces the names in a request by ids of the member. What is there under
// neither, or not for this caller, is InvalidRequest that names the field.
func (v *view) resolve(ctx context.Context, op *canonical.Spec, request any) (any, error) {
	req := reflect.New(reflect.TypeOf(request)).Elem()
	req.Set(reflect.ValueOf(request))
	var failure error
	canonical.EachRef(req, func(path, kind string, ref canonical.Ref) canonical.Ref {
		if failure != nil {
			return ref
		}
		var out canonical.Ref
		out, failure = v.find(ctx, path, kind, ref)
		return out
	})
	if failure == nil {
		failure = v.ownIDs(ctx, op, req)
	}
	return req.Interface(), failure
}

// find is the id that a reference means. An id wins over a name.
func (v *view) find(ctx context.Context, path, kind string, ref canonical.Ref) (canonical.Ref, error) {
	cloud, _ := canonical.ID(ref).Split()
	id := canonical.ID(ref)
	switch {
	case cloud == v.m.Name:
	case v.b.knows(cloud):
		return "", canonical.Invalid(path, "is of cloud %s, not of %s", cloud, v.m.Name)
	default:
		id = canonical.MakeID(v.m.Name, string(ref))
	}
	get, list := canonical.Lookup(kind+".get"), canonical.Lookup(kind+".list")
	if get == nil || list == nil || v.cloud.Support(ctx, list).Level == canonical.No {
		return ref, v.freeFor(ctx, path, kind, id) // a kind that only the cloud itself can resolve
	}
	r, err := v.call(ctx, canonical.Call{Op: get, Request: withTarget(reflect.Zero(get.Request).Interface(), id)})
	switch canonical.CodeOf(err) { //nolint:exhaustive // every other code is a failure
	case "":
		if _, ok, err := v.seeOne(ctx, kind, r.Result); err != nil {
			return "", err
		} else if ok {
			return canonical.Ref(id), nil
		}
	case canonical.NotFound, canonical.InvalidRequest, canonical.Unsupported:
	default:
		return "", err
	}
	return v.named(ctx, path, kind, list, ref)
}

func (v *view) named(ctx context.Context, path, kind string, list *canonical.Spec, ref canonical.Ref) (canonical.Ref, error) {
	req := reflect.New(list.Request).Elem()
	req.FieldByName("Name").SetString(string(ref))
	r, err := lists[list](ctx, []*view{v}, req.Interface())
	if err != nil {
		return "", err
	}
	items := reflect.ValueOf(r.Result).FieldByName("Items")
	switch items.Len() {
	case 0:
		return "", notThere(path, kind, ref, v.m.Name)
	case 1:
		id, _, _ := items.Index(0).Interface().(canonical.Listed).ListKeys()
		return canonical.Ref(id), nil
	default:
		return "", canonical.Invalid(path, "several of kind %s on %s are named %q: give an id", kind, v.m.Name, ref)
	}
}

func notThere(path, kind string, ref canonical.Ref, cloud string) error {
	return canonical.Invalid(path, "there is no %s %q on %s", kind, ref, cloud)
}
