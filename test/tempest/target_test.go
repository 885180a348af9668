package tempest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	gopher "github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/catalog"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/imagedata"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/external"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/networks"

	"github.com/dragoman-cloud/dragoman/test/openstack"
	"github.com/dragoman-cloud/dragoman/test/process"
)

// target is a cloud that Tempest is run against.
type target struct {
	name     string
	authURL  string
	accounts []account
	network  string // that all projects share, by name
}

// The names of the targets.
const (
	direct   = "direct"   // the real OpenStack
	dragoman = "dragoman" // dragoman over it
	inMemory = "memory"   // dragoman over a cloud in memory
)

// openers make each target.
var openers = map[string]func(t *testing.T) target{
	direct: func(t *testing.T) target {
		peer := openstack.Require(t)
		return target{direct, peer.AuthURL, realAccounts(t, peer), peer.Network}
	},
	dragoman: func(t *testing.T) target {
		peer := openstack.Require(t)
		return served(t, dragoman, peer.Network, overOpenStack(peer, realAccounts(t, peer)))
	},
	inMemory: func(t *testing.T) target {
		return served(t, inMemory, "private", overMemory())
	},
}

// served is a dragoman of that configuration.
func served(t *testing.T, name, network string, config map[string]any) target {
	b, err := json.Marshal(config) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	d := process.Start(t, t.TempDir(), string(b))
	return target{name, d.URL + "/identity/v3", keys(t, d), network}
}

// overOpenStack gives each tenant its own account on the OpenStack, so that what is
// compared is who asks, and not how tenants share an account.
func overOpenStack(peer openstack.Peer, real []account) map[string]any {
	tenants := []any{}
	auth := func(a account) map[string]string {
		return map[string]string{
			"username": a.Username, "password": a.Password, "project": a.Project, "user_domain": "Default", "project_domain": "Default",
		}
	}
	for _, a := range real {
		tenants = append(tenants, map[string]any{"name": a.Project, "accounts": map[string]any{"os1": auth(a)}})
	}
	return map[string]any{
		"tenants": tenants,
		"clouds":  []any{map[string]any{"name": "os1", "dialect": "nova", "endpoint": peer.AuthURL, "region": peer.Region, "timeout": "60s"}},
	}
}

func overMemory() map[string]any {
	tenants := []any{}
	for _, a := range accountNames() {
		tenants = append(tenants, map[string]any{"name": a.Project})
	}
	return map[string]any{
		"tenants": tenants,
		"clouds":  []any{map[string]any{"name": "memory", "dialect": "memory", "shared": true, "memory": map[string]any{"delay": "100ms"}}},
	}
}

// facts are what a configuration of Tempest says about a cloud.
type facts struct {
	target
	Image, OtherImage, Flavor, OtherFlavor string
	PublicNetwork                          string
	Extensions                             string
	Volumes                                bool
}

// learn asks a cloud for its facts, and gives it the second image that Tempest wants.
func learn(t *testing.T, tg target) facts {
	t.Helper()
	admin := tg.accounts[members]
	f := facts{target: tg}
	f.Flavor, f.OtherFlavor = twoFlavors(t, login(t, tg.authURL, admin, gopher.NewComputeV2))
	f.Image, f.OtherImage = twoImages(t, login(t, tg.authURL, admin, gopher.NewImageV2))
	network := login(t, tg.authURL, admin, gopher.NewNetworkV2)
	f.PublicNetwork, f.Extensions = publicNetwork(t, network), aliases(t, network)
	f.Volumes = hasVolumes(t, login(t, tg.authURL, admin, gopher.NewIdentityV3))
	return f
}

func twoFlavors(t *testing.T, compute *gophercloud.ServiceClient) (one, other string) {
	t.Helper()
	pages, err := flavors.ListDetail(compute, flavors.ListOpts{SortKey: "memory_mb", SortDir: "asc"}).AllPages(t.Context())
	list, err := extracted(flavors.ExtractFlavors(pages))(err)
	if err != nil || len(list) < 2 {
		t.Fatalf("%d flavors: %v", len(list), err)
	}
	return list[0].ID, list[1].ID
}

// otherImage is the name of the second image where there is one only.
const otherImage = "tempest-other"

func twoImages(t *testing.T, glance *gophercloud.ServiceClient) (one, other string) {
	t.Helper()
	pages, err := images.List(glance, images.ListOpts{Visibility: images.ImageVisibilityPublic, SortKey: "name", SortDir: "asc"}).AllPages(t.Context())
	list, err := extracted(images.ExtractImages(pages))(err)
	if err != nil || len(list) == 0 {
		t.Fatalf("%d images: %v", len(list), err)
	}
	if len(list) > 1 {
		return list[0].ID, list[1].ID
	}
	public := images.ImageVisibilityPublic
	made, err := images.Create(t.Context(), glance, images.CreateOpts{
		Name: otherImage, DiskFormat: "raw", ContainerFormat: "bare", Visibility: &public,
	}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	if err := imagedata.Upload(t.Context(), glance, made.ID, bytes.NewReader(make([]byte, 4096))).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	return list[0].ID, made.ID
}

func publicNetwork(t *testing.T, neutron *gophercloud.ServiceClient) string {
	t.Helper()
	outside := true
	pages, err := networks.List(neutron, external.ListOptsExt{ListOptsBuilder: networks.ListOpts{}, External: &outside}).AllPages(t.Context())
	list, err := extracted(networks.ExtractNetworks(pages))(err)
	if err != nil {
		t.Logf("no external networks: %v", err)
	}
	if len(list) == 0 {
		return ""
	}
	return list[0].ID
}

// aliases are the extensions of the network service; none where it does not tell.
func aliases(t *testing.T, neutron *gophercloud.ServiceClient) string {
	t.Helper()
	var body struct {
		Extensions []struct{ Alias string }
	}
	if _, err := neutron.Get(t.Context(), neutron.ServiceURL("extensions"), &body, nil); err != nil {
		t.Logf("extensions of the network service: %v", err)
		return "none"
	}
	names := []string{"none"}
	for _, e := range body.Extensions {
		names = append(names, e.Alias)
	}
	return strings.Join(names, ",")
}

func hasVolumes(t *testing.T, identity *gophercloud.ServiceClient) bool {
	t.Helper()
	pages, err := catalog.List(identity).AllPages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	entries, err := catalog.ExtractServiceCatalog(pages)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type == "volumev3" || e.Type == "block-storage" {
			return true
		}
	}
	return false
}

// write makes the workspace of a run: Tempest's configuration and accounts.
func (f facts) write(t *testing.T, dir string) {
	t.Helper()
	type entry = map[string]any
	entries := []entry{}
	for _, a := range f.accounts {
		e := entry{
			"username": a.Username, "password": a.Password, "project_name": a.Project,
			"user_domain_name": "Default", "project_domain_name": "Default",
			"roles": []string{"member", "reader"}, "resources": entry{"network": f.network},
		}
		if a.Admin {
			e["types"], e["roles"] = []string{"admin"}, []string{"admin", "member", "reader"}
		}
		entries = append(entries, e)
	}
	accounts, err := json.MarshalIndent(entries, "", "  ") // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	var conf bytes.Buffer
	if err := configuration.Execute(&conf, struct {
		facts
		Dir, AuthURL, Network string
		Admin                 account
	}{f, dir, f.authURL, f.network, f.accounts[members]}); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"accounts.yaml": accounts, "tempest.conf": conf.Bytes(), ".stestr.conf": []byte(stestr)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "locks"), 0o700); err != nil {
		t.Fatal(err)
	}
}
