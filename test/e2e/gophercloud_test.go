package e2e

import (
	"context"
	"slices"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	gopher "github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/keypairs"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/networks"
	"github.com/gophercloud/gophercloud/v2/pagination"
)

// program is what a Go program has that was written for OpenStack.
type program struct {
	compute, image, network *gophercloud.ServiceClient
}

func (d *dragoman) program(t *testing.T) program {
	t.Helper()
	provider, err := gopher.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: d.url + "/identity/v3", Username: keyID, Password: keySecret,
		TenantName: "bootstrap", DomainName: "Default", AllowReauth: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	service := func(open func(*gophercloud.ProviderClient, gophercloud.EndpointOpts) (*gophercloud.ServiceClient, error)) *gophercloud.ServiceClient {
		client, err := open(provider, gophercloud.EndpointOpts{Region: "RegionOne"})
		if err != nil {
			t.Fatal(err)
		}
		return client
	}
	return program{service(gopher.NewComputeV2), service(gopher.NewImageV2), service(gopher.NewNetworkV2)}
}

// all is a whole list, page by page.
func all[T any](t *testing.T, list pagination.Pager, extract func(pagination.Page) ([]T, error)) []T {
	t.Helper()
	pages, err := list.AllPages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	items, err := extract(pages)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// named is the item of that name.
func named[T any](t *testing.T, items []T, name func(T) string, want string) T {
	t.Helper()
	i := slices.IndexFunc(items, func(item T) bool { return name(item) == want })
	if i < 0 {
		t.Fatalf("there is no %s in %+v", want, items)
	}
	return items[i]
}

// TestGophercloud: a program that was written with gophercloud for an OpenStack does
// with dragoman what it does there, whatever cloud stands behind.
func TestGophercloud(t *testing.T) {
	for name, open := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			p := b.program(t)
			flavor := named(t, all(t, flavors.ListDetail(p.compute, flavors.ListOpts{Limit: 1}), flavors.ExtractFlavors),
				func(f flavors.Flavor) string { return f.Name }, b.flavor)
			image := named(t, all(t, images.List(p.image, images.ListOpts{Limit: 1}), images.ExtractImages),
				func(i images.Image) string { return i.Name }, b.image)
			network := named(t, all(t, networks.List(p.network, networks.ListOpts{Name: b.network}), networks.ExtractNetworks),
				func(n networks.Network) string { return n.Name }, b.network)
			if flavor.VCPUs == 0 || flavor.RAM == 0 || image.Status != images.ImageStatusActive || network.Status != "ACTIVE" {
				t.Errorf("%+v %+v %+v", flavor, image, network)
			}
			p.keypair(t, b)
			p.server(t, b, servers.CreateOpts{
				Name: ours + "-gopher", FlavorRef: flavor.ID, ImageRef: image.ID,
				Networks: []servers.Network{{UUID: network.ID}}, Metadata: map[string]string{"a": "b"},
			})
		})
	}
}

func (p program) keypair(t *testing.T, b behind) {
	t.Helper()
	name := ours + "-gopher"
	made, err := keypairs.Create(t.Context(), p.compute, keypairs.CreateOpts{Name: name}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	if made.PrivateKey == "" || made.PublicKey == "" || made.Fingerprint == "" || !b.keypair(t, name) {
		t.Errorf("made %+v", made)
	}
	got, err := keypairs.Get(t.Context(), p.compute, name, nil).Extract()
	if err != nil || got.PublicKey != made.PublicKey || got.PrivateKey != "" {
		t.Errorf("got %+v (%v)", got, err)
	}
	if err := keypairs.Delete(t.Context(), p.compute, name, nil).ExtractErr(); err != nil || b.keypair(t, name) {
		t.Errorf("deleted: %v", err)
	}
	if _, err := keypairs.Get(t.Context(), p.compute, name, nil).Extract(); !missing(err) {
		t.Errorf("a deleted keypair: %v", err)
	}
}

// server leads one through its life; after each step the cloud holds what was told.
func (p program) server(t *testing.T, b behind, opts servers.CreateOpts) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	made, err := servers.Create(ctx, p.compute, opts, nil).Extract()
	if err != nil {
		t.Fatal(err)
	}
	reach := func(status string) {
		t.Helper()
		if err := servers.WaitForStatus(ctx, p.compute, made.ID, status); err != nil {
			t.Fatal(err)
		}
		b.holds(t, made.ID, held{Status: status})
	}
	reach("ACTIVE")
	if made.AdminPass == "" {
		t.Error("the create tells no password")
	}
	s, err := servers.Get(ctx, p.compute, made.ID).Extract()
	if err != nil || s.Name != opts.Name || s.Metadata["a"] != "b" || s.Image["id"] != opts.ImageRef || len(s.Addresses) != 1 || s.Created.IsZero() {
		t.Errorf("got %+v (%v)", s, err)
	}

	renamed := opts.Name + "-2"
	if s, err := servers.Update(ctx, p.compute, made.ID, servers.UpdateOpts{Name: renamed}).Extract(); err != nil || s.Name != renamed {
		t.Errorf("updated %+v (%v)", s, err)
	}
	if _, err := servers.UpdateMetadata(ctx, p.compute, made.ID, servers.MetadataOpts{"c": "d"}).Extract(); err != nil {
		t.Error(err)
	}
	b.holds(t, made.ID, held{Name: renamed, Metadata: map[string]string{"a": "b", "c": "d"}})
	listed := all(t, servers.List(p.compute, servers.ListOpts{Name: "^" + renamed + "$", Limit: 1}), servers.ExtractServers)
	if len(listed) != 1 || listed[0].ID != made.ID {
		t.Errorf("listed %+v", listed)
	}

	for _, step := range []struct {
		name   string
		do     func() error
		status string
	}{
		{"stop", func() error { return servers.Stop(ctx, p.compute, made.ID).ExtractErr() }, "SHUTOFF"},
		{"start", func() error { return servers.Start(ctx, p.compute, made.ID).ExtractErr() }, "ACTIVE"},
		{"reboot", func() error {
			return servers.Reboot(ctx, p.compute, made.ID, servers.RebootOpts{Type: servers.HardReboot}).ExtractErr()
		}, "ACTIVE"},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		reach(step.status)
	}
	if err := servers.Start(ctx, p.compute, made.ID).ExtractErr(); !gophercloud.ResponseCodeIs(err, 409) {
		t.Errorf("start of a running server: %v", err)
	}
	if err := servers.Delete(ctx, p.compute, made.ID).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	b.gone(t, made.ID)
	if _, err := servers.Get(ctx, p.compute, made.ID).Extract(); !missing(err) {
		t.Errorf("a deleted server: %v", err)
	}
}

// TestGophercloudOverTwoClouds: two clouds are one to the program. Their servers are
// listed page by page, each once and the newest first.
func TestGophercloudOverTwoClouds(t *testing.T) {
	t.Parallel()
	d := start(t, "clouds: [{name: m1, dialect: memory, shared: true}, {name: m2, dialect: memory, shared: true}]\n")
	p := d.program(t)
	var made []string
	sizes := all(t, flavors.ListDetail(p.compute, flavors.ListOpts{Limit: 2}), flavors.ExtractFlavors)
	from := all(t, images.List(p.image, images.ListOpts{Limit: 1}), images.ExtractImages)
	if len(sizes) != 6 || len(from) != 2 {
		t.Fatalf("%d flavors and %d images of two clouds", len(sizes), len(from))
	}
	for range 4 {
		for _, image := range from { // an image has its cloud, and so decides
			var flavor string
			for _, f := range sizes {
				s, err := servers.Create(t.Context(), p.compute, servers.CreateOpts{Name: ours, FlavorRef: f.ID, ImageRef: image.ID}, nil).Extract()
				if err == nil {
					flavor, made = f.ID, append(made, s.ID)
					break
				}
			}
			if flavor == "" {
				t.Fatalf("no flavor goes with image %s", image.ID)
			}
		}
	}
	slices.Reverse(made)
	for _, limit := range []int{0, 1, 3, 8} {
		var got []string
		for _, s := range all(t, servers.List(p.compute, servers.ListOpts{Limit: limit}), servers.ExtractServers) {
			got = append(got, s.ID)
		}
		if !slices.Equal(got, made) {
			t.Errorf("pages of %d: %v, want %v", limit, got, made)
		}
	}
}
