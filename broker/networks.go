package broker

import (
	"context"
	"reflect"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// defaultGroup is the security group of an account that every tenant's ports are in if
// they ask for no other.
const defaultGroup = "default"

// owner is whose thing decides whose another is.
type owner struct {
	kind string
	id   canonical.ID
}

// ownerOf is what a thing on networks belongs to beside its tenant: a port to its
// server, a subnet to its network, a rule to its group.
func ownerOf(item any) (owner, bool) {
	switch t := item.(type) {
	case canonical.Port:
		if t.ServerID != nil {
			return owner{"server", *t.ServerID}, true
		}
	case canonical.Subnet:
		return owner{"network", t.NetworkID}, true
	case canonical.SecurityGroupRule:
		return owner{"security_group", t.GroupID}, true
	}
	return owner{}, false
}

// inheritNets gives things on networks that have no owner of their own that of what
// they belong to.
func (v *view) inheritNets(ctx context.Context, items reflect.Value, owners map[canonical.ID]string) error {
	of, asked := map[canonical.ID]canonical.ID{}, map[string][]canonical.ID{}
	for i := range items.Len() {
		item := items.Index(i).Interface()
		if by, ok := ownerOf(item); ok {
			id, _, _ := item.(canonical.Listed).ListKeys() //nolint:forcetypeassert // all of them are
			if owners[id] == "" {
				of[id] = by.id
				asked[by.kind] = append(asked[by.kind], by.id)
			}
		}
	}
	for kind, ids := range asked {
		tenants, err := v.b.Store.Owners(ctx, v.m.Name, kind, ids)
		if err != nil {
			return err
		}
		for id, by := range of {
			if tenant := tenants[by]; tenant != "" {
				owners[id] = tenant
			}
		}
		if kind == "network" {
			if err := v.openSubnets(ctx, of, owners); err != nil {
				return err
			}
		}
	}
	return nil
}

// everybody owns the subnets of networks that are for all: each tenant sees them, and
// none may change them.
const everybody = "*"

func (v *view) openSubnets(ctx context.Context, of map[canonical.ID]canonical.ID, owners map[canonical.ID]string) error {
	open := map[canonical.ID]bool{}
	for subnet, network := range of {
		if owners[subnet] != "" {
			continue
		}
		if _, known := open[network]; !known {
			reply, err := v.call(ctx, canonical.Call{Op: canonical.GetNetwork.Spec(), Request: canonical.NetworkGet{ID: network}})
			if code := canonical.CodeOf(err); err != nil && code != canonical.NotFound && code != canonical.Unsupported {
				return err
			}
			n, _ := reply.Result.(canonical.Network)
			open[network] = n.Shared || n.External
		}
		if open[network] {
			owners[subnet] = everybody
		}
	}
	return nil
}
