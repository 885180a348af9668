package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	gopher "github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/keypairs"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"

	"github.com/dragoman-cloud/dragoman/test/openstack"
)

// held is a server as its cloud holds it, in Nova's words for every cloud.
type held struct {
	Name, Status string
	Metadata     map[string]string
}

// novaStatus are Nova's words for the states that the tests wait for.
var novaStatus = map[string]string{"building": "BUILD", "running": "ACTIVE", "stopped": "SHUTOFF", "rebooting": "REBOOT"}

// behind is a dragoman with one cloud behind, and a way around dragoman, or at least
// around what is tried, to what that cloud holds.
type behind struct {
	*dragoman
	cloud                  string
	flavor, image, network string
	server                 func(t *testing.T, nativeID string) (held, bool)
	keypair                func(t *testing.T, name string) bool
}

// withMemory is a dragoman before a cloud in memory. That is the process's own: it is
// seen through the canonical API.
func withMemory(t *testing.T) behind {
	d := start(t, "clouds: [{name: memory, dialect: memory, shared: true}]\n")
	return behind{
		dragoman: d, cloud: "memory", flavor: "small", image: "cirros", network: "private",
		server: func(t *testing.T, id string) (held, bool) {
			var page struct {
				Items []struct {
					ID, Name, Status string
					Metadata         map[string]string
				}
			}
			d.call(t, http.MethodGet, "/v1/servers?limit=1000", "", http.StatusOK, &page, "Cache-Control", "no-cache")
			for _, s := range page.Items {
				if s.ID == "memory:"+id {
					return held{s.Name, novaStatus[s.Status], s.Metadata}, true
				}
			}
			return held{}, false
		},
		keypair: func(t *testing.T, name string) bool {
			var page struct{ Items []struct{ Name string } }
			d.call(t, http.MethodGet, "/v1/keypairs?limit=1000", "", http.StatusOK, &page, "Cache-Control", "no-cache")
			for _, k := range page.Items {
				if k.Name == name {
					return true
				}
			}
			return false
		},
	}
}

// withOpenStack is a dragoman before the real OpenStack, which is asked by
// gophercloud what it holds.
func withOpenStack(t *testing.T) behind {
	if testing.Short() {
		t.Skip("needs an OpenStack: run without -short")
	}
	peer := openstack.Require(t)
	nova := compute(t, peer, peer.Demo)
	sweepLater(nova)
	return behind{
		dragoman: start(t, realConfig(peer, peer.Demo)), cloud: "os1", flavor: peer.Flavor, image: peer.Image, network: peer.Network,
		server:  func(t *testing.T, id string) (held, bool) { return realServer(t, nova, id) },
		keypair: func(t *testing.T, name string) bool { return realKeypair(t, nova, name) },
	}
}

// compute is a client for the real Nova, as one of its users.
func compute(t *testing.T, peer openstack.Peer, as openstack.Credentials) *gophercloud.ServiceClient {
	t.Helper()
	provider, err := gopher.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: peer.AuthURL, Username: as.Username, Password: as.Password,
		TenantName: as.Project, DomainName: as.UserDomain, AllowReauth: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	nova, err := gopher.NewComputeV2(provider, gophercloud.EndpointOpts{Region: peer.Region})
	if err != nil {
		t.Fatal(err)
	}
	return nova
}

func realServer(t *testing.T, nova *gophercloud.ServiceClient, id string) (held, bool) {
	t.Helper()
	s, err := servers.Get(t.Context(), nova, id).Extract()
	if missing(err) {
		return held{}, false
	}
	if err != nil {
		t.Fatal(err)
	}
	return held{s.Name, s.Status, s.Metadata}, true
}

func realKeypair(t *testing.T, nova *gophercloud.ServiceClient, name string) bool {
	t.Helper()
	_, err := keypairs.Get(t.Context(), nova, name, nil).Extract()
	if err != nil && !missing(err) {
		t.Fatal(err)
	}
	return err == nil
}

func missing(err error) bool {
	var status gophercloud.ErrUnexpectedResponseCode
	return errors.As(err, &status) && status.Actual == http.StatusNotFound
}

// ours is in the name of everything that this run makes on the real cloud.
var ours = fmt.Sprintf("e2e-%d", os.Getpid())

// brooms sweep the projects that tests of this run made servers in, when all have ended:
// they run beside each other, and one that swept when it ended would take what another
// still needs.
var brooms struct {
	mu  sync.Mutex
	all []*gophercloud.ServiceClient
}

func sweepLater(nova *gophercloud.ServiceClient) {
	brooms.mu.Lock()
	defer brooms.mu.Unlock()
	brooms.all = append(brooms.all, nova)
}

// sweep deletes what failed tests left on the real cloud.
func sweep() error {
	var errs []error
	for _, nova := range brooms.all {
		errs = append(errs, sweepProject(nova))
	}
	return errors.Join(errs...)
}

func sweepProject(nova *gophercloud.ServiceClient) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	pages, err := servers.List(nova, servers.ListOpts{Name: "^" + ours}).AllPages(ctx)
	if err != nil {
		return err
	}
	left, err := servers.ExtractServers(pages)
	errs := []error{err}
	for _, s := range left {
		fmt.Fprintf(os.Stderr, "sweeping server %s (%s)\n", s.Name, s.Status)
		if err := servers.Delete(ctx, nova, s.ID).ExtractErr(); err != nil && !missing(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// holds waits until the cloud holds a server as wanted; empty fields of it do
// not count.
func (b behind) holds(t *testing.T, id string, want held) {
	t.Helper()
	eventually(t, func() (string, bool) {
		got, there := b.server(t, id)
		ok := there && (want.Name == "" || got.Name == want.Name) && (want.Status == "" || got.Status == want.Status)
		for k, v := range want.Metadata {
			ok = ok && got.Metadata[k] == v
		}
		return fmt.Sprintf("the cloud holds %+v (%v), want %+v", got, there, want), ok
	})
}

// gone waits until the cloud does not hold the server.
func (b behind) gone(t *testing.T, id string) {
	t.Helper()
	eventually(t, func() (string, bool) {
		got, there := b.server(t, id)
		return fmt.Sprintf("the cloud still holds %+v", got), !there
	})
}

// eventually polls until ok, and fails the test with what it saw last.
func eventually(t *testing.T, look func() (string, bool)) {
	t.Helper()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience / 2); ; <-tick.C {
		saw, ok := look()
		if ok {
			return
		}
		if time.Now().After(end) {
			t.Fatal(saw)
		}
	}
}

// escaped is a canonical id for a path.
func escaped(id string) string { return url.PathEscape(id) }
