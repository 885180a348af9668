package cloudtest

import (
	"fmt"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// action is something that may be done to a server.
type action struct {
	name string
	op   *canonical.Spec
	do   func(*check, canonical.ID) error
}

// actions are all actions; rebuild installs the image that the suite uses.
var actions = []action{
	{"start", canonical.StartServer.Spec(), func(k *check, id canonical.ID) error {
		return try(k, canonical.StartServer, canonical.ServerStart{ID: id})
	}},
	{"stop", canonical.StopServer.Spec(), func(k *check, id canonical.ID) error {
		return try(k, canonical.StopServer, canonical.ServerStop{ID: id})
	}},
	{"reboot_soft", canonical.RebootServer.Spec(), func(k *check, id canonical.ID) error {
		return try(k, canonical.RebootServer, canonical.ServerReboot{ID: id, Kind: canonical.RebootSoft})
	}},
	{"reboot_hard", canonical.RebootServer.Spec(), func(k *check, id canonical.ID) error {
		return try(k, canonical.RebootServer, canonical.ServerReboot{ID: id, Kind: canonical.RebootHard})
	}},
	{"rebuild", canonical.RebuildServer.Spec(), func(k *check, id canonical.ID) error {
		return try(k, canonical.RebuildServer, canonical.ServerRebuild{ID: id, Image: k.request("").Image})
	}},
}

// rules say in which state an action ends that begins in one; "" is a refusal. They
// are Nova's.
var rules = map[canonical.ServerStatus]map[string]canonical.ServerStatus{
	canonical.ServerRunning: {
		"start": "", "stop": canonical.ServerStopped, "reboot_soft": canonical.ServerRunning,
		"reboot_hard": canonical.ServerRunning, "rebuild": canonical.ServerRunning,
	},
	canonical.ServerStopped: {
		"start": canonical.ServerRunning, "stop": "", "reboot_soft": "",
		"reboot_hard": canonical.ServerRunning, "rebuild": canonical.ServerStopped,
	},
}

// stateTests are one test for each action from each state that can be reached.
func stateTests() []test {
	var all []test
	for _, from := range []canonical.ServerStatus{canonical.ServerRunning, canonical.ServerStopped} {
		for _, a := range actions {
			all = append(all, test{fmt.Sprintf("state/%s/%s", from, a.name), func(k *check) { testAction(k, a, from) }})
		}
		all = append(all, test{fmt.Sprintf("state/%s/delete", from), func(k *check) { testDelete(k, from) }})
	}
	return all
}

func testAction(k *check, a action, from canonical.ServerStatus) {
	k.needs(a.op)
	id, want := k.serverIn(from), rules[from][a.name]
	err := a.do(k, id)
	switch {
	case want == "":
		k.code(fmt.Sprintf("%s of a server that is %s", a.name, from), err, canonical.FailedPrecondition)
		k.is(id, from)
	case err != nil:
		k.errorf("%s of a server that is %s: %v", a.name, from, err)
	default:
		k.is(id, want)
	}
}

func testDelete(k *check, from canonical.ServerStatus) {
	k.needs(canonical.DeleteServer.Spec())
	do(k, canonical.DeleteServer, canonical.ServerDelete{ID: k.serverIn(from)})
}

// serverIn makes a server and brings it into a state.
func (k *check) serverIn(s canonical.ServerStatus) canonical.ID {
	k.needs(canonical.CreateServer.Spec())
	if s == canonical.ServerStopped {
		k.needs(canonical.StopServer.Spec())
	}
	id := k.server("state")
	if s == canonical.ServerStopped {
		do(k, canonical.StopServer, canonical.ServerStop{ID: id})
	}
	k.is(id, s)
	return id
}
