package h3c

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// The document's list of states is cut off after ACTIVE; those of OpenStack, from
// which the calls come, are taken for the rest.
var (
	hearStatus = words.HearStatus
	sayStatus  = words.SayStatus
)

// sayVMState is the state below the status. States that are also vm_states in
// OpenStack say themselves; the passing ones (rebooting, migrating) are active.
func sayVMState(s canonical.ServerStatus) string {
	switch s { //nolint:exhaustive // every other state is a passing one of an active server
	case canonical.ServerBuilding, canonical.ServerStopped, canonical.ServerPaused, canonical.ServerSuspended,
		canonical.ServerRescued, canonical.ServerShelved, canonical.ServerShelvedOffloaded, canonical.ServerDeleted, canonical.ServerError:
		return string(s)
	default:
		return "active"
	}
}
