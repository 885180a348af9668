package cloudtest

import "github.com/dragoman-cloud/dragoman/canonical"

func init() { //nolint:gochecknoinits // see requests.go
	plausible(canonical.PauseServer, canonical.ServerPause{ID: unknown})
	plausible(canonical.UnpauseServer, canonical.ServerUnpause{ID: unknown})
	plausible(canonical.SuspendServer, canonical.ServerSuspend{ID: unknown})
	plausible(canonical.ResumeServer, canonical.ServerResume{ID: unknown})
	plausible(canonical.LockServer, canonical.ServerLock{ID: unknown})
	plausible(canonical.UnlockServer, canonical.ServerUnlock{ID: unknown})
	plausible(canonical.ShelveServer, canonical.ServerShelve{ID: unknown})
	plausible(canonical.ShelveOffloadServer, canonical.ServerShelveOffload{ID: unknown})
	plausible(canonical.UnshelveServer, canonical.ServerUnshelve{ID: unknown})
	plausible(canonical.RescueServer, canonical.ServerRescue{ID: unknown})
	plausible(canonical.UnrescueServer, canonical.ServerUnrescue{ID: unknown})
	plausible(canonical.ResizeServer, canonical.ServerResize{ID: unknown, Flavor: "flavor"})
	plausible(canonical.ConfirmServerResize, canonical.ServerConfirmResize{ID: unknown})
	plausible(canonical.RevertServerResize, canonical.ServerRevertResize{ID: unknown})
}
