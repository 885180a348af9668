package broker

import (
	"context"

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

// reaches is NotFound for what belongs to others. Images and networks may be
// public, which only they themselves can tell.
func (v *view) reaches(ctx context.Context, kind string, id canonical.ID) error {
	if !v.shared || kind != "server" && kind != "keypair" {
		return nil
	}
	owner, err := v.b.Store.Owner(ctx, v.m.Name, kind, id)
	if err == nil && !v.sees(owner) {
		err = canonical.Errorf(canonical.NotFound, "there is no such %s", kind)
	}
	return err
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
