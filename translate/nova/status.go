package nova

import "github.com/dragoman-cloud/dragoman/canonical"

// statusWords are the statuses of Nova (clients/openstack.md, 5.2).
var statusWords = map[string]canonical.ServerStatus{
	"BUILD": canonical.ServerBuilding, "ACTIVE": canonical.ServerRunning, "SHUTOFF": canonical.ServerStopped,
	"PAUSED": canonical.ServerPaused, "SUSPENDED": canonical.ServerSuspended,
	"REBOOT": canonical.ServerRebooting, "HARD_REBOOT": canonical.ServerRebooting,
	"RESIZE": canonical.ServerResizing, "VERIFY_RESIZE": canonical.ServerVerifyResize,
	"REBUILD": canonical.ServerRebuilding, "MIGRATING": canonical.ServerMigrating,
	"REVERT_RESIZE": canonical.ServerReverting, "PASSWORD": canonical.ServerPassword,
	"RESCUE": canonical.ServerRescued, "SHELVED": canonical.ServerShelved,
	"SHELVED_OFFLOADED": canonical.ServerShelvedOffloaded, "SOFT_DELETED": canonical.ServerSoftDeleted,
	"DELETED": canonical.ServerDeleted, "ERROR": canonical.ServerError, "UNKNOWN": canonical.ServerUnknown,
}

func hearStatus(word string) canonical.ServerStatus {
	if s, ok := statusWords[word]; ok {
		return s
	}
	return canonical.ServerUnknown
}

// statusFacts are Nova's word for a canonical status and the vm_state beneath it.
var statusFacts = map[canonical.ServerStatus]struct{ word, vmState string }{
	canonical.ServerBuilding:         {"BUILD", "building"},
	canonical.ServerRunning:          {"ACTIVE", "active"},
	canonical.ServerStopped:          {"SHUTOFF", "stopped"},
	canonical.ServerPaused:           {"PAUSED", "paused"},
	canonical.ServerSuspended:        {"SUSPENDED", "suspended"},
	canonical.ServerRebooting:        {"REBOOT", "active"},
	canonical.ServerResizing:         {"RESIZE", "active"},
	canonical.ServerVerifyResize:     {"VERIFY_RESIZE", "resized"},
	canonical.ServerRebuilding:       {"REBUILD", "active"},
	canonical.ServerMigrating:        {"MIGRATING", "active"},
	canonical.ServerReverting:        {"REVERT_RESIZE", "resized"},
	canonical.ServerPassword:         {"PASSWORD", "active"},
	canonical.ServerRescued:          {"RESCUE", "rescued"},
	canonical.ServerShelved:          {"SHELVED", "shelved"},
	canonical.ServerShelvedOffloaded: {"SHELVED_OFFLOADED", "shelved_offloaded"},
	canonical.ServerSoftDeleted:      {"SOFT_DELETED", "soft-delete"},
	canonical.ServerDeleted:          {"DELETED", "deleted"},
	canonical.ServerError:            {"ERROR", "error"},
	canonical.ServerUnknown:          {"UNKNOWN", "active"},
}

// sayStatus is Nova's word; native is kept where it is a word of Nova that means s.
func sayStatus(s canonical.ServerStatus, native string) string {
	if got, known := statusWords[native]; known && got == s {
		return native
	}
	if f, ok := statusFacts[s]; ok {
		return f.word
	}
	return "UNKNOWN"
}

func sayVMState(s canonical.ServerStatus) string {
	if f, ok := statusFacts[s]; ok {
		return f.vmState
	}
	return "active"
}

var powers = map[int]canonical.Power{
	0: canonical.PowerUnknown, 1: canonical.PowerOn, 3: canonical.PowerPaused,
	4: canonical.PowerOff, 6: canonical.PowerCrashed, 7: canonical.PowerSuspended,
}

func hearPower(n int) canonical.Power {
	if p, ok := powers[n]; ok {
		return p
	}
	return canonical.PowerUnknown
}

func sayPower(p canonical.Power) int {
	switch p {
	case canonical.PowerOn:
		return 1
	case canonical.PowerPaused:
		return 3
	case canonical.PowerOff:
		return 4
	case canonical.PowerCrashed:
		return 6
	case canonical.PowerSuspended:
		return 7
	case canonical.PowerUnknown:
	}
	return 0
}

var imageStatusWords = map[string]canonical.ImageStatus{
	"queued": canonical.ImageQueued, "saving": canonical.ImageSaving, "uploading": canonical.ImageSaving,
	"importing": canonical.ImageImporting, "active": canonical.ImageActive,
	"deactivated": canonical.ImageDeactivated, "deleted": canonical.ImageDeleted,
	"pending_delete": canonical.ImageDeleted, "killed": canonical.ImageError,
}

func hearImageStatus(word string) canonical.ImageStatus {
	if s, ok := imageStatusWords[word]; ok {
		return s
	}
	return canonical.ImageUnknown
}

func sayImageStatus(s canonical.ImageStatus, native string) string {
	if got, known := imageStatusWords[native]; known && got == s {
		return native
	}
	switch s {
	case canonical.ImageError:
		return "killed"
	case canonical.ImageUnknown: // the word that promises least
		return "queued"
	case canonical.ImageQueued, canonical.ImageSaving, canonical.ImageImporting, canonical.ImageActive,
		canonical.ImageDeactivated, canonical.ImageDeleted:
		return string(s)
	}
	return "queued"
}

var networkStatusWords = map[string]canonical.NetworkStatus{
	"ACTIVE": canonical.NetworkActive, "DOWN": canonical.NetworkDown,
	"BUILD": canonical.NetworkBuilding, "ERROR": canonical.NetworkError,
}

func hearNetworkStatus(word string) canonical.NetworkStatus {
	if s, ok := networkStatusWords[word]; ok {
		return s
	}
	return canonical.NetworkUnknown
}

func sayNetworkStatus(s canonical.NetworkStatus) string {
	switch s {
	case canonical.NetworkActive:
		return "ACTIVE"
	case canonical.NetworkDown:
		return "DOWN"
	case canonical.NetworkBuilding:
		return "BUILD"
	case canonical.NetworkError:
		return "ERROR"
	case canonical.NetworkUnknown:
	}
	return "DOWN"
}
