package policy_test

import (
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/policy"
	"github.com/dragoman-cloud/dragoman/store"
	postgrestest "github.com/dragoman-cloud/dragoman/test/postgres"
)

// An application credential may do no more than the key that it was made of, and ends
// with it, by itself, or at its time.
func TestApplicationCredentials(t *testing.T) {
	s, err := store.Open(t.Context(), postgrestest.Store(t, ":memory:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	p, err := policy.New(t.Context(), s, policy.Options{Box: box(t, 7), BootstrapKey: bootstrap, Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	cloud := p.Wrap(oneServer())
	as := func(bearer string) canonical.Caller {
		t.Helper()
		c, err := p.Authenticate(t.Context(), bearer)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	root := canonical.WithCaller(t.Context(), as(bootstrap))
	key, err := canonical.CreateAPIKey.Do(root, cloud, canonical.APIKeyCreate{Tenant: "bootstrap", Role: canonical.Member})
	if err != nil {
		t.Fatal(err)
	}
	maker := canonical.WithCaller(t.Context(), as(key.Result.Key))
	end := now.Add(time.Hour)
	create := func(r canonical.ApplicationCredentialCreate) canonical.ApplicationCredentialCreated {
		t.Helper()
		made, err := canonical.CreateApplicationCredential.Do(maker, cloud, r)
		if err != nil {
			t.Fatal(err)
		}
		return made.Result
	}
	bearer := func(a canonical.ApplicationCredentialCreated) string { return string(a.ID) + "." + a.Secret }
	plain := create(canonical.ApplicationCredentialCreate{Name: "plain", Description: "told"})
	read := create(canonical.ApplicationCredentialCreate{Name: "read", Role: canonical.Reader, ExpiresAt: &end, Secret: "sixteen letters!"})
	if c := as(bearer(plain)); c.Role != canonical.Member || c.Tenant != "bootstrap" || c.Parent != string(key.Result.ID) {
		t.Errorf("the credential is %+v", c)
	}
	if c := as(string(read.ID) + ".sixteen letters!"); c.Role != canonical.Reader {
		t.Errorf("the credential is %+v", c)
	}
	for name, r := range map[string]canonical.ApplicationCredentialCreate{
		"more than its maker": {Name: "x", Role: canonical.Admin},
		"over already":        {Name: "x", ExpiresAt: &now},
		"of a name twice":     {Name: "plain"},
		"with a weak secret":  {Name: "x", Secret: "short"},
	} {
		if _, err := canonical.CreateApplicationCredential.Do(maker, cloud, r); err == nil {
			t.Errorf("a credential %s is made", name)
		}
	}
	if _, err := canonical.CreateApplicationCredential.Do(canonical.WithCaller(t.Context(), as(bearer(plain))), cloud,
		canonical.ApplicationCredentialCreate{Name: "x"}); canonical.CodeOf(err) != canonical.Forbidden {
		t.Errorf("a credential makes another: %v", err)
	}
	for ctx, want := range map[*canonical.Caller]int{ref(as(key.Result.Key)): 2, ref(as(bootstrap)): 0} {
		page, err := canonical.ListApplicationCredentials.Do(canonical.WithCaller(t.Context(), *ctx), cloud, canonical.ApplicationCredentialList{})
		if err != nil || len(page.Result.Items) != want {
			t.Errorf("%s sees %+v (%v), want %d", ctx.Key, page.Result.Items, err, want)
		}
	}
	if _, err := canonical.DeleteApplicationCredential.Do(root, cloud, canonical.ApplicationCredentialDelete{ID: plain.ID}); canonical.CodeOf(err) != canonical.NotFound {
		t.Errorf("another's credential is deleted: %v", err)
	}
	over := func(what, bearer string) {
		t.Helper()
		if _, err := p.Authenticate(t.Context(), bearer); canonical.CodeOf(err) != canonical.Unauthenticated {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := canonical.DeleteApplicationCredential.Do(maker, cloud, canonical.ApplicationCredentialDelete{ID: plain.ID}); err != nil {
		t.Fatal(err)
	}
	over("a deleted credential", bearer(plain))
	now = end
	over("an expired credential", bearer(read))
	last := create(canonical.ApplicationCredentialCreate{Name: "last"})
	as(bearer(last))
	if _, err := canonical.DeleteAPIKey.Do(root, cloud, canonical.APIKeyDelete{ID: key.Result.ID}); err != nil {
		t.Fatal(err)
	}
	over("a credential whose maker is gone", bearer(last))
	if _, err := p.Lookup(t.Context(), string(last.ID)); canonical.CodeOf(err) != canonical.Unauthenticated {
		t.Errorf("its tokens: %v", err)
	}
}

func ref[T any](v T) *T { return &v }
