package memory

import (
	"maps"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// states are those from which an action may begin, after Nova's compute API.
type states []canonical.ServerStatus

var (
	startable    = states{canonical.ServerStopped}
	stoppable    = states{canonical.ServerRunning, canonical.ServerError}
	softBootable = states{canonical.ServerRunning}
	hardBootable = states{
		canonical.ServerRunning, canonical.ServerStopped, canonical.ServerPaused, canonical.ServerSuspended, canonical.ServerError,
	}
	rebuildable = states{canonical.ServerRunning, canonical.ServerStopped, canonical.ServerError}
	savable     = states{canonical.ServerRunning, canonical.ServerStopped, canonical.ServerPaused, canonical.ServerSuspended}
)

// ready is the server if the action may begin, else FailedPrecondition.
func (c *Cloud) ready(id canonical.ID, verb string, from states) (*server, error) {
	s, err := c.unlocked(id, verb)
	if err != nil {
		return nil, err
	}
	if no := canonical.Hindered(verb, &s.Server, from...); no != nil {
		return nil, no
	}
	return s, nil
}

// unlocked is the server if its lock does not keep the caller from the action.
func (c *Cloud) unlocked(id canonical.ID, verb string) (*server, error) {
	s, err := c.find(id)
	if err != nil {
		return nil, err
	}
	if s.Locked && !c.asks.AtLeast(canonical.Operator) {
		return nil, canonical.HinderedByLock(verb, &s.Server)
	}
	return s, nil
}

// act starts work on s that ends in a state.
func (c *Cloud) act(op *canonical.Spec, s *server, task string, status canonical.ServerStatus, also func()) (canonical.TypedReply[canonical.Server], error) {
	power := powerOf(status)
	under := c.begin(op, s, task, func() {
		s.rest(status, power)
		if also != nil {
			also()
		}
	})
	if !under {
		return reply(s.copy(), nil)
	}
	return reply(s.copy(), canonical.WaitStatus(s.ID, status))
}

// powerOf is what the machine of a server does that rests in that state.
func powerOf(s canonical.ServerStatus) canonical.Power {
	switch s { //nolint:exhaustive // every other state is without power
	case canonical.ServerRunning, canonical.ServerRescued, canonical.ServerVerifyResize:
		return canonical.PowerOn
	case canonical.ServerPaused:
		return canonical.PowerPaused
	case canonical.ServerSuspended:
		return canonical.PowerSuspended
	default:
		return canonical.PowerOff
	}
}

func (c *Cloud) startServer(r canonical.ServerStart) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "start", startable)
	if err != nil {
		return refuse[canonical.Server](err)
	}
	return c.act(canonical.StartServer.Spec(), s, "powering-on", canonical.ServerRunning, s.boot)
}

func (c *Cloud) stopServer(r canonical.ServerStop) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "stop", stoppable)
	if err != nil {
		return refuse[canonical.Server](err)
	}
	return c.act(canonical.StopServer.Spec(), s, "powering-off", canonical.ServerStopped, nil)
}

func (c *Cloud) rebootServer(r canonical.ServerReboot) (canonical.TypedReply[canonical.Server], error) {
	from, task := softBootable, "rebooting"
	if r.Kind == canonical.RebootHard {
		from, task = hardBootable, "rebooting_hard"
	}
	s, err := c.ready(r.ID, "reboot", from)
	if err != nil {
		return refuse[canonical.Server](err)
	}
	s.rest(canonical.ServerRebooting, s.Power)
	return c.act(canonical.RebootServer.Spec(), s, task, canonical.ServerRunning, s.boot)
}

func (c *Cloud) rebuildServer(r canonical.ServerRebuild) (canonical.TypedReply[canonical.ServerWithPassword], error) {
	s, err := c.ready(r.ID, "rebuild", rebuildable)
	if err != nil {
		return refuse[canonical.ServerWithPassword](err)
	}
	image, err := c.imageFor(r.Image, s.Flavor)
	if err != nil {
		return refuse[canonical.ServerWithPassword](err)
	}
	if name, ok := r.Keypair.Get(); ok {
		if _, known := c.keypairs[string(name)]; !known {
			return refuse[canonical.ServerWithPassword](canonical.Invalid("keypair", "there is no keypair %q", name))
		}
	}
	s.Image = &canonical.Link{ID: image.ID, Name: &image.Name}
	s.Name = r.Name.Or(s.Name)
	s.Description = merged(s.Description, r.Description)
	s.Keypair = merged(s.Keypair, r.Keypair)
	if !r.Metadata.IsZero() {
		s.Metadata = notNil(maps.Clone(r.Metadata.Or(nil)))
	}
	done, err := c.redo(canonical.RebuildServer.Spec(), s)
	return withPassword(done, r.AdminPassword), err
}

// redo writes the root disk anew; a stopped server stays stopped.
func (c *Cloud) redo(op *canonical.Spec, s *server) (canonical.TypedReply[canonical.Server], error) {
	after := canonical.ServerRunning
	if s.Status == canonical.ServerStopped {
		after = canonical.ServerStopped
	}
	s.rest(canonical.ServerRebuilding, s.Power)
	return c.act(op, s, "rebuilding", after, func() {
		if after == canonical.ServerRunning {
			s.boot()
		}
	})
}

// deleteServer works in every state, and again while it is under way.
func (c *Cloud) deleteServer(r canonical.ServerDelete) (canonical.TypedReply[canonical.None], error) {
	s, err := c.unlocked(r.ID, "delete")
	if err != nil {
		return refuse[canonical.None](err)
	}
	if s.Task != nil && *s.Task == "deleting" {
		return reply(canonical.None{}, canonical.WaitGone(s.ID))
	}
	away := func() { c.remove(s) }
	if s.Status == canonical.ServerSoftDeleted {
		return reply(canonical.None{}, nil)
	}
	if c.opts.Recycle > 0 && s.Status != canonical.ServerBuilding {
		away = func() { c.bin(s) }
	}
	if !c.begin(canonical.DeleteServer.Spec(), s, "deleting", away) {
		return reply(canonical.None{}, nil)
	}
	return reply(canonical.None{}, canonical.WaitGone(s.ID))
}

func (c *Cloud) remove(s *server) {
	c.keepUsage(s)
	c.moveOut(s)
	c.unkeep(s)
	delete(c.servers, s.ID)
	delete(c.events, s.ID)
	c.leaveGroups(s.ID)
	c.leave(s)
	c.releaseVolumes(s)
	maps.DeleteFunc(c.snapshots, func(_ canonical.ID, snap *snapshot) bool { return snap.Server == s.ID })
	c.bury(s)
}

// maxGraves is how many deleted servers are remembered.
const maxGraves = 1000

// bury remembers a server that is deleted, for those who ask what has changed.
func (c *Cloud) bury(s *server) {
	now := c.now()
	s.turn++ // work on it that is under way comes to nothing
	s.rest(canonical.ServerDeleted, canonical.PowerOff)
	s.Task, s.UpdatedAt, s.TerminatedAt, s.DeletedAt, s.PurgeAt = nil, &now, &now, &now, nil
	s.Addresses, s.Volumes = []canonical.Address{}, []canonical.ServerVolume{}
	if c.graves = append(c.graves, s); len(c.graves) > maxGraves {
		c.graves = slices.Clone(c.graves[1:])
	}
}

// notNil is m, empty where it is nil: maps of results are never null.
func notNil(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
