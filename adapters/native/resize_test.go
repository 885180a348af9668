package native

import (
	"context"
	"sync"
	"testing"

	"github.com/dragoman-cloud/dragoman/adapters/native/kvm"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
	"github.com/dragoman-cloud/dragoman/test/guest"
	"github.com/dragoman-cloud/dragoman/test/libvirt"
)

// claimed is what a server takes of its host.
func claimed(t testing.TB, c *Cloud, id canonical.ID) store.Claim {
	t.Helper()
	all, err := c.opts.Store.Claims(t.Context(), c.opts.Name)
	if err != nil {
		t.Fatal(err)
	}
	for _, claim := range all {
		if claim.Server == string(id) {
			return claim
		}
	}
	t.Fatalf("server %s claims nothing", id)
	return store.Claim{}
}

// TestResizeClaims: until a resize is settled the server claims what either shape needs,
// then what it is; a resize for which there is no room changes nothing.
func TestResizeClaims(t *testing.T) {
	c, h, _ := fakeCloud(t)
	id := create(t, c, a("web")).ID
	tiny := claimed(t, c, id)
	is := func(what string, want store.Claim) {
		t.Helper()
		if got := claimed(t, c, id); got != want {
			t.Errorf("%s it claims %+v, want %+v", what, got, want)
		}
	}
	do(t, c, canonical.ResizeServer, canonical.ServerResize{ID: id, Flavor: "small"})
	small := claimed(t, c, id)
	if small.RAMMiB <= tiny.RAMMiB {
		t.Errorf("resized it claims %+v, before %+v", small, tiny)
	}
	do(t, c, canonical.RevertServerResize, canonical.ServerRevertResize{ID: id})
	is("after the revert", tiny)
	do(t, c, canonical.ResizeServer, canonical.ServerResize{ID: id, Flavor: "small"})
	do(t, c, canonical.ConfirmServerResize, canonical.ServerConfirmResize{ID: id})
	is("after the confirm", small)
	if h.called("grow") != 1 {
		t.Error("the disk was not grown")
	}
	code(t, "a resize to a smaller disk", try(t, c, canonical.ResizeServer, canonical.ServerResize{ID: id, Flavor: "tiny"}), canonical.InvalidRequest)
	code(t, "a live resize", try(t, c, canonical.ResizeServer, canonical.ServerResize{ID: id, Flavor: "medium", Live: true}), canonical.Unsupported)
	h.facts.CPUs = 1
	code(t, "a resize without room", try(t, c, canonical.ResizeServer, canonical.ServerResize{ID: id, Flavor: "large"}), canonical.QuotaExceeded)
	is("after what was refused", small)
	h.facts.CPUs = 100
	for _, fails := range []string{"stop", "reshape"} {
		h.stepping(func(_ context.Context, step, _ string) error {
			if step == fails {
				return canonical.Errorf(canonical.QuotaExceeded, "the disk is full")
			}
			return nil
		})
		code(t, "a resize whose "+fails+" fails", try(t, c, canonical.ResizeServer, canonical.ServerResize{ID: id, Flavor: "large"}), canonical.QuotaExceeded)
		is("after its "+fails+" failed", small)
	}
	if s := get(t, c, id); s.Status != canonical.ServerRunning || *s.Flavor.Name != "small" {
		t.Errorf("after what failed it is %s, a %s", s.Status, *s.Flavor.Name)
	}
}

// TestResizesAtOnce: of two resizes at once one is refused, and the server claims what the
// other needs.
func TestResizesAtOnce(t *testing.T) {
	c, h, _ := fakeCloud(t)
	h.facts.CPUs, h.facts.DiskGiB = 1000, 1<<30
	for range 20 {
		id := create(t, c, a("web")).ID
		var wg sync.WaitGroup
		for _, f := range []canonical.Ref{"large", "small"} {
			wg.Go(func() { _ = try(t, c, canonical.ResizeServer, canonical.ServerResize{ID: id, Flavor: f}) }) // one may be refused
		}
		wg.Wait()
		if s, claim := get(t, c, id), claimed(t, c, id); claim.RAMMiB != *s.Flavor.RAMMiB || s.Status != canonical.ServerVerifyResize {
			t.Errorf("a %s that is %s claims %d MiB of memory", *s.Flavor.Name, s.Status, claim.RAMMiB)
		}
	}
}

// TestResizeReal: the guest of a real host sees its new shape, and its disk once that is
// confirmed.
func TestResizeReal(t *testing.T) {
	d := libvirt.Require(t)
	o := realOptions(t, d)
	c := openCloud(t, o)
	image := addImage(t, c, "guest", "qcow2", guest.Image(t))
	r := of(t, d, image, "grows")
	id := create(t, c, r).ID
	booted(t, c, id)
	do(t, c, canonical.ResizeServer, canonical.ServerResize{ID: id, Flavor: "small"})
	s := get(t, c, id)
	if s.Status != canonical.ServerVerifyResize || s.Power != canonical.PowerOn || *s.Flavor.Name != "small" {
		t.Fatalf("after the resize it is %s, %s, a %s", s.Status, s.Power, *s.Flavor.Name)
	}
	live, err := c.hosts[0].(*kvm.Host).Get(string(id))
	if err != nil || *live.Flavor.RAMMiB != *s.Flavor.RAMMiB {
		t.Errorf("its host has a %d MiB (%v)", *live.Flavor.RAMMiB, err)
	}
	do(t, c, canonical.ConfirmServerResize, canonical.ServerConfirmResize{ID: id})
	if s = get(t, c, id); s.Status != canonical.ServerRunning {
		t.Errorf("after the confirm it is %s", s.Status)
	}
	info := d.Virsh(t, "domblkinfo", *s.InstanceName, "vda")
	t.Logf("%s\n%s", d.Virsh(t, "dominfo", *s.InstanceName), info)
	do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	nothingLeft(t, c, d)
}
