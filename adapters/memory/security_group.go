package memory

import (
	"slices"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func copyGroup(g canonical.SecurityGroup) canonical.SecurityGroup {
	g.Description, g.Revision, g.Tags = own(g.Description), own(g.Revision), slices.Clone(g.Tags)
	g.CreatedAt, g.UpdatedAt = own(g.CreatedAt), own(g.UpdatedAt)
	g.Rules = slices.Clone(g.Rules)
	for i := range g.Rules {
		g.Rules[i] = copyRule(g.Rules[i])
	}
	return g
}

func copyRule(r canonical.SecurityGroupRule) canonical.SecurityGroupRule {
	r.Protocol, r.RemoteCIDR, r.Description = own(r.Protocol), own(r.RemoteCIDR), own(r.Description)
	r.PortMin, r.PortMax, r.RemoteGroup, r.Revision = own(r.PortMin), own(r.PortMax), own(r.RemoteGroup), own(r.Revision)
	r.CreatedAt, r.UpdatedAt = own(r.CreatedAt), own(r.UpdatedAt)
	return r
}

// seedGroup makes the group of ports that ask for none: its members reach everybody
// and each other.
func (c *Cloud) seedGroup() {
	g := c.newGroup(canonical.ID(c.stableID("security_group", defaultGroup)), defaultGroup, "Default security group")
	for _, version := range []int{4, 6} {
		r := c.newRule(g.ID, canonical.Ingress, version)
		r.RemoteGroup = own(&g.ID)
		g.Rules = append(g.Rules, r)
	}
	c.groups = []canonical.SecurityGroup{g}
}

// newGroup is a group whose members reach everybody.
func (c *Cloud) newGroup(id canonical.ID, name, description string) canonical.SecurityGroup {
	now, revision := c.now(), 1
	g := canonical.SecurityGroup{
		ID: id, Name: name, Description: optional(description), Stateful: true, Tags: []string{}, Revision: &revision,
		CreatedAt: &now, UpdatedAt: &now, Rules: []canonical.SecurityGroupRule{},
	}
	for _, version := range []int{4, 6} {
		g.Rules = append(g.Rules, c.newRule(id, canonical.Egress, version))
	}
	return g
}

func (c *Cloud) newRule(group canonical.ID, to canonical.Direction, version int) canonical.SecurityGroupRule {
	now, revision := c.now(), 0
	return canonical.SecurityGroupRule{
		ID: canonical.ID(uuid.NewString()), GroupID: group, Direction: to, IPVersion: version, Revision: &revision, CreatedAt: &now, UpdatedAt: &now,
	}
}

func (c *Cloud) findGroup(id canonical.ID) (*canonical.SecurityGroup, error) {
	return findIn(c.groups, "security group", id)
}

func (c *Cloud) listGroups(r canonical.SecurityGroupList) (canonical.TypedReply[canonical.Page[canonical.SecurityGroup]], error) {
	return arrange(those(c.groups, r.Match), r.ListOptions, copyGroup)
}

func (c *Cloud) getGroup(r canonical.SecurityGroupGet) (canonical.TypedReply[canonical.SecurityGroup], error) {
	return byID(c.groups, "security group", r.ID, copyGroup)
}

func (c *Cloud) createGroup(r canonical.SecurityGroupCreate) (canonical.TypedReply[canonical.SecurityGroup], error) {
	if r.Name == defaultGroup {
		return refuse[canonical.SecurityGroup](canonical.Errorf(canonical.AlreadyExists, "Default security group already exists."))
	}
	g := c.newGroup(canonical.ID(uuid.NewString()), r.Name, r.Description)
	g.Stateful = yes(r.Stateful)
	c.groups = append(c.groups, g)
	return reply(copyGroup(g), nil)
}

func (c *Cloud) updateGroup(r canonical.SecurityGroupUpdate) (canonical.TypedReply[canonical.SecurityGroup], error) {
	g, err := c.findGroup(r.ID)
	if err != nil {
		return refuse[canonical.SecurityGroup](err)
	}
	if name, ok := r.Name.Get(); ok && name != g.Name && g.Name == defaultGroup {
		return refuse[canonical.SecurityGroup](canonical.Errorf(canonical.FailedPrecondition, "Updating default security group not allowed."))
	}
	if stateful, ok := r.Stateful.Get(); ok && stateful != g.Stateful && c.members(g.ID) > 0 {
		return refuse[canonical.SecurityGroup](groupInUse(g.ID))
	}
	c.change(&g.Name, &g.Description, &g.Tags, changes{r.Name, r.Description, r.Tags})
	set(&g.Stateful, r.Stateful)
	c.touchGroup(g)
	c.tellMembers(g.ID)
	return reply(copyGroup(*g), nil)
}

func (c *Cloud) touchGroup(g *canonical.SecurityGroup) {
	now := c.now()
	g.UpdatedAt, g.Revision = &now, next(g.Revision)
}

// tellMembers lets the servers in a group know what it is called.
func (c *Cloud) tellMembers(group canonical.ID) {
	for _, p := range c.ports {
		if p.server != nil && slices.Contains(p.SecurityGroups, group) {
			c.tell(p.server)
		}
	}
}

// members is how many ports are in a group.
func (c *Cloud) members(group canonical.ID) (n int) {
	for _, p := range c.ports {
		if slices.Contains(p.SecurityGroups, group) {
			n++
		}
	}
	return n
}

func groupInUse(id canonical.ID) error {
	return canonical.Errorf(canonical.FailedPrecondition, "Security Group %s in use.", id)
}

func (c *Cloud) deleteGroup(r canonical.SecurityGroupDelete) (canonical.TypedReply[canonical.None], error) {
	g, err := c.findGroup(r.ID)
	switch {
	case err != nil:
		return refuse[canonical.None](err)
	case g.Name == defaultGroup:
		return refuse[canonical.None](canonical.Errorf(canonical.FailedPrecondition, "Insufficient rights for removing default security group."))
	case c.members(r.ID) > 0:
		return refuse[canonical.None](groupInUse(r.ID))
	}
	c.groups = without(c.groups, r.ID)
	for i := range c.groups { // what let its members pass lets nobody pass any more
		other := &c.groups[i]
		other.Rules = slices.DeleteFunc(other.Rules, func(rule canonical.SecurityGroupRule) bool {
			return rule.RemoteGroup != nil && *rule.RemoteGroup == r.ID
		})
	}
	return reply(canonical.None{}, nil)
}

func (c *Cloud) rules() []canonical.SecurityGroupRule {
	var all []canonical.SecurityGroupRule
	for _, g := range c.groups {
		all = append(all, g.Rules...)
	}
	return all
}

func (c *Cloud) listRules(r canonical.SecurityGroupRuleList) (canonical.TypedReply[canonical.Page[canonical.SecurityGroupRule]], error) {
	return arrange(those(c.rules(), r.Match), r.ListOptions, copyRule)
}

func (c *Cloud) getRule(r canonical.SecurityGroupRuleGet) (canonical.TypedReply[canonical.SecurityGroupRule], error) {
	return byID(c.rules(), "security group rule", r.ID, copyRule)
}

func (c *Cloud) createRule(r canonical.SecurityGroupRuleCreate) (canonical.TypedReply[canonical.SecurityGroupRule], error) {
	g, err := c.findGroup(r.ID)
	if err != nil {
		return refuse[canonical.SecurityGroupRule](err)
	}
	version := 4
	if r.IPVersion != 0 {
		version = r.IPVersion
	}
	rule := c.newRule(g.ID, r.Direction, version)
	rule.Protocol, rule.PortMin, rule.PortMax = optional(r.Protocol), own(r.PortMin), own(r.PortMax)
	rule.RemoteCIDR, rule.Description = optional(r.RemoteCIDR), optional(r.Description)
	if r.RemoteGroup != "" {
		remote, ok := pick(c.groups, string(r.RemoteGroup))
		if !ok {
			return refuse[canonical.SecurityGroupRule](canonical.Invalid("remote_group", "there is no security group %q", r.RemoteGroup))
		}
		rule.RemoteGroup = &remote.ID
	}
	for _, other := range g.Rules {
		if sameRule(other, rule) {
			return refuse[canonical.SecurityGroupRule](canonical.Errorf(canonical.AlreadyExists,
				"Security group rule already exists. Rule id is %s.", other.ID))
		}
	}
	g.Rules = append(g.Rules, rule)
	c.touchGroup(g)
	return reply(copyRule(rule), nil)
}

// sameRule says whether two rules let the same pass.
func sameRule(a, b canonical.SecurityGroupRule) bool {
	return a.Direction == b.Direction && a.IPVersion == b.IPVersion && equal(a.Protocol, b.Protocol) && equal(a.PortMin, b.PortMin) &&
		equal(a.PortMax, b.PortMax) && equal(a.RemoteCIDR, b.RemoteCIDR) && equal(a.RemoteGroup, b.RemoteGroup)
}

func equal[T comparable](a, b *T) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func (c *Cloud) deleteRule(r canonical.SecurityGroupRuleDelete) (canonical.TypedReply[canonical.None], error) {
	g, err := c.findGroup(r.ID)
	if err != nil {
		return refuse[canonical.None](err)
	}
	if _, err := findIn(g.Rules, "security group rule", r.Rule); err != nil {
		return refuse[canonical.None](err)
	}
	g.Rules = without(g.Rules, r.Rule)
	c.touchGroup(g)
	return reply(canonical.None{}, nil)
}

func (c *Cloud) listServerGroups(r canonical.ServerSecurityGroupList) (canonical.TypedReply[canonical.Page[canonical.SecurityGroup]], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.Page[canonical.SecurityGroup]](err)
	}
	return arrange(those(c.groups, func(g *canonical.SecurityGroup) bool {
		return slices.ContainsFunc(s.SecurityGroups, func(l canonical.Link) bool { return l.ID == g.ID })
	}), r.ListOptions, copyGroup)
}

// regrouped does something to the groups of all of a server's ports; the group is given
// by id or, as Nova's is, by name.
func (c *Cloud) regrouped(server, group canonical.ID, do func(p *port, group canonical.ID) bool) (done bool, err error) {
	s, err := c.find(server)
	if err != nil {
		return false, err
	}
	g, ok := pick(c.groups, string(group))
	if !ok {
		return false, canonical.Errorf(canonical.NotFound, "there is no security group %s", group)
	}
	for _, id := range s.nics {
		p := c.ports[id]
		if do(p, g.ID) {
			done = true
			c.changed(p)
		}
	}
	return done, nil
}

func (c *Cloud) addServerGroup(r canonical.ServerSecurityGroupAdd) (canonical.TypedReply[canonical.None], error) {
	_, err := c.regrouped(r.ID, r.Group, func(p *port, group canonical.ID) bool {
		if !yes(p.PortSecurity) || slices.Contains(p.SecurityGroups, group) {
			return false
		}
		p.SecurityGroups = append(slices.Clone(p.SecurityGroups), group)
		return true
	})
	return nothing(err)
}

func (c *Cloud) removeServerGroup(r canonical.ServerSecurityGroupRemove) (canonical.TypedReply[canonical.None], error) {
	done, err := c.regrouped(r.ID, r.Group, func(p *port, group canonical.ID) bool {
		n := len(p.SecurityGroups)
		p.SecurityGroups = slices.DeleteFunc(slices.Clone(p.SecurityGroups), func(id canonical.ID) bool { return id == group })
		return len(p.SecurityGroups) < n
	})
	if err == nil && !done {
		err = canonical.Errorf(canonical.NotFound, "Security group %s not associated with the instance %s", r.Group, r.ID)
	}
	return nothing(err)
}
