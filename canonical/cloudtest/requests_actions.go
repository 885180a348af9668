package cloudtest

import "github.com/dragoman-cloud/dragoman/canonical"

func init() { //nolint:gochecknoinits // see requests.go
	plausible(canonical.SetServerPassword, canonical.ServerSetPassword{ID: unknown, Password: "secret"})
	plausible(canonical.CreateServerBackup, canonical.ServerCreateBackup{ID: unknown, Name: "cloudtest-refused", Kind: "daily", Keep: 1})
	plausible(canonical.CreateServerImage, canonical.ServerCreateImage{ID: unknown, Name: "cloudtest-refused"})
	plausible(canonical.MigrateServer, canonical.ServerMigrate{ID: unknown})
	plausible(canonical.LiveMigrateServer, canonical.ServerLiveMigrate{ID: unknown})
	plausible(canonical.EvacuateServer, canonical.ServerEvacuate{ID: unknown})
	plausible(canonical.ResetServerState, canonical.ServerResetState{ID: unknown, Status: canonical.ServerError})
	plausible(canonical.RestoreServer, canonical.ServerRestore{ID: unknown})
	plausible(canonical.PurgeServer, canonical.ServerPurge{ID: unknown})
	plausible(canonical.OpenConsole, canonical.ConsoleOpen{ID: unknown})
	plausible(canonical.GetServerDiagnostics, canonical.ServerDiagnosticsGet{ID: unknown})
	plausible(canonical.GetServerTopology, canonical.ServerTopologyGet{ID: unknown})
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
