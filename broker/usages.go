package broker

import (
	"context"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// usages are those that the caller sees of what a cloud told. The project of a shared
// account is of several tenants: each has what its own servers used.
func (v *view) usages(ctx context.Context, asked canonical.UsageList, told []canonical.Usage) ([]canonical.Usage, error) {
	if !v.shared {
		return told, nil
	}
	want := string(asked.Project)
	if asked.Project == canonical.OwnProject {
		want = v.tenant
	}
	var out []canonical.Usage
	for _, u := range told {
		if u.Project != canonical.Project(v.tenant) && u.Project != asked.Project { // another project of the cloud's
			out = append(out, u)
			continue
		}
		ids := make([]canonical.ID, len(u.Servers))
		for i, s := range u.Servers {
			ids[i] = s.ID
		}
		owners, err := v.b.Store.Owners(ctx, v.m.Name, "server", ids)
		if err != nil {
			return nil, err
		}
		out = append(out, v.parted(u, owners, want)...)
	}
	return out, nil
}

// parted is one usage of each tenant that the caller sees, in the order in which their
// servers come; want, unless it is "", is the only one.
func (v *view) parted(u canonical.Usage, owners map[canonical.ID]string, want string) []canonical.Usage {
	var order []string
	servers := map[string][]canonical.ServerUsage{}
	for _, s := range u.Servers {
		owner := owners[s.ID]
		if owner == "" || !v.sees(owner) || want != "" && owner != want {
			continue
		}
		if servers[owner] == nil {
			order = append(order, owner)
		}
		servers[owner] = append(servers[owner], s)
	}
	out := make([]canonical.Usage, len(order))
	for i, tenant := range order {
		out[i] = u.Of(servers[tenant])
		out[i].ID, out[i].Project = canonical.MakeID(v.m.Name, tenant), canonical.Project(tenant)
	}
	return out
}
