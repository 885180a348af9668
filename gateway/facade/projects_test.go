package facade

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Clients know projects by ids of ours; what is no tenant's passes.
func TestProjectsOfClients(t *testing.T) {
	f := New(Options{
		ProjectOf: func(tenant string) string { return "id-of-" + tenant },
		Tenants:   func(context.Context) ([]string, error) { return []string{"acme", "other"}, nil },
	})
	names, err := f.projects(t.Context(), canonical.GrantFlavorAccess.Spec())
	if err != nil {
		t.Fatal(err)
	}
	for client, tenant := range map[canonical.Project]canonical.Project{"id-of-acme": "acme", "id-of-other": "other", "p-1": "p-1", "own": "own"} {
		asked := canonical.FlavorAccessGrant{ID: "f", Project: client}
		if d := cmp.Diff(canonical.FlavorAccessGrant{ID: "f", Project: tenant}, names.read(asked)); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(canonical.FlavorAccess{Projects: []canonical.Project{client}}, names.show(canonical.FlavorAccess{Projects: []canonical.Project{tenant}})); d != "" {
			t.Error(d)
		}
	}
	if names, err := f.projects(t.Context(), canonical.GetServer.Spec()); err != nil || names.tenants != nil {
		t.Error("tenants are asked for where nobody needs them")
	}
}
