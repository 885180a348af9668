package cloudtest

import (
	"context"
	"fmt"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// action is something that may be done to a server.
type action struct {
	name string
	op   *canonical.Spec
	once func(*check, canonical.ID) (*canonical.Task, error)
	// operators: others may not, whatever the state.
	operators bool
}

// refusals are the codes with which the action may be refused.
func (a action) refusals(codes ...canonical.Code) []canonical.Code {
	if a.operators {
		return append(codes, canonical.Forbidden)
	}
	return codes
}

func forOperators(a action) action {
	a.operators = true
	return a
}

// act is an action of one operation.
func act[Req, Res any](name string, op canonical.Op[Req, Res], req func(*check, canonical.ID) Req) action {
	return action{name: name, op: op.Spec(), once: func(k *check, id canonical.ID) (*canonical.Task, error) {
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

// stateTests are one test for each action in each situation.
func stateTests() []test {
	var all []test
	for _, name := range situationNames() {
		for _, a := range inOrder(name) {
			all = append(all, test{fmt.Sprintf("state/%s/%s", name, a.name), func(k *check) { testAction(k, a, name) }})
		}
	}
	return append(all, test{"state/building", testBuilding}, test{"state/lock", testLock}, test{"state/reset", testResetState},
		test{"server/image", testServerImage}, test{"server/open_console", testOpenConsole}, test{"server/look", testLook})
}

// inOrder is the actions of a situation: first those that leave it as it is, last
// those that leave nothing.
func inOrder(name string) []action {
	rank := func(a action) int {
		switch situations[name].ends[a.name] {
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

func testAction(k *check, a action, name string) {
	k.needs(a.op)
	m := k.machineIn(name)
	what := fmt.Sprintf("%s of a server that is %s", a.name, name)
	before := len(k.failures)
	var err error
	k.under(k.asking(name), func(k *check) { err = a.do(k, m.id) })
	end := situations[name].ends[a.name]
	if a.operators {
		k.operators(a.op.Name, err)
	}
	switch {
	case end == "":
		k.code(what, err, canonical.FailedPrecondition)
		k.in(m.id, name)
	case err != nil:
		k.errorf("%s: %v", what, err)
	case end == gone:
		k.gone(m.id)
		k.suite.machine = nil
	default:
		m.at = k.in(m.id, end)
	}
	if len(k.failures) > before || a.name == "confirm_resize" { // who knows what it is now; or it is another
		k.suite.machine = nil
	}
}

// asking is the context of who asks for the actions of a situation: a lock does not keep
// operators from anything.
func (k *check) asking(name string) context.Context {
	caller := canonical.CallerOf(k.ctx)
	if name != "locked" || !caller.Role.AtLeast(canonical.Operator) {
		return k.ctx
	}
	caller.Role = canonical.Member
	return canonical.WithCaller(k.ctx, caller)
}

// in fails the test unless the server is in a situation, and says in which it is: where
// clouds differ in how far they go, in the one that it has come to.
func (k *check) in(id canonical.ID, name string) string {
	s := k.get(id)
	if name == shelved && s.Status == canonical.ServerShelvedOffloaded {
		name = offloaded
	}
	k.is(id, situations[name].status)
	return name
}

// machine is a server that goes from situation to situation.
type machine struct {
	id    canonical.ID
	at    string
	leave func(context.Context) error
}

// machineIn is a server in a situation: where servers are costly the one before, if
// it is still of use, else a new one.
func (k *check) machineIn(name string) *machine {
	k.needs(canonical.CreateServer.Spec(), canonical.RebootServer.Spec())
	k.needsWay(name)
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
	if m.at != name {
		k.move(m, name)
	}
	k.suite.machine = m
	return m
}

// needsWay skips the test where nothing leads to a situation.
func (k *check) needsWay(name string) {
	if k.h.Enter[name] != nil {
		return
	}
	if k.suite.beyond[name] || len(situations[name].enter) == 0 && name != "running" {
		k.skipped = "nothing leads to " + name + " here"
		panic(stop{})
	}
	for _, a := range situations[name].enter {
		k.needs(a.op)
	}
}

func (k *check) move(m *machine, name string) {
	k.leave(m)
	var err error
	if way := k.h.Enter[name]; way != nil {
		m.leave, err = way(k.ctx, m.id)
	} else {
		err = k.enter(m, name)
	}
	if err != nil {
		k.fatalf("entering %s: %v", name, err)
	}
	m.at = name
	if name != k.in(m.id, name) {
		k.skipped = "the cloud goes beyond " + name + " by itself"
		k.leave(m)
		m.at, k.suite.machine = "running", m
		k.suite.beyond = map[string]bool{name: true}
		panic(stop{})
	}
}

// enter brings a running server into a situation by operations.
func (k *check) enter(m *machine, name string) error {
	if name == "locked" { // else nobody could delete it
		k.suite.undo = append(k.suite.undo, func(k *check) {
			if err := unlock.do(k, m.id); err != nil && canonical.CodeOf(err) != canonical.NotFound {
				k.errorf("unlocking server %s: %v", m.id, err)
			}
		})
	}
	for _, a := range situations[name].enter {
		if name == offloaded && k.get(m.id).Status == canonical.ServerShelvedOffloaded {
			return nil
		}
		err := a.do(k, m.id)
		if a.operators {
			k.operators(a.op.Name, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leave makes a server run.
func (k *check) leave(m *machine) {
	if m.leave != nil {
		if err := m.leave(k.ctx); err != nil {
			k.fatalf("leaving %s: %v", m.at, err)
		}
		m.leave = nil
	}
	for _, a := range situations[m.at].leave {
		if err := a.do(k, m.id); err != nil {
			k.fatalf("leaving %s by %s: %v", m.at, a.name, err)
		}
	}
	if m.at != "running" && k.get(m.id).Status != running {
		do(k, canonical.RebootServer, canonical.ServerReboot{ID: m.id, Kind: canonical.RebootHard})
	}
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
		switch deletes := a.op == canonical.DeleteServer.Spec() || a.op == canonical.PurgeServer.Spec(); {
		case err != nil && deletes:
			k.errorf("delete of a server that is building: %v", err)
		case err != nil:
			k.code(a.name+" of a server that is building", err, a.refusals(canonical.FailedPrecondition)...)
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
		k.undo = append(k.undo, func(k *check) { k.deleteAll(k.made("server", r.Task)) })
		panic(stop{})
	}
	id := r.Result.Servers[0].ID
	k.undo = append(k.undo, func(k *check) {
		k.deleteAll([]canonical.ID{id})
	})
	return id
}
