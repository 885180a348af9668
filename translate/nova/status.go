package nova

import "github.com/dragoman-cloud/dragoman/canonical"

// vmStates are the states beneath the statuses; the others, which pass, are of an
// active server.
var vmStates = map[canonical.ServerStatus]string{
	canonical.ServerBuilding:         "building",
	canonical.ServerStopped:          "stopped",
	canonical.ServerPaused:           "paused",
	canonical.ServerSuspended:        "suspended",
	canonical.ServerVerifyResize:     "resized",
	canonical.ServerReverting:        "resized",
	canonical.ServerRescued:          "rescued",
	canonical.ServerShelved:          "shelved",
	canonical.ServerShelvedOffloaded: "shelved_offloaded",
	canonical.ServerSoftDeleted:      "soft-delete",
	canonical.ServerDeleted:          "deleted",
	canonical.ServerError:            "error",
}

func sayVMState(s canonical.ServerStatus) string {
	if state, ok := vmStates[s]; ok {
		return state
	}
	return "active"
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
