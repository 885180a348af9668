package openstack

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"
)

// Env names the environment variable that holds the path of peer.json, the
// file by which openstack.sh describes the stack it started.
const Env = "DRAGOMAN_TEST_OPENSTACK"

// Peer describes a running OpenStack.
type Peer struct {
	// AuthURL is the address of Keystone, with its version: ".../v3".
	AuthURL string `json:"auth_url"`
	// Region is the only region of the catalogue.
	Region string `json:"region"`

	// Admin has the admin role on the project admin.
	Admin Credentials `json:"admin"`
	// Demo and Other are tenants that do not see each other. Both have the
	// roles member and reader on the project of their name.
	Demo  Credentials `json:"demo"`
	Other Credentials `json:"other"`

	// Image and OtherImage are the names of public images, and ImageID the id
	// of the former.
	Image      string `json:"image"`
	ImageID    string `json:"image_id"`
	OtherImage string `json:"other_image"`

	// Flavor and OtherFlavor are the names of public flavors, of which the
	// latter is the larger, and FlavorID the id of the former.
	Flavor      string `json:"flavor"`
	FlavorID    string `json:"flavor_id"`
	OtherFlavor string `json:"other_flavor"`

	// Network is the name of a network that all projects share, and NetworkID
	// its id. OtherNetwork belongs to Demo alone.
	Network      string `json:"network"`
	NetworkID    string `json:"network_id"`
	OtherNetwork string `json:"other_network"`

	// Hosts are the names of the compute hosts.
	Hosts []string `json:"hosts"`
	// ComputeMicroversion is the highest one that Nova speaks.
	ComputeMicroversion string `json:"compute_microversion"`
}

// Credentials are those of one user, scoped to one project.
type Credentials struct {
	Username      string `json:"username"`
	Password      string `json:"password"`
	Project       string `json:"project"`
	UserDomain    string `json:"user_domain"`
	ProjectDomain string `json:"project_domain"`
}

// Require returns the OpenStack to test with. It skips the test when none was
// provided, and fails it when one was but its description is of no use.
func Require(t testing.TB) Peer {
	t.Helper()
	path := os.Getenv(Env)
	if path == "" {
		t.Skip("needs an OpenStack, and $" + Env + " names none: run 'make openstack'")
	}
	peer, err := Load(path)
	if err != nil {
		t.Fatalf("$%s: %v", Env, err)
	}
	return peer
}

// Load reads the description of a stack.
func Load(path string) (Peer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Peer{}, err
	}
	var peer Peer
	if err := json.Unmarshal(data, &peer); err != nil {
		return Peer{}, fmt.Errorf("%s: %w", path, err)
	}
	if peer.AuthURL == "" || peer.Admin.Username == "" || peer.Demo.Username == "" {
		return Peer{}, fmt.Errorf("%s: %w", path, errIncomplete)
	}
	return peer, nil
}

var errIncomplete = errors.New("auth_url or the credentials are missing")
