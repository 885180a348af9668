package broker

import (
	"context"
	"reflect"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// owned are the kinds that belong to who made them; what else there is, is for all
// tenants of a shared cloud as far as it says so itself.
var owned = map[string]bool{
	"server": true, "server_group": true, "keypair": true, "image": true, "network": true, "volume": true, "volume_snapshot": true,
	"subnet": true, "port": true, "security_group": true, "security_group_rule": true, "floating_ip": true,
}

// sees says whether the caller sees what owner owns; "" owns nothing: that is for
// admins alone.
func (v *view) sees(owner string) bool {
	switch {
	case v.only != "":
		return owner == v.only
	case v.role.AtLeast(canonical.Admin):
		return true
	default:
		return owner != "" && v.role.AtLeast(canonical.Operator)
	}
}

// madeBy is the kind of what an operation makes; "": nothing.
func madeBy(op *canonical.Spec) string {
	switch {
	case op == canonical.CreateServerImage.Spec() || op == canonical.CreateServerBackup.Spec():
		return "image"
	case op.Verb() == "create" || op.Verb() == "import":
		return op.Resource()
	default:
		return ""
	}
}

// shownBy is the kind of what an operation answers.
func shownBy(op *canonical.Spec) string {
	if made := madeBy(op); made != "" {
		return made
	}
	return op.Resource()
}

// removes says whether an operation leaves nothing of what it is about.
func removes(op *canonical.Spec) bool {
	return op.Effect == canonical.Delete || op == canonical.PurgeServer.Spec()
}

// reaches is NotFound for what belongs to others. What is public may be read by all,
// but changed by its owner alone.
func (v *view) reaches(ctx context.Context, op *canonical.Spec, kind string, id canonical.ID) error {
	if !v.shared || !owned[kind] {
		return nil
	}
	missing := canonical.Errorf(canonical.NotFound, "there is no such %s", kind)
	owner, err := v.b.Store.Owner(ctx, v.m.Name, kind, id)
	get := canonical.Lookup(kind + ".get")
	switch {
	case err != nil || v.sees(owner):
		return err
	case kind == "server" || kind == "keypair":
		return missing
	case op == get:
		return nil // its result tells
	}
	reply, err := v.call(ctx, canonical.Call{Op: get, Request: withTarget(reflect.Zero(get.Request).Interface(), id)})
	if err != nil {
		return err
	}
	owners, err := v.owners(ctx, kind, []any{reply.Result})
	_, seen := v.see(reply.Result, owners)
	switch {
	case err != nil:
		return err
	case v.sees(owners[id]):
		return nil
	case !seen:
		return missing
	case op.Effect != canonical.Read:
		return canonical.Errorf(canonical.Forbidden, "the %s is another tenant's", kind)
	default:
		return nil
	}
}

// ownIDs checks the ids that a request holds beside the one that it is about: on an
// account of several tenants they are taken as references are, so that none leads to
// what is another tenant's. What a request only reads or removes is of its target.
func (v *view) ownIDs(ctx context.Context, op *canonical.Spec, req reflect.Value) (failure error) {
	if !v.shared || op.Effect != canonical.Write {
		return nil
	}
	canonical.EachID(req, func(path, kind string, id canonical.ID) canonical.ID {
		if kind == "interface" {
			kind = "port" // an interface that is there already is one
		}
		if failure != nil || path == "id" || !owned[kind] {
			return id
		}
		var found canonical.Ref
		found, failure = v.find(ctx, path, kind, canonical.Ref(id))
		if canonical.CodeOf(failure) == canonical.InvalidRequest && inPath(req.Type(), path) {
			failure = canonical.Errorf(canonical.NotFound, "there is no such %s", kind)
		}
		return canonical.ID(found)
	})
	return failure
}

// inPath says whether the request's path holds the field of that name.
func inPath(request reflect.Type, name string) bool {
	return slices.ContainsFunc(reflect.VisibleFields(request), func(f reflect.StructField) bool { return f.Tag.Get("path") == name })
}

// freeFor refuses what is known to be another tenant's where nobody can be asked about
// it but the store.
func (v *view) freeFor(ctx context.Context, path, kind string, id canonical.ID) error {
	if !v.shared || !owned[kind] {
		return nil
	}
	owner, err := v.b.Store.Owner(ctx, v.m.Name, kind, id)
	if err == nil && owner != "" && !v.sees(owner) {
		return notThere(path, kind, canonical.Ref(id), v.m.Name)
	}
	return err
}

// seeAll are those of the items that the caller sees, completed.
func seeAll[T any](ctx context.Context, v *view, kind string, items []T) ([]T, error) {
	owners, err := v.owners(ctx, kind, items)
	if err != nil {
		return nil, err
	}
	out := make([]T, 0, len(items))
	for _, item := range items {
		if seen, ok := v.see(item, owners); ok {
			out = append(out, seen.(T)) //nolint:forcetypeassert // see answers what it was given
		}
	}
	return out, nil
}

// owners are the owners of items of that kind, where ownership matters.
func (v *view) owners(ctx context.Context, kind string, items any) (map[canonical.ID]string, error) {
	if !v.shared || !owned[kind] {
		return nil, nil //nolint:nilnil // nobody asks this map
	}
	all := reflect.ValueOf(items)
	ids := make([]canonical.ID, 0, all.Len())
	for i := range all.Len() {
		if l, ok := all.Index(i).Interface().(canonical.Listed); ok {
			id, _, _ := l.ListKeys()
			ids = append(ids, id)
		}
	}
	owners, err := v.b.Store.Owners(ctx, v.m.Name, kind, ids)
	if err == nil && kind == "volume" {
		err = v.inherit(ctx, all, owners)
	}
	if err == nil {
		err = v.inheritNets(ctx, all, owners)
	}
	return owners, err
}

// seeOne is the item, completed, if the caller sees it.
func (v *view) seeOne(ctx context.Context, kind string, item any) (seen any, ok bool, err error) {
	owners, err := v.owners(ctx, kind, []any{item})
	if err != nil {
		return nil, false, err
	}
	seen, ok = v.see(item, owners)
	return seen, ok, nil
}

func (v *view) see(item any, owners map[canonical.ID]string) (any, bool) {
	mine := func(id canonical.ID) bool { return !v.shared || v.sees(owners[id]) }
	switch t := item.(type) {
	case canonical.Server:
		owner := v.tenant
		if v.shared {
			owner = owners[t.ID]
		}
		if t.Tenant = nil; owner != "" {
			t.Tenant = &owner
		}
		t.Metadata = v.b.withoutMark(t.Metadata)
		return t, mine(t.ID)
	case canonical.Metadata:
		return canonical.Metadata(v.b.withoutMark(t)), true
	case canonical.ServerWithPassword:
		seen, ok := v.see(t.Server, owners)
		t.Server, _ = seen.(canonical.Server)
		return t, ok
	case canonical.Keypair:
		return t, mine(t.ID)
	case canonical.ServerGroup:
		return t, mine(t.ID)
	case canonical.Volume:
		return t, mine(t.ID)
	case canonical.VolumeSnapshot:
		return t, mine(t.ID)
	case canonical.Subnet:
		return t, mine(t.ID) || owners[t.ID] == everybody
	case canonical.Port:
		return t, mine(t.ID)
	case canonical.SecurityGroup:
		return t, mine(t.ID) || t.Name == defaultGroup
	case canonical.SecurityGroupRule:
		return t, mine(t.ID)
	case canonical.FloatingIP:
		return t, mine(t.ID)
	case canonical.Image:
		return t, t.Visibility == "public" || t.Visibility == "community" || mine(t.ID)
	case canonical.Network:
		return t, t.Shared || t.External || mine(t.ID)
	default:
		return item, true
	}
}
