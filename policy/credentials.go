package policy

import (
	"context"
	"slices"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

func (p *Policy) createCredential(ctx context.Context, r canonical.ApplicationCredentialCreate) (out canonical.TypedReply[canonical.ApplicationCredentialCreated], err error) {
	who, now := canonical.CallerOf(ctx), p.now().UTC().Round(time.Microsecond)
	if r.Role == "" {
		r.Role = who.Role
	}
	switch {
	case who.Parent != "":
		return out, restricted()
	case !who.Role.AtLeast(r.Role):
		return out, canonical.Invalid("role", "is more than the caller's own, %s", who.Role)
	case r.ExpiresAt != nil && !r.ExpiresAt.After(now):
		return out, canonical.Invalid("expires_at", "must not be before now")
	}
	secret := r.Secret
	if secret == "" {
		secret = randomText(32)
	}
	k := store.Key{
		APIKey: canonical.APIKey{ID: newID(), Tenant: who.Tenant, Role: r.Role, Name: r.Name, CreatedAt: now},
		Parent: canonical.ID(who.Key), Description: r.Description, ExpiresAt: r.ExpiresAt,
	}
	k.Seal = p.seal(k.ID, secret)
	if err := p.store.CreateKey(ctx, k); err != nil {
		if canonical.CodeOf(err) == canonical.AlreadyExists {
			err = canonical.Errorf(canonical.AlreadyExists, "an application credential is named %q already", r.Name)
		}
		return out, err
	}
	out.Result = canonical.ApplicationCredentialCreated{ApplicationCredential: credentialOf(k), Secret: secret}
	return out, nil
}

// restricted refuses an application credential to make or revoke keys, for it could
// outlive itself by them.
func restricted() error {
	return canonical.Errorf(canonical.Forbidden, "an application credential neither makes nor revokes keys")
}

func credentialOf(k store.Key) canonical.ApplicationCredential {
	a := canonical.ApplicationCredential{
		ID: k.ID, Name: k.Name, Tenant: k.Tenant, Role: k.Role, Parent: k.Parent, ExpiresAt: k.ExpiresAt, CreatedAt: k.CreatedAt,
	}
	if k.Description != "" {
		a.Description = &k.Description
	}
	return a
}

func (p *Policy) listCredentials(ctx context.Context, r canonical.ApplicationCredentialList) (out canonical.TypedReply[canonical.Page[canonical.ApplicationCredential]], err error) {
	all, err := p.ownCredentials(ctx)
	if err != nil {
		return out, err
	}
	all = slices.DeleteFunc(all, func(a canonical.ApplicationCredential) bool { return r.Name != "" && a.Name != r.Name })
	out.Result, err = canonical.Arrange(all, r.ListOptions)
	return out, err
}

func (p *Policy) ownCredentials(ctx context.Context) ([]canonical.ApplicationCredential, error) {
	keys, err := p.store.ChildKeys(ctx, canonical.ID(canonical.CallerOf(ctx).Key))
	if err != nil {
		return nil, err
	}
	all := make([]canonical.ApplicationCredential, len(keys))
	for i, k := range keys {
		all[i] = credentialOf(k)
	}
	return all, nil
}

func (p *Policy) getCredential(ctx context.Context, r canonical.ApplicationCredentialGet) (out canonical.TypedReply[canonical.ApplicationCredential], err error) {
	all, err := p.ownCredentials(ctx)
	if err != nil {
		return out, err
	}
	i := slices.IndexFunc(all, func(a canonical.ApplicationCredential) bool { return a.ID == r.ID })
	if i < 0 {
		return out, canonical.Errorf(canonical.NotFound, "there is no application credential %q", r.ID)
	}
	out.Result = all[i]
	return out, nil
}

func (p *Policy) deleteCredential(ctx context.Context, r canonical.ApplicationCredentialDelete) (out canonical.TypedReply[canonical.None], err error) {
	if canonical.CallerOf(ctx).Parent != "" {
		return out, restricted()
	}
	if _, err := p.getCredential(ctx, canonical.ApplicationCredentialGet(r)); err != nil {
		return out, err
	}
	err = p.store.DeleteKey(ctx, r.ID)
	p.forget(r.ID)
	return out, err
}
