package policy_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/policy"
	"github.com/dragoman-cloud/dragoman/store"
	postgrestest "github.com/dragoman-cloud/dragoman/test/postgres"
)

const bootstrap = "root.0123456789abcdef"

func box(t *testing.T, keys ...byte) *store.Box {
	t.Helper()
	var all [][]byte
	for _, k := range keys {
		all = append(all, bytes.Repeat([]byte{k}, store.BoxKeySize))
	}
	b, err := store.NewBox(all...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t *testing.T) *policy.Policy {
	t.Helper()
	s, err := store.Open(t.Context(), postgrestest.Store(t, ":memory:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	p, err := policy.New(t.Context(), s, policy.Options{Box: box(t, 7), BootstrapKey: bootstrap})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// oneServer is a cloud that answers with a server which tells its host.
func oneServer() canonical.Cloud {
	m, host := new(canonical.Mux), "h1"
	canonical.Handle(m, canonical.GetServer, func(context.Context, canonical.ServerGet) (r canonical.TypedReply[canonical.Server], err error) {
		r.Result = canonical.Server{Host: &host}
		return r, nil
	})
	return m
}

func TestLifeOfAKey(t *testing.T) {
	p := open(t)
	cloud := p.Wrap(oneServer())
	root, err := p.Authenticate(t.Context(), bootstrap)
	if err != nil || root.Role != canonical.Admin {
		t.Fatal(root, err)
	}
	ctx := canonical.WithCaller(t.Context(), root)
	if _, err := canonical.CreateTenant.Do(ctx, cloud, canonical.TenantCreate{Name: "acme"}); err != nil {
		t.Fatal(err)
	}
	made, err := canonical.CreateAPIKey.Do(ctx, cloud, canonical.APIKeyCreate{Tenant: "acme", Role: canonical.Member})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time from memory
		if c, err := p.Authenticate(t.Context(), made.Result.Key); err != nil || c.Tenant != "acme" || c.Role != canonical.Member {
			t.Fatal(c, err)
		}
	}
	if _, err := canonical.DeleteAPIKey.Do(ctx, cloud, canonical.APIKeyDelete{ID: made.Result.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Authenticate(t.Context(), made.Result.Key); canonical.CodeOf(err) != canonical.Unauthenticated {
		t.Errorf("a revoked key: %v", err)
	}
}

func TestBadBearers(t *testing.T) {
	p := open(t)
	for _, bearer := range []string{"", ".", "root", "root.", "root.wrong", "x.0123456789abcdef", "root\x00.0123456789abcdef", "\xff.x", strings.Repeat("a", 1000)} {
		if _, err := p.Authenticate(t.Context(), bearer); canonical.CodeOf(err) != canonical.Unauthenticated {
			t.Errorf("%.20q: %v", bearer, err)
		}
	}
}

func TestRoles(t *testing.T) {
	cloud := open(t).Wrap(oneServer())
	cases := map[string]struct {
		reason string
		role   canonical.Role
		op     canonical.Call
		tenant string
		want   canonical.Code
	}{
		"NobodyReads":     {"a call without a caller may nothing", "", canonical.Call{Op: canonical.GetServer.Spec(), Request: canonical.ServerGet{ID: "c:1"}}, "", canonical.Forbidden},
		"ReaderReads":     {"reading is what readers do", canonical.Reader, canonical.Call{Op: canonical.GetServer.Spec(), Request: canonical.ServerGet{ID: "c:1"}}, "", ""},
		"ReaderDeletes":   {"readers change nothing", canonical.Reader, canonical.Call{Op: canonical.DeleteServer.Spec(), Request: canonical.ServerDelete{ID: "c:1"}}, "", canonical.Forbidden},
		"MemberTenants":   {"tenants are the admins'", canonical.Member, canonical.Call{Op: canonical.CreateTenant.Spec(), Request: canonical.TenantCreate{Name: "x"}}, "", canonical.Forbidden},
		"MemberScope":     {"tenant= is for operators", canonical.Member, canonical.Call{Op: canonical.GetServer.Spec(), Request: canonical.ServerGet{ID: "c:1"}}, "acme", canonical.Forbidden},
		"OperatorScope":   {"operators act on every tenant's servers", canonical.Operator, canonical.Call{Op: canonical.GetServer.Spec(), Request: canonical.ServerGet{ID: "c:1"}}, "acme", ""},
		"MemberHost":      {"a member does not choose hosts", canonical.Member, canonical.Call{Op: canonical.CreateServer.Spec(), Request: canonical.ServerCreate{Name: "a", Flavor: "f", Image: "i", Host: "h"}}, "", canonical.Forbidden},
		"AdminBadTenant":  {"names of tenants have a form", canonical.Admin, canonical.Call{Op: canonical.CreateTenant.Spec(), Request: canonical.TenantCreate{Name: "Acme!"}}, "", canonical.InvalidRequest},
		"AdminNoSuchKey":  {"revoking what is not there is told", canonical.Admin, canonical.Call{Op: canonical.DeleteAPIKey.Spec(), Request: canonical.APIKeyDelete{ID: "x"}}, "", canonical.NotFound},
		"AdminKeyNowhere": {"a key needs a tenant that exists", canonical.Admin, canonical.Call{Op: canonical.CreateAPIKey.Spec(), Request: canonical.APIKeyCreate{Tenant: "x", Role: canonical.Member}}, "", canonical.InvalidRequest},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			ctx := canonical.WithCaller(t.Context(), canonical.Caller{Tenant: "t", Role: c.role})
			ctx = canonical.WithOptions(ctx, canonical.Options{Tenant: c.tenant})
			if _, err := canonical.Do(ctx, cloud, c.op); canonical.CodeOf(err) != c.want {
				t.Errorf("%s: got %v, want code %q", c.reason, err, c.want)
			}
		})
	}
}

// Members do not see hosts; operators do.
func TestHosts(t *testing.T) {
	cloud := open(t).Wrap(oneServer())
	for role, seen := range map[canonical.Role]bool{canonical.Member: false, canonical.Operator: true} {
		ctx := canonical.WithCaller(t.Context(), canonical.Caller{Tenant: "t", Role: role})
		r, err := canonical.GetServer.Do(ctx, cloud, canonical.ServerGet{ID: "c:1"})
		if err != nil || (r.Result.Host != nil) != seen {
			t.Errorf("%s: host %v, %v", role, r.Result.Host, err)
		}
	}
}

// A key that was issued under one secret key works while that key is held, and once the
// store is resealed under the new one alone.
func TestRotation(t *testing.T) {
	s, err := store.Open(t.Context(), postgrestest.Store(t, ":memory:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	with := func(b *store.Box) *policy.Policy {
		p, err := policy.New(t.Context(), s, policy.Options{Box: b})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	old := with(box(t, 1))
	if err := old.EnsureTenant(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	k, err := old.IssueKey(t.Context(), canonical.APIKeyCreate{Tenant: "acme", Role: canonical.Member})
	if err != nil {
		t.Fatal(err)
	}
	works := func(when string, b *store.Box, want canonical.Code) {
		t.Helper()
		if _, err := with(b).Authenticate(t.Context(), k.Key); canonical.CodeOf(err) != want {
			t.Errorf("%s: %v", when, err)
		}
	}
	works("both keys", box(t, 2, 1), "")
	works("the old one is gone too soon", box(t, 2), canonical.Unauthenticated)
	if err := s.ProveKey(t.Context(), box(t, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reseal(t.Context(), box(t, 2, 1)); err != nil {
		t.Fatal(err)
	}
	works("resealed", box(t, 2), "")
}

// Processes that start at once on a new store all have the bootstrap key.
func TestBootstrapAtOnce(t *testing.T) {
	s, err := store.Open(t.Context(), postgrestest.Store(t, filepath.Join(t.TempDir(), "s.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for round := range 10 { // with another secret each time, so that the key is replaced
		key := fmt.Sprint("root.secret", round)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				p, err := policy.New(t.Context(), s, policy.Options{Box: box(t, 7), BootstrapKey: key})
				if err != nil {
					t.Error(err)
				} else if _, err := p.Authenticate(t.Context(), key); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
}
