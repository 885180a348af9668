package broker_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// housed is an account whose project the cloud has an id of.
type housed struct {
	canonical.Cloud
	project canonical.Project
}

func (h housed) Project(context.Context) (canonical.Project, error) { return h.project, nil }

// The cloud hears its own ids of tenants' projects, and tenants are told of tenants.
func TestProjectsOfTenants(t *testing.T) {
	var heard canonical.Project
	answer := []canonical.Project{"p-acme", "p-other", "own", "p-nobody"}
	cloud := &canonical.Mux{Next: memory.New(memory.Options{})}
	canonical.Handle(cloud, canonical.GrantFlavorAccess, func(_ context.Context, r canonical.FlavorAccessGrant) (out canonical.TypedReply[canonical.FlavorAccess], err error) {
		heard, out.Result.Projects = r.Project, slices.Clone(answer)
		return out, nil
	})
	accounts := map[string]canonical.Project{"acme": "p-acme", "other": "p-other"}
	b := openWith(t, broker.Member{Name: "m1", Open: func(tenant string) (broker.Account, error) {
		if p, ok := accounts[tenant]; ok {
			return broker.Account{Cloud: housed{cloud, p}}, nil
		}
		return broker.Account{}, nil
	}}, "acme", "other", "third")
	ctx := role(t, "acme", canonical.Operator)
	for name, there := range map[canonical.Project]canonical.Project{
		"acme": "own", "own": "own", "other": "p-other", "p-nobody": "p-nobody",
	} {
		r, err := canonical.GrantFlavorAccess.Do(ctx, b, canonical.FlavorAccessGrant{ID: "m1:f", Project: name})
		if err != nil || heard != there {
			t.Errorf("%s is %s there, want %s: %v", name, heard, there, err)
		}
		if want := []canonical.Project{"acme", "other", "acme", "p-nobody"}; !slices.Equal(r.Result.Projects, want) {
			t.Errorf("asked for %s: %v", name, r.Result.Projects)
		}
	}
	_, err := canonical.GrantFlavorAccess.Do(ctx, b, canonical.FlavorAccessGrant{ID: "m1:f", Project: "third"})
	if e := canonical.AsError(err); e.Code != canonical.InvalidRequest || len(e.Fields) == 0 || e.Fields[0].Field != "project" {
		t.Errorf("a tenant without an account there: %v", err)
	}
}

// Tenants that share an account share its project.
func TestProjectOfASharedAccount(t *testing.T) {
	var heard canonical.Project
	cloud := &canonical.Mux{Next: memory.New(memory.Options{})}
	canonical.Handle(cloud, canonical.GrantFlavorAccess, func(_ context.Context, r canonical.FlavorAccessGrant) (out canonical.TypedReply[canonical.FlavorAccess], err error) {
		heard, out.Result.Projects = r.Project, []canonical.Project{"p-all"}
		return out, nil
	})
	b := openWith(t, broker.Member{Name: "m1", Open: func(string) (broker.Account, error) {
		return broker.Account{Cloud: housed{cloud, "p-all"}, Shared: true}, nil
	}}, "acme", "other")
	for _, name := range []canonical.Project{"acme", "other"} {
		r, err := canonical.GrantFlavorAccess.Do(role(t, "acme", canonical.Operator), b, canonical.FlavorAccessGrant{ID: "m1:f", Project: name})
		if err != nil || heard != "p-all" || len(r.Result.Projects) != 1 || r.Result.Projects[0] != name {
			t.Errorf("%s is %s there, told as %v: %v", name, heard, r.Result.Projects, err)
		}
	}
}

// Each tenant of a shared account sees what its own servers used, of those that are gone
// too; operators see all.
func TestUsageOfTenants(t *testing.T) {
	b := open(t, member("m1", memory.New(memory.Options{})))
	made := map[string]canonical.ID{}
	for _, tenant := range []string{"acme", "other"} {
		made[tenant] = create(as(t, tenant), t, b, request(t, b, "")).Resources[0].ID
	}
	r, err := canonical.DeleteServer.Do(as(t, "acme"), b, canonical.ServerDelete{ID: made["acme"]})
	if err != nil {
		t.Fatal(err)
	}
	if r.Task != nil {
		eventually(t, "it is deleted", func() bool { return operation(t, b, r.Task.Job).Status == canonical.OperationSucceeded })
	}
	end := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	used := func(ctx context.Context, p canonical.Project) map[canonical.Project][]canonical.ID {
		t.Helper()
		got, err := canonical.ListUsages.Do(ctx, b, canonical.UsageList{Project: p, End: end})
		if err != nil {
			t.Fatal(err)
		}
		out := map[canonical.Project][]canonical.ID{}
		for _, u := range got.Result.Items {
			for _, s := range u.Servers {
				out[u.Project] = append(out[u.Project], s.ID)
			}
		}
		return out
	}
	for tenant, id := range made {
		for _, p := range []canonical.Project{canonical.OwnProject, canonical.Project(tenant)} {
			got := used(as(t, tenant), p)
			if len(got) != 1 || !slices.Equal(got[canonical.Project(tenant)], []canonical.ID{id}) {
				t.Errorf("%s of %s: %v", p, tenant, got)
			}
		}
	}
	ops := role(t, "ops", canonical.Operator)
	if got := used(ops, ""); len(got) != 2 || len(got["acme"]) != 1 || len(got["other"]) != 1 {
		t.Errorf("all: %v", got)
	}
	if got := used(ops, "other"); len(got) != 1 || len(got["other"]) != 1 {
		t.Errorf("one: %v", got)
	}
}

// openWith is a broker whose store knows these tenants.
func openWith(t *testing.T, m broker.Member, tenants ...string) *broker.Broker {
	t.Helper()
	s := openStore(t, ":memory:")
	for _, name := range tenants {
		if err := s.CreateTenant(t.Context(), canonical.Tenant{ID: canonical.ID(name), Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	return openOn(t, s, broker.Options{Members: []broker.Member{m}})
}
