package broker

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// router performs what clouds perform: on one of them, or on all.
type router struct{ b *Broker }

// Support implements canonical.Cloud: the best that any member offers.
func (r *router) Support(ctx context.Context, op *canonical.Spec) canonical.Support {
	views, err := r.b.views(ctx)
	if err != nil {
		return canonical.Unsupportedf("%s", canonical.AsError(err).Detail)
	}
	best := canonical.Support{Level: canonical.No}
	var reasons []string
	for _, v := range views {
		switch s := v.cloud.Support(ctx, op); s.Level {
		case canonical.Native:
			return s
		case canonical.Emulated:
			best = s
		case canonical.No, canonical.Undeclared:
			reasons = append(reasons, s.Reason)
		}
	}
	if best.Level == canonical.No {
		slices.Sort(reasons)
		best.Reason = cmp.Or(strings.Join(slices.Compact(reasons), "; "), "the tenant has no cloud")
	}
	return best
}

// Do implements canonical.Cloud.
func (r *router) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	if err := ctx.Err(); err != nil {
		return canonical.Reply{}, canonical.AsError(err)
	}
	views, err := r.b.views(ctx)
	if err != nil {
		return canonical.Reply{}, err
	}
	if list, ok := lists[call.Op]; ok {
		return list(ctx, views, call.Request)
	}
	if len(views) == 0 {
		return canonical.Reply{}, canonical.Errorf(canonical.NotFound, "the tenant has no cloud")
	}
	if id, kind, ok := target(call); ok {
		return r.onOne(ctx, views, call, id, kind)
	}
	return r.place(ctx, views, call)
}

// target is the id in the request's path that says what the call is about.
func target(call canonical.Call) (id canonical.ID, kind string, ok bool) {
	v := reflect.ValueOf(call.Request)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if id, is := v.Field(i).Interface().(canonical.ID); is && f.Tag.Get("path") == "id" {
			if kind = f.Tag.Get("of"); kind == "" {
				kind = call.Op.Resource()
			}
			return id, kind, true
		}
	}
	return "", "", false
}

// withTarget is the request with another id in its path.
func withTarget(req any, id canonical.ID) any {
	v := reflect.New(reflect.TypeOf(req)).Elem()
	v.Set(reflect.ValueOf(req))
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("path") == "id" {
			v.Field(i).SetString(string(id))
		}
	}
	return v.Interface()
}

func (r *router) onOne(ctx context.Context, views []*view, call canonical.Call, id canonical.ID, kind string) (canonical.Reply, error) {
	v, id, err := r.locate(ctx, views, id, kind)
	if err != nil {
		return canonical.Reply{}, err
	}
	call.Request = withTarget(call.Request, id)
	if s := v.cloud.Support(ctx, call.Op); s.Level == canonical.No {
		return canonical.Reply{}, r.unsupported(ctx, views, call.Op, v, s)
	}
	if err := v.reaches(ctx, call.Op, kind, id); err != nil {
		return canonical.Reply{}, err
	}
	if call.Request, err = v.resolve(ctx, call.Op, call.Request); err != nil {
		return canonical.Reply{}, err
	}
	return v.do(ctx, call)
}

func (r *router) unsupported(ctx context.Context, views []*view, op *canonical.Spec, v *view, s canonical.Support) error {
	e := &canonical.Error{Code: canonical.Unsupported, Detail: s.Reason, Cloud: v.m.Name}
	for _, other := range views {
		if l := other.cloud.Support(ctx, op).Level; l == canonical.Native || l == canonical.Emulated {
			e.SupportedBy = append(e.SupportedBy, other.m.Name)
		}
	}
	return e
}

// locate finds the cloud of an id. One that names none belongs to the only cloud,
// else to the one that has it.
func (r *router) locate(ctx context.Context, views []*view, id canonical.ID, kind string) (*view, canonical.ID, error) {
	missing := canonical.Errorf(canonical.NotFound, "there is no such %s", kind)
	if cloud, _ := id.Split(); r.b.knows(cloud) {
		for _, v := range views {
			if v.m.Name == cloud {
				return v, id, nil
			}
		}
		return nil, "", missing
	}
	get := canonical.Lookup(kind + ".get")
	if len(views) == 1 || get == nil {
		return views[0], canonical.MakeID(views[0].m.Name, string(id)), nil
	}
	return r.search(ctx, views, id, get, missing)
}

func (b *Broker) knows(cloud string) bool {
	return slices.ContainsFunc(b.Members, func(m Member) bool { return m.Name == cloud })
}

// search asks all clouds for a native id. A cloud that did not answer may have it,
// so nothing found is NotFound only when all answered.
func (r *router) search(ctx context.Context, views []*view, id canonical.ID, get *canonical.Spec, missing error) (*view, canonical.ID, error) {
	errs := each(views, func(v *view) error {
		qualified := canonical.MakeID(v.m.Name, string(id))
		if err := v.reaches(ctx, get, get.Resource(), qualified); err != nil {
			return err
		}
		_, err := v.call(ctx, canonical.Call{Op: get, Request: withTarget(reflect.Zero(get.Request).Interface(), qualified)})
		return err
	})
	var found []*view
	var failure error
	for i, err := range errs {
		switch canonical.CodeOf(err) { //nolint:exhaustive // every other code is a failure
		case "":
			found = append(found, views[i])
		case canonical.NotFound, canonical.InvalidRequest, canonical.Unsupported:
		default:
			failure = err
		}
	}
	switch {
	case len(found) == 1:
		return found[0], canonical.MakeID(found[0].m.Name, string(id)), nil
	case len(found) > 1:
		return nil, "", canonical.Errorf(canonical.FailedPrecondition, "several clouds have it (%s): name one with cloud=", names(found))
	case failure != nil:
		return nil, "", failure
	default:
		return nil, "", missing
	}
}

// place performs a create: on the cloud that the request pins, else on the only
// one that could.
func (r *router) place(ctx context.Context, views []*view, call canonical.Call) (canonical.Reply, error) {
	views, err := r.pinned(views, call.Request)
	if err != nil {
		return canonical.Reply{}, err
	}
	if call.Op != canonical.CreateAggregate.Spec() { // whose zone may be a new one
		if views, err = inZone(ctx, views, call.Request); err != nil {
			return canonical.Reply{}, err
		}
	}
	able := slices.DeleteFunc(views, func(v *view) bool { return v.cloud.Support(ctx, call.Op).Level == canonical.No })
	if len(able) == 0 {
		return canonical.Reply{}, &canonical.Error{Code: canonical.Unsupported, Detail: r.Support(ctx, call.Op).Reason}
	}
	found, request, err := suitable(ctx, able, call)
	switch len(found) {
	case 0:
		return canonical.Reply{}, err
	case 1:
		call.Request = request
		return found[0].do(ctx, call)
	default:
		return canonical.Reply{}, canonical.Errorf(canonical.FailedPrecondition, "several clouds could (%s): name one with cloud=, or with a zone as cloud:zone", names(found))
	}
}

// pinned are the views that the request leaves: where it names a cloud, that one.
func (r *router) pinned(views []*view, request any) ([]*view, error) {
	cloud, field := "", "cloud"
	if f := reflect.ValueOf(request).FieldByName("Cloud"); f.IsValid() {
		cloud = f.String()
	}
	if at, zone := zoneOf(request); cloud == "" {
		if of, _ := canonical.ID(zone).Split(); r.b.knows(of) {
			cloud, field = of, at
		}
	}
	if cloud == "" {
		return views, nil
	}
	if !r.b.knows(cloud) {
		return nil, canonical.Invalid("cloud", "there is no cloud %q", cloud)
	}
	views = slices.DeleteFunc(views, func(v *view) bool { return v.m.Name != cloud })
	if len(views) == 0 {
		return nil, canonical.Invalid(field, "%q is not among the clouds of this call", cloud)
	}
	return views, nil
}

// zoneOf is the zone that a create asks for, and the field that names it.
func zoneOf(request any) (field string, zone canonical.Ref) {
	v := reflect.New(reflect.TypeOf(request)).Elem()
	v.Set(reflect.ValueOf(request))
	canonical.EachRef(v, func(path, kind string, ref canonical.Ref) canonical.Ref {
		if kind == "availability_zone" {
			field, zone = path, ref
		}
		return ref
	})
	return field, zone
}

// inZone are the views that have the zone which the request names, where there is a
// choice; one alone judges for itself.
func inZone(ctx context.Context, views []*view, request any) ([]*view, error) {
	field, zone := zoneOf(request)
	if zone == "" || len(views) < 2 {
		return views, nil
	}
	op := canonical.ListAvailabilityZones
	type found struct {
		has bool
		err error
	}
	answers := each(views, func(v *view) found {
		ctx, cancel := v.deadline(ctx)
		defer cancel()
		page, err := op.Do(ctx, v.cloud, canonical.AvailabilityZoneList{Name: string(zone)})
		if canonical.CodeOf(err) == canonical.Unsupported {
			err = nil // it has no zones
		}
		return found{len(page.Result.Items) > 0, err}
	})
	var with []*view
	var failure error
	for i, a := range answers {
		if a.has {
			with = append(with, views[i])
		}
		failure = cmp.Or(failure, a.err)
	}
	switch {
	case len(with) > 0:
		return with, nil
	case failure != nil: // it may be there
		return nil, failure
	default:
		return nil, canonical.Invalid(field, "no cloud has a zone %q", zone)
	}
}

// suitable are the views that have all that the request refers to, with the request
// as the last of them takes it, and why another is not. What a cloud has that is away
// is not known: its failure says more than that the others lack something.
func suitable(ctx context.Context, views []*view, call canonical.Call) (found []*view, resolved any, refused error) {
	type fit struct {
		request any
		err     error
	}
	fits := each(views, func(v *view) fit {
		req, err := v.resolve(ctx, call.Op, call.Request)
		return fit{req, err}
	})
	for i, f := range fits {
		switch {
		case f.err == nil:
			found, resolved = append(found, views[i]), f.request
		case refused == nil || canonical.CodeOf(f.err) != canonical.InvalidRequest:
			refused = f.err
		}
	}
	return found, resolved, refused
}

func names(views []*view) string {
	out := make([]string, len(views))
	for i, v := range views {
		out[i] = v.m.Name
	}
	return strings.Join(out, ", ")
}
