package policy

import (
	"context"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func (p *Policy) listTenants(ctx context.Context, r canonical.TenantList) (out canonical.TypedReply[canonical.Page[canonical.Tenant]], err error) {
	all, err := p.store.Tenants(ctx)
	if err != nil {
		return out, err
	}
	kept := all[:0]
	for _, t := range all {
		if r.Name == "" || t.Name == r.Name {
			kept = append(kept, t)
		}
	}
	out.Result, err = canonical.Arrange(kept, r.ListOptions)
	return out, err
}

// Tenants are the names of all tenants, for who shows and hears projects by other names.
func (p *Policy) Tenants(ctx context.Context) ([]string, error) {
	all, err := p.store.Tenants(ctx)
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = t.Name
	}
	return names, err
}

func (p *Policy) createTenant(ctx context.Context, r canonical.TenantCreate) (out canonical.TypedReply[canonical.Tenant], err error) {
	out.Result, err = p.addTenant(ctx, r.Name, false)
	return out, err
}

func (p *Policy) listKeys(ctx context.Context, r canonical.APIKeyList) (out canonical.TypedReply[canonical.Page[canonical.APIKey]], err error) {
	all, err := p.store.Keys(ctx)
	if err != nil {
		return out, err
	}
	only := canonical.OptionsOf(ctx).Tenant
	kept := make([]canonical.APIKey, 0, len(all))
	for _, k := range all {
		if k.Parent == "" && (r.Name == "" || k.Name == r.Name) && (only == "" || k.Tenant == only) {
			kept = append(kept, k.APIKey)
		}
	}
	out.Result, err = canonical.Arrange(kept, r.ListOptions)
	return out, err
}

func (p *Policy) createKey(ctx context.Context, r canonical.APIKeyCreate) (out canonical.TypedReply[canonical.APIKeyCreated], err error) {
	if canonical.CallerOf(ctx).Parent != "" {
		return out, restricted()
	}
	out.Result, err = p.IssueKey(ctx, r)
	return out, err
}

func (p *Policy) deleteKey(ctx context.Context, r canonical.APIKeyDelete) (out canonical.TypedReply[canonical.None], err error) {
	if canonical.CallerOf(ctx).Parent != "" {
		return out, restricted()
	}
	err = p.store.DeleteKey(ctx, r.ID)
	p.forget(r.ID)
	return out, err
}
