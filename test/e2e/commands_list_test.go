package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dragoman-cloud/dragoman/test/openstack"
)

// commandGroups are the commands of ../shared/clients/openstack.md that
// TestOpenStackCommand does not have: each group goes on by itself.
var commandGroups = map[string][]asked{
	"power": powers, "change": changes, "plug": plugs, "group": groups,
	"flavor": sizes, "image": pictures, "network": nets, "volume": disks, "host": hostsOf, "identity": identities, "credential": credentials,
}

// TestOpenStackCommands: each command does over dragoman what it does over an
// OpenStack, by its output and by what the cloud then holds.
func TestOpenStackCommands(t *testing.T) {
	for name, open := range map[string]func(*testing.T) place{"Memory": memoryPlace, "OpenStack": openstackPlace} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t)
			for group, list := range commandGroups {
				t.Run(group, func(t *testing.T) {
					t.Parallel()
					p.do(t, group, list)
				})
			}
		})
	}
}

func memoryPlace(t *testing.T) place {
	d := start(t, "clouds: [{name: memory, dialect: memory, shared: true}]\n")
	return place{
		name: "Memory", c: d.openstack(t),
		words: append(file(t), "FLAVOR2", "medium", "FLAVOR", "small", "IMAGE", "cirros", "NETWORK2", "public", "NETWORK", "private",
			"HOST2", "memory-2", "HOST", "memory-1", "PROJECT", "bootstrap"),
		lack: func(t *testing.T, f fact) string { return f.ownLack(t, d) },
	}
}

// openstackPlace is the real OpenStack with its administrator's account, for many of
// the commands are administrators'.
func openstackPlace(t *testing.T) place {
	if testing.Short() {
		t.Skip("needs an OpenStack: run without -short")
	}
	peer := openstack.Require(t)
	nova := compute(t, peer, peer.Admin)
	sweepLater(nova)
	d := start(t, realConfig(peer, peer.Admin))
	around := client{env: environment(d.dir, "OS_AUTH_URL="+peer.AuthURL, "OS_IDENTITY_API_VERSION=3", "OS_USERNAME="+peer.Admin.Username,
		"OS_PASSWORD="+peer.Admin.Password, "OS_PROJECT_NAME="+peer.Admin.Project, "OS_USER_DOMAIN_NAME="+peer.Admin.UserDomain,
		"OS_PROJECT_DOMAIN_NAME="+peer.Admin.ProjectDomain), version: "2.92"}.session(t)
	return place{
		name: "OpenStack", c: d.openstack(t),
		words: append(file(t), "FLAVOR2", peer.OtherFlavor, "FLAVOR", peer.Flavor, "IMAGE", peer.Image, "NETWORK2", peer.OtherNetwork,
			"NETWORK", peer.Network, "HOST2", peer.Hosts[1], "HOST", peer.Hosts[0], "PROJECT", "bootstrap"),
		lack: func(t *testing.T, f fact) string { return f.realLack(t, around) },
	}
}

// file is one to upload, and the name of one to download to.
func file(t *testing.T) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("what an image holds"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"FILE2", path + "2", "FILE", path}
}
