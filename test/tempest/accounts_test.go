package tempest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	gopher "github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/roles"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/users"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/openstack"
	"github.com/dragoman-cloud/dragoman/test/process"
)

// account is a user on a project of its own.
type account struct {
	Username, Password, Project string
	Admin                       bool
}

// members and admins are how many accounts of each kind there are: each of two workers
// takes two members and an administrator at most, and some classes one more.
const members, admins = 6, 3

// accountNames are the names that users and projects, or tenants, get.
func accountNames() []account {
	all := make([]account, 0, members+admins)
	for i := range members {
		all = append(all, account{Project: fmt.Sprintf("tempest-%d", i+1)})
	}
	for i := range admins {
		all = append(all, account{Project: fmt.Sprintf("tempest-admin-%d", i+1), Admin: true})
	}
	return all
}

// realAccounts are the accounts on the real OpenStack, made where missing.
func realAccounts(t *testing.T, peer openstack.Peer) []account {
	t.Helper()
	identity := login(t, peer.AuthURL, account{Username: peer.Admin.Username, Password: peer.Admin.Password, Project: peer.Admin.Project}, gopher.NewIdentityV3)
	all := accountNames()
	role := map[string]string{}
	pages, err := roles.List(identity, nil).AllPages(t.Context())
	list, err := extracted(roles.ExtractRoles(pages))(err)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		role[r.Name] = r.ID
	}
	for i := range all {
		a := &all[i]
		a.Username, a.Password = a.Project, "dragoman"
		project, user := projectOf(t, identity, a.Project), userOf(t, identity, *a)
		grants := []string{"member", "reader"}
		if a.Admin {
			grants = append(grants, "admin")
		}
		for _, name := range grants {
			opts := roles.AssignOpts{UserID: user, ProjectID: project}
			if err := roles.Assign(t.Context(), identity, role[name], opts).ExtractErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

func projectOf(t *testing.T, identity *gophercloud.ServiceClient, name string) string {
	t.Helper()
	pages, err := projects.List(identity, projects.ListOpts{Name: name}).AllPages(t.Context())
	found, err := extracted(projects.ExtractProjects(pages))(err)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) > 0 {
		return found[0].ID
	}
	made, err := projects.Create(t.Context(), identity, projects.CreateOpts{Name: name, DomainID: "default"}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	return made.ID
}

func userOf(t *testing.T, identity *gophercloud.ServiceClient, a account) string {
	t.Helper()
	pages, err := users.List(identity, users.ListOpts{Name: a.Username}).AllPages(t.Context())
	found, err := extracted(users.ExtractUsers(pages))(err)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) > 0 {
		return found[0].ID
	}
	made, err := users.Create(t.Context(), identity, users.CreateOpts{Name: a.Username, Password: a.Password, DomainID: "default"}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	return made.ID
}

// extracted joins the two errors of reading a list.
func extracted[T any](list []T, err error) func(error) ([]T, error) {
	return func(first error) ([]T, error) {
		if first != nil {
			return nil, first
		}
		return list, err
	}
}

// login is a client of one service for an account.
func login(t *testing.T, authURL string, a account, service func(*gophercloud.ProviderClient, gophercloud.EndpointOpts) (*gophercloud.ServiceClient, error)) *gophercloud.ServiceClient {
	t.Helper()
	provider, err := gopher.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: authURL, Username: a.Username, Password: a.Password, TenantName: a.Project, DomainName: "Default", AllowReauth: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := service(provider, gophercloud.EndpointOpts{})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// keys are the accounts on a dragoman: a tenant and a key of it each.
func keys(t *testing.T, d *process.Process) []account {
	t.Helper()
	all := accountNames()
	for i := range all {
		a := &all[i]
		role := canonical.Member
		if a.Admin {
			role = canonical.Admin
		}
		body, err := json.Marshal(canonical.APIKeyCreate{Tenant: a.Project, Role: role, Name: "tempest"})
		if err != nil {
			t.Fatal(err)
		}
		var made canonical.APIKeyCreated
		post(t, d.URL+canonical.CreateAPIKey.Spec().Path, body, &made)
		a.Username, a.Password, _ = strings.Cut(made.Key, ".")
	}
	return all
}

func post(t *testing.T, url string, body []byte, result any) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, url, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+process.Key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("POST %s: %s", url, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(result); err != nil {
		t.Fatal(err)
	}
}
