package cloudtest

import (
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func (k *check) serverGroup(r canonical.ServerGroupCreate) canonical.ServerGroup {
	made := do(k, canonical.CreateServerGroup, r)
	k.undo = append(k.undo, func(k *check) {
		err := try(k, canonical.DeleteServerGroup, canonical.ServerGroupDelete{ID: made.ID})
		if err != nil && canonical.CodeOf(err) != canonical.NotFound {
			k.errorf("cleaning up server group %s: %v", made.ID, err)
		}
	})
	return made
}

func testServerGroups(k *check) {
	k.needs(canonical.ListServerGroups.Spec(), canonical.GetServerGroup.Spec(), canonical.CreateServerGroup.Spec(), canonical.DeleteServerGroup.Spec())
	name := k.name("group")
	for _, policy := range canonical.GroupPolicies {
		made := k.serverGroup(canonical.ServerGroupCreate{Name: name, Policy: policy})
		got := do(k, canonical.GetServerGroup, canonical.ServerGroupGet{ID: made.ID})
		for what, g := range map[string]canonical.ServerGroup{"server_group.create": made, "server_group.get": got} {
			if g.ID != made.ID || g.Name != name || g.Policy != policy || len(g.Members) != 0 || g.MaxPerHost != nil {
				k.errorf("%s gave %+v", what, g)
			}
		}
	}
	if n := len(do(k, canonical.ListServerGroups, canonical.ServerGroupList{Name: name}).Items); n != len(canonical.GroupPolicies) {
		k.errorf("the list by name holds %d groups", n)
	}
	two := 2
	if g := k.serverGroup(canonical.ServerGroupCreate{Name: name, Policy: canonical.AntiAffinity, MaxPerHost: &two}); g.MaxPerHost == nil || *g.MaxPerHost != 2 {
		k.errorf("a group of two on a host is %+v", g)
	}
	k.refused("a group without a policy", try(k, canonical.CreateServerGroup, canonical.ServerGroupCreate{Name: name}), "policy")
	k.refused("a group without a name", try(k, canonical.CreateServerGroup, canonical.ServerGroupCreate{Policy: canonical.Affinity}), "name")
	k.code("an unknown group", try(k, canonical.GetServerGroup, canonical.ServerGroupGet{ID: unknown}), canonical.NotFound)
	k.code("deleting an unknown group", try(k, canonical.DeleteServerGroup, canonical.ServerGroupDelete{ID: unknown}), canonical.NotFound)
}

// testServerGroupMembers: a server that is made in a group is its member, until it is
// gone.
func testServerGroupMembers(k *check) {
	k.needs(canonical.CreateServerGroup.Spec(), canonical.GetServerGroup.Spec(), canonical.CreateServer.Spec())
	group := k.serverGroup(canonical.ServerGroupCreate{Name: k.name("group"), Policy: canonical.SoftAntiAffinity})
	r := k.request(k.name("member"))
	r.ServerGroup = canonical.Ref(group.ID)
	id := k.create(r)[0]
	if got := do(k, canonical.GetServerGroup, canonical.ServerGroupGet{ID: group.ID}).Members; !slices.Equal(got, []canonical.ID{id}) {
		k.errorf("the members are %v, want %s", got, id)
	}
	do(k, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	if got := do(k, canonical.GetServerGroup, canonical.ServerGroupGet{ID: group.ID}).Members; len(got) != 0 {
		k.errorf("after the server's deletion the members are %v", got)
	}
	r.ServerGroup = canonical.Ref(unknown)
	_, err := k.tryCreate(r)
	k.code("a server in an unknown group", err, canonical.InvalidRequest, canonical.NotFound)
}

// testServerEvents: what is done to a server can be read.
func testServerEvents(k *check) {
	k.needs(canonical.ListServerEvents.Spec(), canonical.GetServerEvent.Spec(), canonical.CreateServer.Spec(), canonical.StopServer.Spec())
	id := k.server("events")
	do(k, canonical.StopServer, canonical.ServerStop{ID: id})
	items := do(k, canonical.ListServerEvents, canonical.ServerEventList{ID: id}).Items
	var actions []string
	for _, e := range items {
		actions = append(actions, e.Action)
		if e.ID == "" || e.Server != id || e.StartedAt == nil {
			k.errorf("the event is incomplete: %+v", e)
		}
	}
	if slices.Sort(actions); !slices.Equal(actions, []string{"create", "stop"}) {
		k.fatalf("the events are %v", actions)
	}
	for _, e := range items {
		got := do(k, canonical.GetServerEvent, canonical.ServerEventGet{ID: id, Event: e.ID})
		if got.ID != e.ID || got.Action != e.Action || len(got.Steps) == 0 || text(got.Steps[0].Result) != "success" {
			k.errorf("server_event.get gave %+v", got)
		}
	}
	k.code("an unknown event", try(k, canonical.GetServerEvent, canonical.ServerEventGet{ID: id, Event: "req-" + unknown}), canonical.NotFound)
	k.code("the events of an unknown server", try(k, canonical.ListServerEvents, canonical.ServerEventList{ID: unknown}), canonical.NotFound)
}
