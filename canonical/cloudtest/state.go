package cloudtest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// action is something that may be done to a server.
type action struct {
	name string
	op   *canonical.Spec
	once func(*check, canonical.ID) (*canonical.Task, error)
}

// act is an action of one operation.
func act[Req, Res any](name string, op canonical.Op[Req, Res], req func(*check, canonical.ID) Req) action {
	return action{name, op.Spec(), func(k *check, id canonical.ID) (*canonical.Task, error) {
		r, err := op.Do(k.ctx, k.cloud, req(k, id))
		return r.Task, err
	}}
}

// do performs the action and waits until it has ended.
func (a action) do(k *check, id canonical.ID) error {
	task, err := a.once(k, id)
	if err != nil {
		return err
	}
	return k.await(task)
}

// actions are all actions; rebuild installs the image that the suite uses.
var actions = []action{
	act("start", canonical.StartServer, func(_ *check, id canonical.ID) canonical.ServerStart {
		return canonical.ServerStart{ID: id}
	}),
	act("stop", canonical.StopServer, func(_ *check, id canonical.ID) canonical.ServerStop {
		return canonical.ServerStop{ID: id}
	}),
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
	act("delete", canonical.DeleteServer, func(_ *check, id canonical.ID) canonical.ServerDelete {
		return canonical.ServerDelete{ID: id}
	}),
}

// rule is a situation of a server, and what every action comes to in it.
type rule struct {
	status canonical.ServerStatus // what the server is
	ends   map[string]canonical.ServerStatus
}

// gone is where a delete ends.
const gone = canonical.ServerDeleted

// rules are Nova's, by situation: in which state an action ends; what is not named is
// refused.
var rules = map[string]rule{
	"running": {running, map[string]canonical.ServerStatus{
		"stop": stopped, "reboot_soft": running, "reboot_default": running, "reboot_hard": running, "rebuild": running, "delete": gone,
	}},
	"stopped": {stopped, map[string]canonical.ServerStatus{
		"start": running, "reboot_hard": running, "rebuild": stopped, "delete": gone,
	}},
	"error": {canonical.ServerError, map[string]canonical.ServerStatus{
		"stop": stopped, "reboot_hard": running, "rebuild": running, "delete": gone,
	}},
	"paused":    {canonical.ServerPaused, map[string]canonical.ServerStatus{"reboot_hard": running, "delete": gone}},
	"suspended": {canonical.ServerSuspended, map[string]canonical.ServerStatus{"reboot_hard": running, "delete": gone}},
	"locked":    {running, nil},
}

// stateTests are one test for each action in each situation that can be reached.
func (h Harness) stateTests() []test {
	var all []test
	for _, situation := range append([]string{"running", "stopped"}, slices.Sorted(maps.Keys(h.Enter))...) {
		for _, a := range inOrder(situation) {
			all = append(all, test{fmt.Sprintf("state/%s/%s", situation, a.name), func(k *check) { testAction(k, a, situation) }})
		}
	}
	return append(all, test{"state/building", testBuilding})
}

// inOrder is the actions of a situation: first those that leave it as it is, last
// those that leave nothing.
func inOrder(situation string) []action {
	rank := func(a action) int {
		switch rules[situation].ends[a.name] { //nolint:exhaustive // three kinds of ends
		case "":
			return 0
		case gone:
			return 2
		default:
			return 1
		}
	}
	return slices.SortedStableFunc(slices.Values(actions), func(a, b action) int { return rank(a) - rank(b) })
}

func testAction(k *check, a action, situation string) {
	k.needs(a.op)
	m := k.machineIn(situation)
	rule, what := rules[situation], fmt.Sprintf("%s of a server that is %s", a.name, situation)
	before := len(k.failures)
	switch end, allowed := rule.ends[a.name], a.do(k, m.id); {
	case end == "":
		k.code(what, allowed, canonical.FailedPrecondition)
		k.is(m.id, rule.status)
	case allowed != nil:
		k.errorf("%s: %v", what, allowed)
	case end == gone:
		k.gone(m.id)
		k.suite.machine = nil
	default:
		k.is(m.id, end)
		m.at = string(end)
	}
	if len(k.failures) > before {
		k.suite.machine = nil // who knows what it is now
	}
}

// machine is a server that goes from situation to situation.
type machine struct {
	id    canonical.ID
	at    string
	leave func(context.Context) error
}

// machineIn is a server in a situation: where servers are costly the one before, if
// it is still of use, else a new one.
func (k *check) machineIn(situation string) *machine {
	k.needs(canonical.CreateServer.Spec(), canonical.RebootServer.Spec())
	m := k.suite.machine
	k.suite.machine = nil // until it is where it shall be
	if m == nil || !k.h.Costly {
		maker := &check{suite: k.suite, ctx: k.ctx}
		maker.perform(func(c *check) { m = &machine{id: c.server("state"), at: "running"} })
		k.suite.undo = append(k.suite.undo, maker.undo...)
		if len(maker.failures) > 0 {
			k.fatalf("no server to act on: %v", maker.failures)
		}
	}
	if m.at != situation {
		k.move(m, situation)
	}
	k.suite.machine = m
	return m
}

func (k *check) move(m *machine, situation string) {
	if m.leave != nil {
		if err := m.leave(k.ctx); err != nil {
			k.fatalf("leaving %s: %v", m.at, err)
		}
		m.leave = nil
	}
	if m.at != "running" {
		do(k, canonical.RebootServer, canonical.ServerReboot{ID: m.id, Kind: canonical.RebootHard})
	}
	var err error
	switch situation {
	case "running":
	case "stopped":
		k.needs(canonical.StopServer.Spec())
		do(k, canonical.StopServer, canonical.ServerStop{ID: m.id})
	default:
		m.leave, err = k.h.Enter[situation](k.ctx, m.id)
	}
	if err != nil {
		k.fatalf("entering %s: %v", situation, err)
	}
	m.at = situation
	k.is(m.id, rules[situation].status)
}

// testBuilding: nothing but a delete is allowed before a server has come up. Where
// time does not stand still it may come up meanwhile; then an action may succeed.
func testBuilding(k *check) {
	k.needs(canonical.CreateServer.Spec())
	var id canonical.ID
	for _, a := range actions {
		if k.cloud.Support(k.ctx, a.op).Level == canonical.No {
			continue
		}
		if id == "" || !k.h.Costly {
			id = k.begun()
		}
		if k.get(id).Status != canonical.ServerBuilding {
			id = ""
			continue
		}
		_, err := a.once(k, id)
		switch deletes := a.op == canonical.DeleteServer.Spec(); {
		case err != nil && deletes:
			k.errorf("delete of a server that is building: %v", err)
		case err != nil:
			k.code(a.name+" of a server that is building", err, canonical.FailedPrecondition)
		case k.h.Pause != nil && !deletes:
			k.errorf("%s of a server that is building is allowed", a.name)
		}
	}
}

// begun is a server that the cloud may still be making.
func (k *check) begun() canonical.ID {
	r, err := canonical.CreateServer.Do(k.ctx, k.cloud, k.request(k.name("building")))
	if err != nil {
		k.fatalf("server.create: %v", err)
	}
	if len(r.Result.Servers) == 0 {
		k.skipped = "new servers are named when they are made"
		k.undo = append(k.undo, func(k *check) { k.deleteAll(k.made(r.Task)) })
		panic(stop{})
	}
	id := r.Result.Servers[0].ID
	k.undo = append(k.undo, func(k *check) {
		k.deleteAll([]canonical.ID{id})
	})
	return id
}
