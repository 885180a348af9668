package cloudtest

import (
	"maps"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// The actions; rebuild installs the image that the suite uses.
var (
	start = act("start", canonical.StartServer, func(_ *check, id canonical.ID) canonical.ServerStart {
		return canonical.ServerStart{ID: id}
	})
	halt = act("stop", canonical.StopServer, func(_ *check, id canonical.ID) canonical.ServerStop {
		return canonical.ServerStop{ID: id}
	})
	pause = act("pause", canonical.PauseServer, func(_ *check, id canonical.ID) canonical.ServerPause {
		return canonical.ServerPause{ID: id}
	})
	suspend = act("suspend", canonical.SuspendServer, func(_ *check, id canonical.ID) canonical.ServerSuspend {
		return canonical.ServerSuspend{ID: id}
	})
	lock = act("lock", canonical.LockServer, func(_ *check, id canonical.ID) canonical.ServerLock {
		return canonical.ServerLock{ID: id, Reason: "cloudtest"}
	})
	unlock = act("unlock", canonical.UnlockServer, func(_ *check, id canonical.ID) canonical.ServerUnlock {
		return canonical.ServerUnlock{ID: id}
	})
	shelve = act("shelve", canonical.ShelveServer, func(_ *check, id canonical.ID) canonical.ServerShelve {
		return canonical.ServerShelve{ID: id}
	})
	offload = forOperators(act("shelve_offload", canonical.ShelveOffloadServer, func(_ *check, id canonical.ID) canonical.ServerShelveOffload {
		return canonical.ServerShelveOffload{ID: id}
	}))
	unshelve = act("unshelve", canonical.UnshelveServer, func(_ *check, id canonical.ID) canonical.ServerUnshelve {
		return canonical.ServerUnshelve{ID: id}
	})
	rescue = act("rescue", canonical.RescueServer, func(_ *check, id canonical.ID) canonical.ServerRescue {
		return canonical.ServerRescue{ID: id}
	})
	unrescue = act("unrescue", canonical.UnrescueServer, func(_ *check, id canonical.ID) canonical.ServerUnrescue {
		return canonical.ServerUnrescue{ID: id}
	})
	resize = act("resize", canonical.ResizeServer, func(k *check, id canonical.ID) canonical.ServerResize {
		return canonical.ServerResize{ID: id, Flavor: k.otherFlavor()}
	})
	revert = act("revert_resize", canonical.RevertServerResize, func(_ *check, id canonical.ID) canonical.ServerRevertResize {
		return canonical.ServerRevertResize{ID: id}
	})

	actions = []action{
		start, halt,
		act("reboot_soft", canonical.RebootServer, func(_ *check, id canonical.ID) canonical.ServerReboot {
			return canonical.ServerReboot{ID: id, Kind: canonical.RebootSoft}
		}),
		act("reboot_default", canonical.RebootServer, func(_ *check, id canonical.ID) canonical.ServerReboot {
			return canonical.ServerReboot{ID: id}
		}),
		act("reboot_hard", canonical.RebootServer, func(_ *check, id canonical.ID) canonical.ServerReboot {
			return canonical.ServerReboot{ID: id, Kind: canonical.RebootHard}
		}),
		act("rebuild", canonical.RebuildServer, func(k *check, id canonical.ID) canonical.ServerRebuild {
			return canonical.ServerRebuild{ID: id, Image: k.request("").Image}
		}),
		pause,
		act("unpause", canonical.UnpauseServer, func(_ *check, id canonical.ID) canonical.ServerUnpause {
			return canonical.ServerUnpause{ID: id}
		}),
		suspend,
		act("resume", canonical.ResumeServer, func(_ *check, id canonical.ID) canonical.ServerResume {
			return canonical.ServerResume{ID: id}
		}),
		shelve, offload, unshelve, rescue, unrescue, resize, revert,
		act("confirm_resize", canonical.ConfirmServerResize, func(_ *check, id canonical.ID) canonical.ServerConfirmResize {
			return canonical.ServerConfirmResize{ID: id}
		}),
		act("set_password", canonical.SetServerPassword, func(_ *check, id canonical.ID) canonical.ServerSetPassword {
			return canonical.ServerSetPassword{ID: id, Password: "Cloudtest-1"}
		}),
		forOperators(act("migrate", canonical.MigrateServer, func(_ *check, id canonical.ID) canonical.ServerMigrate {
			return canonical.ServerMigrate{ID: id}
		})),
		forOperators(act("live_migrate", canonical.LiveMigrateServer, func(_ *check, id canonical.ID) canonical.ServerLiveMigrate {
			return canonical.ServerLiveMigrate{ID: id}
		})),
		act("restore", canonical.RestoreServer, func(_ *check, id canonical.ID) canonical.ServerRestore {
			return canonical.ServerRestore{ID: id}
		}),
		act("purge", canonical.PurgeServer, func(_ *check, id canonical.ID) canonical.ServerPurge {
			return canonical.ServerPurge{ID: id}
		}),
		act("delete", canonical.DeleteServer, func(_ *check, id canonical.ID) canonical.ServerDelete {
			return canonical.ServerDelete{ID: id}
		}),
	}
)

// otherFlavor is a flavor that is not the suite's own, and not smaller.
func (k *check) otherFlavor() canonical.Ref {
	own := k.request("").Flavor
	items := do(k, canonical.ListFlavors, canonical.FlavorList{}).Items
	i := slices.IndexFunc(items, func(f canonical.Flavor) bool { return canonical.Ref(f.ID) == own || canonical.Ref(f.Name) == own })
	if i < 0 {
		k.fatalf("the list of flavors does not hold %s", own)
	}
	for _, f := range items {
		if f.ID != items[i].ID && f.Available && f.DiskGiB >= items[i].DiskGiB && f.RAMMiB >= items[i].RAMMiB && f.VCPUs >= items[i].VCPUs {
			return canonical.Ref(f.ID)
		}
	}
	k.skipped = "no other flavor is as large as " + string(own)
	panic(stop{})
}

// situation is what a server may be in, and what every action comes to in it.
type situation struct {
	status canonical.ServerStatus
	enter  []action          // from running; none: only Harness.Enter leads there
	leave  []action          // after which it runs, if need be by a hard reboot
	ends   map[string]string // the situation in which an action ends; what is not named is refused
}

// Situations whose names the tests use.
const (
	gone      = "gone"
	shelved   = "shelved"
	offloaded = "shelved_offloaded"
)

// situations are Nova's rules.
var situations = map[string]situation{
	"running": {status: running, ends: map[string]string{
		"stop": "stopped", "reboot_soft": "running", "reboot_default": "running", "reboot_hard": "running", "rebuild": "running",
		"set_password": "running", "migrate": "verify_resize", "live_migrate": "running",
		"pause": "paused", "suspend": "suspended", "shelve": shelved, "rescue": "rescued", "resize": "verify_resize", "purge": gone, "delete": gone,
	}},
	"stopped": {status: stopped, enter: []action{halt}, ends: map[string]string{
		"start": "running", "reboot_hard": "running", "rebuild": "stopped", "shelve": shelved, "rescue": "rescued",
		"resize": "verify_resize", "migrate": "verify_resize", "purge": gone, "delete": gone,
	}},
	"error": {status: canonical.ServerError, ends: map[string]string{
		"stop": "stopped", "reboot_hard": "running", "rebuild": "running", "rescue": "rescued", "purge": gone, "delete": gone,
	}},
	"paused": {status: canonical.ServerPaused, enter: []action{pause}, ends: map[string]string{
		"live_migrate": "paused", "reboot_hard": "running", "unpause": "running", "shelve": shelved, "purge": gone, "delete": gone,
	}},
	"suspended": {status: canonical.ServerSuspended, enter: []action{suspend}, ends: map[string]string{
		"reboot_hard": "running", "resume": "running", "shelve": shelved, "purge": gone, "delete": gone,
	}},
	"locked": {status: running, enter: []action{lock}, leave: []action{unlock}},
	"rescued": {
		status: canonical.ServerRescued, enter: []action{rescue}, leave: []action{unrescue},
		ends: map[string]string{"unrescue": "running", "purge": gone, "delete": gone},
	},
	"verify_resize": {
		status: canonical.ServerVerifyResize, enter: []action{resize}, leave: []action{revert},
		ends: map[string]string{"confirm_resize": "running", "revert_resize": "running", "purge": gone, "delete": gone},
	},
	shelved: {
		status: canonical.ServerShelved, enter: []action{shelve}, leave: []action{unshelve},
		ends: map[string]string{"unshelve": "running", "shelve_offload": offloaded, "purge": gone, "delete": gone},
	},
	offloaded: {
		status: canonical.ServerShelvedOffloaded, enter: []action{shelve, offload}, leave: []action{unshelve},
		ends: map[string]string{"unshelve": "running", "purge": gone, "delete": gone},
	},
}

// situationNames are all, first those that every cloud has.
func situationNames() []string {
	first := []string{"running", "stopped"}
	return append(first, slices.DeleteFunc(slices.Sorted(maps.Keys(situations)), func(n string) bool { return slices.Contains(first, n) })...)
}

// testLock: a lock has a reason, which a second one leaves, and ends with an unlock.
func testLock(k *check) {
	k.needs(canonical.LockServer.Spec(), canonical.UnlockServer.Spec())
	id := k.machineIn("running").id
	for _, reason := range []string{"why not", "说明", ""} {
		s := do(k, canonical.LockServer, canonical.ServerLock{ID: id, Reason: reason})
		for what, s := range map[string]canonical.Server{"server.lock": s, "server.get": k.get(id)} {
			if !s.Locked || text(s.LockReason) != "why not" {
				k.errorf("%s gave locked %v because %q, want the first reason", what, s.Locked, text(s.LockReason))
			}
		}
	}
	for range 2 { // the second has nothing to take off
		s := do(k, canonical.UnlockServer, canonical.ServerUnlock{ID: id})
		if now := k.get(id); s.Locked || now.Locked || now.LockReason != nil {
			k.errorf("after server.unlock: %v, then %+v", s.Locked, now)
		}
	}
	long := make([]rune, 256)
	for i := range long {
		long[i] = 'x'
	}
	k.refused("a reason of 256 characters", try(k, canonical.LockServer, canonical.ServerLock{ID: id, Reason: string(long)}), "reason")
}

// testServerImage: an image of a server is there, under its name, and the server goes on.
func testServerImage(k *check) {
	k.needs(canonical.CreateServerImage.Spec(), canonical.GetImage.Spec(), canonical.DeleteImage.Spec())
	id, name := k.machineIn("running").id, k.name("image")
	r, err := canonical.CreateServerImage.Do(k.ctx, k.cloud, canonical.ServerCreateImage{ID: id, Name: name, Properties: map[string]string{"cloudtest": "说明"}})
	if err == nil {
		err = k.await(r.Task)
	}
	if err != nil {
		k.fatalf("server.create_image: %v", err)
	}
	made := r.Result.ID
	if made == "" && r.Task != nil { // which tells it later
		if all := k.made("image", r.Task); len(all) == 1 {
			made = all[0]
		}
	}
	if made == "" {
		k.fatalf("server.create_image names no image: %+v, %+v", r.Result, r.Task)
	}
	k.undo = append(k.undo, func(k *check) { do(k, canonical.DeleteImage, canonical.ImageDelete{ID: made}) })
	if i := do(k, canonical.GetImage, canonical.ImageGet{ID: made}); i.Name != name || i.Status != canonical.ImageActive || i.Properties["cloudtest"] != "说明" {
		k.errorf("the new image is %+v", i)
	}
	k.in(id, "running")
	k.refused("an image without a name", try(k, canonical.CreateServerImage, canonical.ServerCreateImage{ID: id}), "name")
}

// testOpenConsole: the console of a running server has an address.
func testOpenConsole(k *check) {
	k.needs(canonical.OpenConsole.Spec())
	id := k.machineIn("running").id
	c := do(k, canonical.OpenConsole, canonical.ConsoleOpen{ID: id})
	if c.Protocol != "vnc" || c.Type != "novnc" || c.URL == "" {
		k.errorf("server.open_console gave %+v", c)
	}
	k.refused("a protocol that is none", try(k, canonical.OpenConsole, canonical.ConsoleOpen{ID: id, Protocol: "odd"}), "protocol")
	k.refused("a type of another protocol", try(k, canonical.OpenConsole, canonical.ConsoleOpen{ID: id, Protocol: "spice", Type: "novnc"}), "type")
	k.code("the console of an unknown server", try(k, canonical.OpenConsole, canonical.ConsoleOpen{ID: unknown}), canonical.NotFound)
}

// testLook: a running server tells of itself.
func testLook(k *check) {
	k.needs(canonical.GetServerTopology.Spec())
	id := k.machineIn("running").id
	do(k, canonical.GetServerTopology, canonical.ServerTopologyGet{ID: id})
	k.code("the topology of an unknown server", try(k, canonical.GetServerTopology, canonical.ServerTopologyGet{ID: unknown}), canonical.NotFound)
	k.needs(canonical.GetServerDiagnostics.Spec())
	d, err := canonical.GetServerDiagnostics.Do(k.ctx, k.cloud, canonical.ServerDiagnosticsGet{ID: id})
	k.operators("server.get_diagnostics", err)
	if err != nil || d.Result.State != "running" {
		k.errorf("server.get_diagnostics gave %+v, %v", d.Result, err)
	}
}

// testResetState: a server is taken for what it is said to be.
func testResetState(k *check) {
	k.needs(canonical.ResetServerState.Spec())
	m := k.machineIn("running")
	for _, to := range []canonical.ServerStatus{canonical.ServerError, running} {
		s, err := canonical.ResetServerState.Do(k.ctx, k.cloud, canonical.ServerResetState{ID: m.id, Status: to})
		k.operators("server.reset_state", err)
		if err != nil || s.Result.Status != to {
			k.errorf("server.reset_state to %s gave %s, %v", to, s.Result.Status, err)
		}
		k.is(m.id, to)
	}
	k.refused("a state that nobody may set", try(k, canonical.ResetServerState, canonical.ServerResetState{ID: m.id, Status: stopped}), "status")
}
