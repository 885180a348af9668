package native

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/guest"
	"github.com/dragoman-cloud/dragoman/test/libvirt"
)

// realOptions are for a cloud of the test's own on a real libvirtd: its prefix and its
// directories are nobody else's, and are gone with the test.
func realOptions(t testing.TB, d libvirt.Daemon) Options {
	t.Helper()
	prefix, dir := d.Names(t)
	if err := os.Mkdir(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return Options{
		Name: "kvm1", Dir: t.TempDir(), HostDir: filepath.Join(dir, "host"), Prefix: prefix, StopGrace: 30 * time.Second,
		Hosts: []HostOptions{{Name: "h1", URI: d.URI, Zone: "az1"}}, Overcommit: Overcommit{VCPUs: 100},
		Store: testStore(t, filepath.Join(t.TempDir(), "store.db")), Box: testBox(t), Log: testLog(t),
	}
}

func openCloud(t testing.TB, o Options) *Cloud {
	t.Helper()
	c, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// realCloud is a cloud on the real libvirtd, with the guest's image.
func realCloud(t testing.TB) (*Cloud, libvirt.Daemon, canonical.Image) {
	t.Helper()
	d := libvirt.Require(t)
	path := guest.Image(t)
	c := openCloud(t, realOptions(t, d))
	return c, d, addImage(t, c, "guest", "qcow2", path)
}

// of asks for a server of the image; where the host has no network, for one without.
func of(t testing.TB, d libvirt.Daemon, image canonical.Image, name string) canonical.ServerCreate {
	t.Helper()
	r := a(name)
	r.Image = canonical.Ref(image.ID)
	if !d.HasNetwork(t) {
		r.Networks.Mode = canonical.NetworksNone
	}
	return r
}

// nothingLeft fails if the host has anything of any server of the cloud.
func nothingLeft(t testing.TB, c *Cloud, d libvirt.Daemon) {
	t.Helper()
	for _, name := range strings.Fields(d.Virsh(t, "list", "--all", "--name")) {
		if strings.HasPrefix(name, c.prefix()+"-") {
			t.Errorf("domain %s is left", name)
		}
	}
	files, err := os.ReadDir(filepath.Join(c.opts.HostDir, "servers"))
	if err != nil && !os.IsNotExist(err) {
		t.Error(err)
	}
	for _, f := range files {
		t.Errorf("file %s is left", f.Name())
	}
	nothingKept(t, c)
}

// nothingKept fails if the store or the images know of any server.
func nothingKept(t testing.TB, c *Cloud) {
	t.Helper()
	if claims, err := c.opts.Store.Claims(t.Context(), c.opts.Name); err != nil || len(claims) > 0 {
		t.Errorf("claims are left: %v %v", claims, err)
	}
	if p := do(t, c, canonical.ListServers, canonical.ServerList{}); len(p.Items) > 0 {
		t.Errorf("servers are left: %v", p.Items)
	}
	for _, i := range c.images.List() {
		if len(i.Users) > 0 {
			t.Errorf("image %s is used by %v", i.Name, i.Users)
		}
	}
}
