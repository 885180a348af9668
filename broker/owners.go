package broker

import (
	"context"
	"reflect"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// owned are the kinds that belong to who made them; what else there is, is for all
// tenants of a shared cloud as far as it says so itself.
var owned = map[string]bool{"server": true, "keypair": true, "image": true, "network": true}

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

// creates says whether an operation makes things of its resource.
func creates(op *canonical.Spec) bool { return op.Verb() == "create" || op.Verb() == "import" }

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
	_, seen, err := v.seeOne(ctx, kind, reply.Result)
	switch {
	case err != nil:
		return err
	case !seen:
		return missing
	case op.Effect != canonical.Read:
		return canonical.Errorf(canonical.Forbidden, "the %s is another tenant's", kind)
	default:
		return nil
	}
}

// seer is a function that says whether the caller sees a thing of that kind, and
// completes it.
func (v *view) seer(ctx context.Context, kind string) (func(any) (any, bool), error) {
	var owners map[canonical.ID]string
	if v.shared && owned[kind] {
		var err error
		if owners, err = v.b.Store.Owners(ctx, v.m.Name, kind); err != nil {
			return nil, err
		}
	}
	return func(item any) (any, bool) { return v.see(item, owners) }, nil
}

// seeOne is what a seer does, for one thing without asking for the owners of all.
func (v *view) seeOne(ctx context.Context, kind string, item any) (seen any, ok bool, err error) {
	owners := map[canonical.ID]string{}
	if l, listed := item.(canonical.Listed); listed && v.shared && owned[kind] {
		id, _, _ := l.ListKeys()
		if owners[id], err = v.b.Store.Owner(ctx, v.m.Name, kind, id); err != nil {
			return nil, false, err
		}
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
	case canonical.Keypair:
		return t, mine(t.ID)
	case canonical.Image:
		return t, t.Visibility != "private" || mine(t.ID)
	case canonical.Network:
		return t, t.Shared || t.External || mine(t.ID)
	default:
		return item, true
	}
}
