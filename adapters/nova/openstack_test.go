package nova

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/applicationcredentials"

	"github.com/dragoman-cloud/dragoman/adapters/transport"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/openstack"
	"github.com/dragoman-cloud/dragoman/translate"
)

// realOptions are those of one user of the OpenStack that tests are given.
func realOptions(peer openstack.Peer, who openstack.Credentials) Options {
	return Options{
		Endpoint: peer.AuthURL, Region: peer.Region,
		Auth: Auth{
			Username: who.Username, Password: who.Password, UserDomain: who.UserDomain,
			Project: who.Project, ProjectDomain: who.ProjectDomain,
		},
		Transport: transport.Options{Name: "real"},
	}
}

func realCloud(t *testing.T, o Options) *Cloud {
	t.Helper()
	c, err := Open(o, tinyTable())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestOpenStackSession(t *testing.T) {
	peer := openstack.Require(t)
	c := realCloud(t, realOptions(peer, peer.Demo))
	for _, service := range []string{"compute", "image", "network", "volume"} {
		s, err := c.conn.Session(t.Context(), service)
		if err != nil {
			t.Fatal(err)
		}
		if s.Project == "" || s.User == "" || s.Bases[service] == "" {
			t.Errorf("%s: %+v", service, s)
		}
		if service == "compute" && s.Window.Max.String() != peer.ComputeMicroversion {
			t.Errorf("speaks %v, want %s", s.Window, peer.ComputeMicroversion)
		}
	}
}

func TestOpenStackServices(t *testing.T) {
	peer := openstack.Require(t)
	c := realCloud(t, realOptions(peer, peer.Demo))
	ctx := canonical.WithOptions(t.Context(), canonical.Options{RequestID: "r1"})
	for service, path := range map[string]string{
		"compute": "/flavors/" + peer.FlavorID, "image": "/v2/images/" + peer.ImageID, "network": "/v2.0/networks/" + peer.NetworkID,
	} {
		resp, err := c.conn.Send(ctx, &translate.Request{Service: service, Method: http.MethodGet, Path: path})
		if err != nil || resp.Status != http.StatusOK {
			t.Errorf("%s: %+v, %v", service, resp, err)
		}
	}
}

func TestOpenStackRenewal(t *testing.T) {
	peer := openstack.Require(t)
	c := realCloud(t, realOptions(peer, peer.Demo))
	l, err := c.conn.keeper.get(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	worn := *l
	worn.token = "gAAAAABnot-a-token"
	c.conn.keeper.mu.Lock()
	c.conn.keeper.current = &worn
	c.conn.keeper.mu.Unlock()
	resp, err := c.conn.Send(t.Context(), &translate.Request{Service: "compute", Method: http.MethodGet, Path: "/servers"})
	if err != nil || resp.Status != http.StatusOK {
		t.Errorf("%+v, %v", resp, err)
	}
}

func TestOpenStackToken(t *testing.T) {
	peer := openstack.Require(t)
	l, err := realCloud(t, realOptions(peer, peer.Demo)).conn.keeper.get(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	o := realOptions(peer, peer.Demo)
	o.Auth = Auth{Token: l.token}
	s, err := realCloud(t, o).conn.Session(t.Context(), "compute")
	if err != nil || s.Project != l.project {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestOpenStackRefusesAPassword(t *testing.T) {
	peer := openstack.Require(t)
	o := realOptions(peer, peer.Demo)
	o.Auth.Password = "wrong"
	_, err := realCloud(t, o).conn.Session(t.Context(), "compute")
	if e := canonical.AsError(err); canonical.CodeOf(err) != canonical.UpstreamError || e.Upstream == nil || e.Upstream.Status != 401 {
		t.Errorf("%v", err)
	}
}

func TestOpenStackApplicationCredential(t *testing.T) {
	peer := openstack.Require(t)
	o := realOptions(peer, peer.Demo)
	c := realCloud(t, o)
	l, err := c.conn.keeper.get(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	identity := &gophercloud.ServiceClient{
		ProviderClient: &gophercloud.ProviderClient{HTTPClient: *c.conn.client, TokenID: l.token}, Endpoint: peer.AuthURL + "/",
	}
	ac, err := applicationcredentials.Create(t.Context(), identity, l.user, applicationcredentials.CreateOpts{
		Name: fmt.Sprintf("dragoman-test-%d", time.Now().UnixNano()),
	}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := applicationcredentials.Delete(context.Background(), identity, l.user, ac.ID).ExtractErr(); err != nil {
			t.Error(err)
		}
	})
	for name, auth := range map[string]Auth{
		"by id":   {ApplicationCredentialID: ac.ID, ApplicationCredentialSecret: ac.Secret},
		"by name": {ApplicationCredentialName: ac.Name, Username: peer.Demo.Username, ApplicationCredentialSecret: ac.Secret},
	} {
		o.Auth = auth
		s, err := realCloud(t, o).conn.Session(t.Context(), "compute")
		if err != nil || s.Project != l.project {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}
