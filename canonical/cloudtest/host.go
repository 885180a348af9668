package cloudtest

import (
	"maps"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// operators skips the test where the caller may not do what is for operators.
func (k *check) operators(what string, err error) {
	if canonical.CodeOf(err) == canonical.Forbidden {
		k.skipped = what + " is for operators, which the caller is not"
		panic(stop{})
	}
}

func testFlavorLifecycle(k *check) {
	k.needs(canonical.CreateFlavor.Spec(), canonical.GetFlavor.Spec(), canonical.DeleteFlavor.Spec(), canonical.ListFlavors.Spec())
	no := false
	r := canonical.FlavorCreate{Name: k.name("flavor"), VCPUs: 3, RAMMiB: 96, DiskGiB: 2, EphemeralGiB: 1, SwapMiB: 64, Description: "说明"}
	made, err := k.flavor(r)
	k.operators("flavor.create", err)
	if err != nil {
		k.fatalf("flavor.create: %v", err)
	}
	got := do(k, canonical.GetFlavor, canonical.FlavorGet{ID: made.ID})
	for what, f := range map[string]canonical.Flavor{"flavor.create": made, "flavor.get": got} {
		if f.Name != r.Name || f.VCPUs != 3 || f.RAMMiB != 96 || f.DiskGiB != 2 || f.EphemeralGiB != 1 || f.SwapMiB != 64 ||
			!f.Public || !f.Available || text(f.Description) != r.Description {
			k.errorf("%s gave %+v", what, f)
		}
	}
	if items := do(k, canonical.ListFlavors, canonical.FlavorList{Name: r.Name}).Items; len(items) != 1 || items[0].ID != made.ID {
		k.errorf("the list by name holds %+v", items)
	}
	_, err = k.flavor(r)
	k.code("a flavor whose name is taken", err, canonical.AlreadyExists)
	id := k.name("own-id")
	specs := map[string]string{"hw:cpu_policy": "shared", "cloudtest:x": "y"}
	own, err := k.flavor(canonical.FlavorCreate{Name: k.name("flavor"), ID: id, VCPUs: 1, RAMMiB: 64, Public: &no, ExtraSpecs: specs})
	if err != nil {
		k.errorf("a flavor with an id and extra specs: %v", err)
	} else if f := do(k, canonical.GetFlavor, canonical.FlavorGet{ID: own.ID}); !strings.HasSuffix(string(f.ID), id) || f.Public || !maps.Equal(f.ExtraSpecs, specs) {
		k.errorf("the flavor with an id and extra specs is %+v", f)
	}
	for what, bad := range map[string]canonical.FlavorCreate{
		"name": {VCPUs: 1, RAMMiB: 64}, "vcpus": {Name: r.Name + "x", RAMMiB: 64}, "ram_mib": {Name: r.Name + "x", VCPUs: 1},
		"disk_gib": {Name: r.Name + "x", VCPUs: 1, RAMMiB: 64, DiskGiB: -1},
	} {
		k.refused("a flavor with a bad "+what, try(k, canonical.CreateFlavor, bad), what)
	}
	do(k, canonical.DeleteFlavor, canonical.FlavorDelete{ID: made.ID})
	k.code("flavor.get after flavor.delete", try(k, canonical.GetFlavor, canonical.FlavorGet{ID: made.ID}), canonical.NotFound)
	k.code("the second flavor.delete", try(k, canonical.DeleteFlavor, canonical.FlavorDelete{ID: made.ID}), canonical.NotFound)
}

// flavor makes a flavor and has it deleted in the end.
func (k *check) flavor(r canonical.FlavorCreate) (canonical.Flavor, error) {
	made, err := canonical.CreateFlavor.Do(k.ctx, k.cloud, r)
	if err != nil {
		return canonical.Flavor{}, err
	}
	k.whole("flavor.create", made.Result)
	k.undo = append(k.undo, func(k *check) {
		err := try(k, canonical.DeleteFlavor, canonical.FlavorDelete{ID: made.Result.ID})
		if err != nil && canonical.CodeOf(err) != canonical.NotFound {
			k.errorf("cleaning up flavor %s: %v", made.Result.ID, err)
		}
	})
	return made.Result, nil
}

func testHypervisors(k *check) {
	k.needs(canonical.ListHypervisors.Spec(), canonical.GetHypervisor.Spec())
	_, err := canonical.ListHypervisors.Do(k.ctx, k.cloud, canonical.HypervisorList{})
	k.operators("hypervisor.list", err)
	for _, h := range testLists(k, func(o canonical.ListOptions, name, prefix string) canonical.Page[canonical.Hypervisor] {
		return do(k, canonical.ListHypervisors, canonical.HypervisorList{ListOptions: o, Name: name, NamePrefix: prefix})
	}) {
		got := do(k, canonical.GetHypervisor, canonical.HypervisorGet{ID: h.ID})
		if got.ID != h.ID || got.Hostname != h.Hostname || got.Type != h.Type {
			k.errorf("hypervisor.get gave %+v, the list %+v", got, h)
		}
		if h.Hostname == "" || h.Type == "" || h.State != "up" && h.State != "down" || h.Status != "enabled" && h.Status != "disabled" {
			k.errorf("hypervisor %s is incomplete: %+v", h.ID, h)
		}
	}
	k.code("hypervisor.get of an unknown id", try(k, canonical.GetHypervisor, canonical.HypervisorGet{ID: unknown}), canonical.NotFound)
	for _, h := range do(k, canonical.ListHypervisors, canonical.HypervisorList{State: "down"}).Items {
		if h.State != "down" {
			k.errorf("the list of those that are down holds %+v", h)
		}
	}
}

// testLimits: a server that is made is counted.
func testLimits(k *check) {
	k.needs(canonical.GetLimits.Spec())
	before := do(k, canonical.GetLimits, canonical.LimitsGet{})
	if before.ID == "" {
		k.errorf("limits.get gave %+v", before)
	}
	if before.ServersUsed == nil || !k.offers(canonical.CreateServer.Spec()) {
		return
	}
	k.server("limits")
	after := do(k, canonical.GetLimits, canonical.LimitsGet{})
	if after.ServersUsed == nil || *after.ServersUsed < 1 || after.VCPUsUsed != nil && *after.VCPUsUsed < 1 {
		k.errorf("beside a server the limits are %+v", after)
	}
	if after.Servers != nil && *after.Servers < *after.ServersUsed {
		k.errorf("more servers are used than may be: %+v", after)
	}
}

// testConsole: a server that has booted has written something.
func testConsole(k *check) {
	k.needs(canonical.GetConsoleOutput.Spec(), canonical.CreateServer.Spec())
	id := k.machineIn("running").id
	output := func(lines int) string {
		return do(k, canonical.GetConsoleOutput, canonical.ConsoleOutputGet{ID: id, Lines: lines}).Output
	}
	for pause := k.h.First; output(0) == ""; pause = min(2*pause, k.h.Most) {
		if k.ctx.Err() != nil {
			k.fatalf("the server has booted and written nothing")
		}
		k.pause(pause)
	}
	for _, n := range []int{1, 2, 1000} {
		if got := strings.Count(strings.TrimSuffix(output(n), "\n"), "\n") + 1; got > n {
			k.errorf("%d lines were asked for, %d came", n, got)
		}
	}
	k.refused("less than no lines", try(k, canonical.GetConsoleOutput, canonical.ConsoleOutputGet{ID: id, Lines: -1}), "lines")
	k.code("the console of an unknown server", try(k, canonical.GetConsoleOutput, canonical.ConsoleOutputGet{ID: unknown}), canonical.NotFound)
}

// testMigrations: a server that is moved is listed with where it went, and with what
// became of it.
func testMigrations(k *check) {
	k.needs(canonical.ListServerMigrations.Spec(), canonical.MigrateServer.Spec(), canonical.ConfirmServerResize.Spec())
	id := k.server("migrations")
	from := do(k, canonical.GetServer, canonical.ServerGet{ID: id})
	moved, err := canonical.MigrateServer.Do(k.ctx, k.cloud, canonical.ServerMigrate{ID: id})
	k.operators("server.migrate", err)
	if err == nil {
		err = k.await(moved.Task)
	}
	if err != nil {
		k.fatalf("server.migrate: %v", err)
	}
	last := func(r canonical.ServerMigrationList) canonical.ServerMigration {
		r.Server = id
		items := do(k, canonical.ListServerMigrations, r).Items
		if len(items) != 1 {
			k.fatalf("of the server that moved once, %+v lists %+v", r, items)
		}
		return items[0]
	}
	m, to := last(canonical.ServerMigrationList{Kind: "migration"}), do(k, canonical.GetServer, canonical.ServerGet{ID: id})
	if m.ID == "" || m.Server != id || m.Status != "finished" || text(m.SourceHost) != text(from.Host) || text(m.DestHost) != text(to.Host) {
		k.errorf("the migration from %s to %s is %+v", text(from.Host), text(to.Host), m)
	}
	last(canonical.ServerMigrationList{Host: text(to.Host), Status: "finished"})
	if items := do(k, canonical.ListServerMigrations, canonical.ServerMigrationList{Server: id, Kind: "evacuation"}).Items; len(items) > 0 {
		k.errorf("the list of evacuations holds %+v", items)
	}
	confirmed, err := canonical.ConfirmServerResize.Do(k.ctx, k.cloud, canonical.ServerConfirmResize{ID: id})
	if err == nil {
		err = k.await(confirmed.Task)
	}
	if err != nil {
		k.fatalf("server.confirm_resize: %v", err)
	}
	if m := last(canonical.ServerMigrationList{}); m.Status != "confirmed" {
		k.errorf("after its confirmation the migration is %+v", m)
	}
}
