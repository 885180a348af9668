package broker

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// lists says how the pages of clouds become one, by operation.
var lists = map[*canonical.Spec]func(context.Context, []*view, any) (canonical.Reply, error){
	canonical.ListHypervisors.Spec():        merge(canonical.ListHypervisors),
	canonical.ListServerGroups.Spec():       merge(canonical.ListServerGroups),
	canonical.ListServerMigrations.Spec():   merge(canonical.ListServerMigrations),
	canonical.ListAggregates.Spec():         merge(canonical.ListAggregates),
	canonical.ListComputeServices.Spec():    merge(canonical.ListComputeServices),
	canonical.ListHosts.Spec():              merge(canonical.ListHosts),
	canonical.ListServers.Spec():            merge(canonical.ListServers),
	canonical.ListUsages.Spec():             merge(canonical.ListUsages),
	canonical.ListFlavors.Spec():            merge(canonical.ListFlavors),
	canonical.ListImages.Spec():             merge(canonical.ListImages),
	canonical.ListKeypairs.Spec():           merge(canonical.ListKeypairs),
	canonical.ListNetworks.Spec():           merge(canonical.ListNetworks),
	canonical.ListSubnets.Spec():            merge(canonical.ListSubnets),
	canonical.ListPorts.Spec():              merge(canonical.ListPorts),
	canonical.ListSecurityGroups.Spec():     merge(canonical.ListSecurityGroups),
	canonical.ListSecurityGroupRules.Spec(): merge(canonical.ListSecurityGroupRules),
	canonical.ListFloatingIPs.Spec():        merge(canonical.ListFloatingIPs),
	canonical.ListFloatingIPPools.Spec():    merge(canonical.ListFloatingIPPools),
	canonical.ListRouters.Spec():            merge(canonical.ListRouters),
	canonical.ListAvailabilityZones.Spec():  merge(canonical.ListAvailabilityZones),
	canonical.ListVolumes.Spec():            merge(canonical.ListVolumes),
	canonical.ListVolumeTypes.Spec():        merge(canonical.ListVolumeTypes),
	canonical.ListVolumeSnapshots.Spec():    merge(canonical.ListVolumeSnapshots),
}

// each runs f on every one of them at once, such as views, and waits for all.
func each[S, T any](all []S, f func(S) T) []T {
	out := make([]T, len(all))
	var wg sync.WaitGroup
	for i, one := range all {
		wg.Go(func() { out[i] = f(one) })
	}
	wg.Wait()
	return out
}

// part is what one cloud gave to a page.
type part[T any] struct {
	items []T
	more  bool
	asOf  time.Time
	err   error
}

type listing interface {
	Listing() canonical.ListOptions
}

func merge[Req listing, T canonical.Listed](op canonical.Op[Req, canonical.Page[T]]) func(context.Context, []*view, any) (canonical.Reply, error) {
	return func(ctx context.Context, views []*view, request any) (canonical.Reply, error) {
		req, _ := request.(Req)
		o := req.Listing().OrDefault()
		cur, err := o.Position()
		if err != nil {
			return canonical.Reply{}, err
		}
		parts := each(views, func(v *view) part[T] { return read(ctx, v, op, req, o, cur) })
		views, parts = able(ctx, views, parts, op.Spec())
		if err := allFailed(parts); err != nil && ctx.Err() != nil {
			return canonical.Reply{}, canonical.AsError(ctx.Err()) // the caller's time is up, not the clouds'
		} else if err != nil {
			return canonical.Reply{}, err
		}
		return canonical.Reply{Result: join(views, parts, o, cur)}, nil
	}
}

// able are the parts without those of clouds that have nothing of the kind, which are not
// away and have no part in the list; all, where no cloud offers it.
func able[T any](ctx context.Context, views []*view, parts []part[T], op *canonical.Spec) ([]*view, []part[T]) {
	var with []*view
	var theirs []part[T]
	for i, p := range parts {
		if canonical.CodeOf(p.err) == canonical.Unsupported && views[i].cloud.Support(ctx, op).Level == canonical.No {
			continue
		}
		with, theirs = append(with, views[i]), append(theirs, p)
	}
	if len(with) == 0 {
		return views, parts
	}
	return with, theirs
}

// read fetches what one cloud can give to the page: as many as the page holds, of
// those that the caller may see.
func read[Req listing, T canonical.Listed](ctx context.Context, v *view, op canonical.Op[Req, canonical.Page[T]], req Req, o canonical.ListOptions, cur canonical.Cursor) (p part[T]) {
	ctx, cancel := v.deadline(ctx)
	defer cancel()
	o.Cursor = ""
	if at, ok := v.start(cur); ok {
		o.Cursor = canonical.Cursor{Sort: o.Sort, After: map[string]canonical.Position{"": at}}.String()
	}
	for {
		r, err := op.Do(ctx, v.cloud, withListing(req, o))
		if err != nil {
			return part[T]{err: err}
		}
		seen, err := seeListed(ctx, v, op.Spec(), req, r.Result.Items)
		if err != nil {
			return part[T]{err: err}
		}
		p.asOf, p.items = r.AsOf, append(p.items, seen...)
		o.Cursor, p.more = r.Result.NextCursor, r.Result.NextCursor != ""
		if !p.more || len(p.items) > o.Limit {
			return p
		}
	}
}

// seeListed are those of the items that the caller sees.
func seeListed[T any](ctx context.Context, v *view, op *canonical.Spec, req any, items []T) ([]T, error) {
	asked, ok := req.(canonical.UsageList)
	told, same := any(items).([]canonical.Usage)
	if !ok || !same {
		return seeAll(ctx, v, op.Resource(), items)
	}
	usages, err := v.usages(ctx, asked, told)
	seen, _ := any(usages).([]T)
	return seen, err
}

// start is where a list goes on in this cloud. A position of no cloud is one in the
// merged list, such as the marker of a dialect: by the order of join, the items of
// other clouds that share its key come before it or after it by their clouds' names.
func (v *view) start(cur canonical.Cursor) (canonical.Position, bool) {
	if at, ok := cur.After[v.m.Name]; ok {
		return at, true
	}
	at, ok := cur.After[""]
	cloud, native := at.ID.Split()
	switch {
	case !ok:
		return at, false
	case cloud == v.m.Name || !v.b.knows(cloud):
		at.ID = canonical.ID(native)
	case v.m.Name+":" < cloud+":":
		at.ID = lastID
	default:
		at.ID = ""
	}
	return at, true
}

// lastID is behind every id.
const lastID = canonical.ID("\U0010FFFF")

func withListing[Req any](req Req, o canonical.ListOptions) Req {
	reflect.ValueOf(&req).Elem().FieldByName("ListOptions").Set(reflect.ValueOf(o))
	return req
}

// allFailed is the failure of a list that no cloud gave a part to: the request's
// own fault where a cloud says so, else Unavailable.
func allFailed[T any](parts []part[T]) error {
	if len(parts) == 0 {
		return nil
	}
	var first *canonical.Error
	for _, p := range parts {
		if p.err == nil {
			return nil
		}
		if e := canonical.AsError(p.err); first == nil || e.Code == canonical.InvalidRequest {
			first = e
		}
	}
	switch first.Code { //nolint:exhaustive // these are not the clouds' being away
	case canonical.InvalidRequest, canonical.Unsupported, canonical.Canceled, canonical.Internal:
		return first
	}
	wait := first.RetryAfter
	if wait == 0 {
		wait = 5 * time.Second
	}
	return &canonical.Error{
		Code: canonical.Unavailable, Detail: "no cloud answered: " + first.Detail, Cloud: first.Cloud,
		Upstream: first.Upstream, RetryAfter: wait, Err: first,
	}
}

// join sorts the parts into one page and notes in its cursor how far it came in
// each cloud; one that was not reached stands where it stood.
func join[T canonical.Listed](views []*view, parts []part[T], o canonical.ListOptions, cur canonical.Cursor) canonical.Page[T] {
	page := canonical.Page[T]{Items: []T{}, AsOf: map[string]time.Time{}, Unreachable: []canonical.Unreachable{}}
	type placed struct {
		at    canonical.Position
		cloud string
		item  T
	}
	var all []placed
	more := false
	for i, p := range parts {
		name := views[i].m.Name
		if p.err != nil {
			e := canonical.AsError(p.err)
			page.Unreachable = append(page.Unreachable, canonical.Unreachable{Cloud: name, Code: e.Code, Detail: e.Detail})
			continue
		}
		if page.AsOf[name] = p.asOf; p.asOf.IsZero() {
			page.AsOf[name] = time.Now().UTC()
		}
		more = more || p.more
		for _, item := range p.items {
			all = append(all, placed{canonical.PositionOf(item, o.Sort), name, item})
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return o.Sort.Compare(a.at, b.at) })
	next := canonical.Cursor{Sort: o.Sort, After: map[string]canonical.Position{}}
	for name, at := range cur.After {
		next.After[name] = at
	}
	for i, p := range all {
		if i == o.Limit {
			more = true
			break
		}
		page.Items = append(page.Items, p.item)
		p.at.ID = canonical.ID(strings.TrimPrefix(string(p.at.ID), p.cloud+":"))
		next.After[p.cloud] = p.at
	}
	if more && len(next.After) > 0 {
		page.NextCursor = next.String()
	}
	return page
}
