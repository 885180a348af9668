package memory

import (
	"slices"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// maxServerGroups is how many server groups there may be, and how many members each may have.
const maxServerGroups = 10

func copyServerGroup(g canonical.ServerGroup) canonical.ServerGroup {
	g.MaxPerHost, g.Members = own(g.MaxPerHost), slices.Clone(g.Members)
	return g
}

func (c *Cloud) listPlacementGroups(r canonical.ServerGroupList) (canonical.TypedReply[canonical.Page[canonical.ServerGroup]], error) {
	return arrange(those(c.serverGroups, r.Match), r.ListOptions, copyServerGroup)
}

func (c *Cloud) getServerGroup(r canonical.ServerGroupGet) (canonical.TypedReply[canonical.ServerGroup], error) {
	return byID(c.serverGroups, "server group", r.ID, copyServerGroup)
}

func (c *Cloud) createServerGroup(r canonical.ServerGroupCreate) (canonical.TypedReply[canonical.ServerGroup], error) {
	if over(len(c.serverGroups)+1, c.quota.groups) {
		return refuse[canonical.ServerGroup](canonical.Errorf(canonical.QuotaExceeded, "Quota exceeded, too many server groups."))
	}
	g := canonical.ServerGroup{
		ID: canonical.ID(uuid.NewString()), Name: r.Name, Policy: r.Policy, MaxPerHost: own(r.MaxPerHost), Members: []canonical.ID{},
	}
	c.serverGroups = append(c.serverGroups, g)
	return reply(copyServerGroup(g), nil)
}

func (c *Cloud) deleteServerGroup(r canonical.ServerGroupDelete) (canonical.TypedReply[canonical.None], error) {
	n := len(c.serverGroups)
	c.serverGroups = slices.DeleteFunc(c.serverGroups, func(g canonical.ServerGroup) bool { return g.ID == r.ID })
	if len(c.serverGroups) == n {
		return refuse[canonical.None](canonical.Errorf(canonical.NotFound, "there is no server group %s", r.ID))
	}
	return reply(canonical.None{}, nil)
}

// serverGroupOf is the group that a create names; nil: it names none.
func (c *Cloud) serverGroupOf(r canonical.ServerCreate) (*canonical.ServerGroup, error) {
	if r.ServerGroup == "" {
		return nil, nil //nolint:nilnil // no group is an answer
	}
	g, ok := pick(c.serverGroups, string(r.ServerGroup))
	switch {
	case !ok:
		return nil, canonical.Invalid("server_group", "there is no server group %q", r.ServerGroup)
	case over(len(g.Members)+r.HowMany(), c.quota.members):
		return nil, canonical.Errorf(canonical.QuotaExceeded, "Quota exceeded, too many servers in group")
	}
	i := slices.IndexFunc(c.serverGroups, func(o canonical.ServerGroup) bool { return o.ID == g.ID })
	return &c.serverGroups[i], nil
}

// homeIn is the host for a new member of the group; "": its policy leaves none.
func (c *Cloud) homeIn(g *canonical.ServerGroup, pinned string) string {
	if g == nil {
		g = &canonical.ServerGroup{Policy: canonical.SoftAntiAffinity} // of nobody: the emptiest
	}
	members := map[string]int{}
	for _, id := range g.Members {
		if s, ok := c.servers[id]; ok && s.Host != nil {
			members[*s.Host]++
		}
	}
	from := hosts
	if pinned != "" {
		from = []string{pinned}
	}
	best := ""
	for _, h := range from {
		if (c.serves(h) || pinned != "") && c.suits(g, members, h) && (best == "" || c.better(g, members, h, best)) {
			best = h
		}
	}
	return best
}

// suits says whether the policy lets a new member be on a host.
func (c *Cloud) suits(g *canonical.ServerGroup, members map[string]int, host string) bool {
	switch g.Policy {
	case canonical.Affinity:
		return len(members) == 0 || members[host] > 0
	case canonical.AntiAffinity:
		return members[host] < max(1, deref(g.MaxPerHost))
	case canonical.SoftAffinity, canonical.SoftAntiAffinity:
	}
	return true
}

func (c *Cloud) better(g *canonical.ServerGroup, members map[string]int, host, than string) bool {
	if members[host] == members[than] {
		return c.load[host] < c.load[than]
	}
	together := g.Policy == canonical.Affinity || g.Policy == canonical.SoftAffinity
	return (members[host] > members[than]) == together
}

func deref(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

// leaveGroups takes a server that is gone out of its group.
func (c *Cloud) leaveGroups(id canonical.ID) {
	for i := range c.serverGroups {
		c.serverGroups[i].Members = slices.DeleteFunc(c.serverGroups[i].Members, func(m canonical.ID) bool { return m == id })
	}
}
