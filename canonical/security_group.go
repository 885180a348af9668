package canonical

import (
	"strings"
	"time"
)

// The operations on security groups.
var (
	ListSecurityGroups  = op[SecurityGroupList, Page[SecurityGroup]]("security_group.list", Read, "GET /v1/security-groups")
	GetSecurityGroup    = op[SecurityGroupGet, SecurityGroup]("security_group.get", Read, "GET /v1/security-groups/{id}")
	CreateSecurityGroup = op[SecurityGroupCreate, SecurityGroup]("security_group.create", Write, "POST /v1/security-groups")
	UpdateSecurityGroup = op[SecurityGroupUpdate, SecurityGroup]("security_group.update", Write, "PATCH /v1/security-groups/{id}")
	DeleteSecurityGroup = op[SecurityGroupDelete, None]("security_group.delete", Delete, "DELETE /v1/security-groups/{id}")
)

// The operations on the rules of security groups.
var (
	ListSecurityGroupRules  = op[SecurityGroupRuleList, Page[SecurityGroupRule]]("security_group_rule.list", Read, "GET /v1/security-group-rules")
	GetSecurityGroupRule    = op[SecurityGroupRuleGet, SecurityGroupRule]("security_group_rule.get", Read, "GET /v1/security-group-rules/{id}")
	CreateSecurityGroupRule = op[SecurityGroupRuleCreate, SecurityGroupRule](
		"security_group_rule.create", Write, "POST /v1/security-groups/{id}/rules")
	DeleteSecurityGroupRule = op[SecurityGroupRuleDelete, None](
		"security_group_rule.delete", Delete, "DELETE /v1/security-groups/{id}/rules/{rule}")
)

// The operations on the security groups of a server.
var (
	ListServerSecurityGroups = op[ServerSecurityGroupList, Page[SecurityGroup]](
		"server.list_security_groups", Read, "GET /v1/servers/{id}/security-groups")
	AddServerSecurityGroup = op[ServerSecurityGroupAdd, None](
		"server.add_security_group", Write, "PUT /v1/servers/{id}/security-groups/{group}")
	RemoveServerSecurityGroup = op[ServerSecurityGroupRemove, None](
		"server.remove_security_group", Delete, "DELETE /v1/servers/{id}/security-groups/{group}")
)

// SecurityGroup is a set of rules that say what ports let pass. What no rule of a
// port's groups allows is dropped.
type SecurityGroup struct {
	ID          ID                  `json:"id"`
	Cloud       string              `json:"cloud"`
	Name        string              `json:"name"`
	Description *string             `json:"description"`
	Stateful    bool                `json:"stateful"` // answers to what was let pass are let pass
	Rules       []SecurityGroupRule `json:"rules" of:"security_group_rule"`
	Tags        []string            `json:"tags"`
	Revision    *int                `json:"revision"`
	ProjectID   *string             `json:"project_id"`
	CreatedAt   *time.Time          `json:"created_at"`
	UpdatedAt   *time.Time          `json:"updated_at"`
	Native      map[string]any      `json:"native,omitempty"`
}

// Direction is which way something passes, seen from the server.
type Direction string

// The directions.
const (
	Ingress Direction = "ingress" // to the server
	Egress  Direction = "egress"  // from it
)

// Directions are all directions.
var Directions = []Direction{Ingress, Egress}

// SecurityGroupRule lets something pass.
type SecurityGroupRule struct {
	ID          ID         `json:"id"`
	Cloud       string     `json:"cloud"`
	GroupID     ID         `json:"group_id" of:"security_group"`
	Direction   Direction  `json:"direction"`
	IPVersion   int        `json:"ip_version"` // 4 or 6
	Protocol    *string    `json:"protocol"`   // name or number; null: any
	PortMin     *int       `json:"port_min"`   // of ICMP the type
	PortMax     *int       `json:"port_max"`   // of ICMP the code
	RemoteCIDR  *string    `json:"remote_cidr"`
	RemoteGroup *ID        `json:"remote_group" of:"security_group"` // its members
	Description *string    `json:"description"`
	Revision    *int       `json:"revision"`
	ProjectID   *string    `json:"project_id"`
	CreatedAt   *time.Time `json:"created_at"`
	UpdatedAt   *time.Time `json:"updated_at"`
}

// ListKeys implements Listed.
func (g SecurityGroup) ListKeys() (ID, string, string) { return g.ID, g.Name, sortTime(g.CreatedAt) }

// ListKeys implements Listed.
func (r SecurityGroupRule) ListKeys() (ID, string, string) { return r.ID, "", sortTime(r.CreatedAt) }

func (g *SecurityGroup) setCloud(name string) {
	g.Cloud = name
	for i := range g.Rules {
		g.Rules[i].Cloud = name
	}
}

func (r *SecurityGroupRule) setCloud(name string) { r.Cloud = name }

// SecurityGroupList asks for security groups.
type SecurityGroupList struct {
	ListOptions
	Name       string `json:"-" query:"name" doc:"Exact name"`
	NamePrefix string `json:"-" query:"name_prefix" doc:"Beginning of the name"`
}

// Match says whether g passes the filters.
func (r SecurityGroupList) Match(g *SecurityGroup) bool {
	return matchName(g.Name, r.Name, r.NamePrefix)
}

// SecurityGroupGet names one security group.
type SecurityGroupGet struct {
	ID ID `json:"-" path:"id"`
}

// SecurityGroupCreate asks for a security group; it begins with rules that let pass
// all that its members send.
type SecurityGroupCreate struct {
	Name        string `json:"name"`
	Cloud       string `json:"cloud,omitempty" doc:"Cloud to make it on"`
	Description string `json:"description,omitempty"`
	Stateful    *bool  `json:"stateful,omitempty" doc:"true is the default: answers to what was let pass are let pass"`
}

// Validate implements the check of requests.
func (r SecurityGroupCreate) Validate() error { return validTexts(r.Name, r.Description) }

// SecurityGroupUpdate changes what is given.
type SecurityGroupUpdate struct {
	ID          ID            `json:"-" path:"id"`
	Name        Opt[string]   `json:"name,omitzero"`
	Description Opt[string]   `json:"description,omitzero"`
	Stateful    Opt[bool]     `json:"stateful,omitzero"`
	Tags        Opt[[]string] `json:"tags,omitzero" doc:"Replaces the tags"`
}

// Validate implements the check of requests.
func (r SecurityGroupUpdate) Validate() error {
	if r.Stateful.IsNull() {
		return Invalid("stateful", "must not be null")
	}
	return validChanges(r.Name, r.Description, r.Tags)
}

// SecurityGroupDelete deletes a security group; FailedPrecondition while a port is in
// it.
type SecurityGroupDelete struct {
	ID ID `json:"-" path:"id"`
}

// SecurityGroupRuleList asks for the rules of all groups, or of one.
type SecurityGroupRuleList struct {
	ListOptions
	Group     ID        `json:"-" query:"group" of:"security_group" doc:"Id of the group"`
	Direction Direction `json:"-" query:"direction" enum:"ingress,egress"`
}

// Match says whether rule passes the filters.
func (r SecurityGroupRuleList) Match(rule *SecurityGroupRule) bool {
	return (r.Group == "" || rule.GroupID == r.Group) && (r.Direction == "" || rule.Direction == r.Direction)
}

// SecurityGroupRuleGet names one rule.
type SecurityGroupRuleGet struct {
	ID ID `json:"-" path:"id"`
}

// SecurityGroupRuleCreate adds a rule to a group. AlreadyExists where it has one that
// says the same.
type SecurityGroupRuleCreate struct {
	ID          ID        `json:"-" path:"id" of:"security_group"`
	Direction   Direction `json:"direction" enum:"ingress,egress" doc:"Which way, seen from the server"`
	IPVersion   int       `json:"ip_version,omitempty" doc:"4, the default, or 6"`
	Protocol    string    `json:"protocol,omitempty" doc:"tcp, udp, icmp... or its number; any if not given"`
	PortMin     *int      `json:"port_min,omitempty" doc:"Of ICMP the type"`
	PortMax     *int      `json:"port_max,omitempty" doc:"Of ICMP the code"`
	RemoteCIDR  string    `json:"remote_cidr,omitempty" doc:"Whom it is about; everybody if not given"`
	RemoteGroup Ref       `json:"remote_group,omitempty" of:"security_group" doc:"The members of a group, instead of a range"`
	Description string    `json:"description,omitempty"`
}

// Validate implements the check of requests.
func (r SecurityGroupRuleCreate) Validate() error {
	switch {
	case r.Direction != Ingress && r.Direction != Egress:
		return Invalid("direction", "must be ingress or egress")
	case r.IPVersion != 0 && r.IPVersion != 4 && r.IPVersion != 6:
		return Invalid("ip_version", "must be 4 or 6")
	case r.RemoteCIDR != "" && r.RemoteGroup != "":
		return Invalid("remote_group", "is given instead of a range")
	case r.Protocol == "" && (r.PortMin != nil || r.PortMax != nil):
		return Invalid("protocol", "is required where ports are given")
	case r.RemoteCIDR != "" && strings.Contains(r.RemoteCIDR, ":") != (r.IPVersion == 6):
		return Invalid("remote_cidr", "is of another version of IP")
	}
	return firstError(validCIDR("remote_cidr", r.RemoteCIDR), validTexts("", r.Description), r.validPorts())
}

// validPorts refuses ranges of ports that are none.
func (r SecurityGroupRuleCreate) validPorts() error {
	most := 65535
	if strings.Contains(strings.ToLower(r.Protocol), "icmp") || r.Protocol == "1" || r.Protocol == "58" {
		most = 255
	}
	for field, n := range map[string]*int{"port_min": r.PortMin, "port_max": r.PortMax} {
		if n != nil && (*n < 0 || *n > most) {
			return Invalid(field, "must be 0 to %d", most)
		}
	}
	switch {
	case most == 255 && r.PortMax != nil && r.PortMin == nil:
		return Invalid("port_min", "is required where there is a port_max")
	case most == 255:
		return nil
	case (r.PortMin == nil) != (r.PortMax == nil):
		return Invalid("port_max", "is given with port_min")
	case r.PortMin != nil && *r.PortMin > *r.PortMax:
		return Invalid("port_max", "is less than port_min")
	}
	return nil
}

// SecurityGroupRuleDelete takes a rule from a group.
type SecurityGroupRuleDelete struct {
	ID   ID `json:"-" path:"id" of:"security_group"`
	Rule ID `json:"-" path:"rule" of:"security_group_rule"`
}

// ServerSecurityGroupList asks for the security groups that a server's ports are in.
type ServerSecurityGroupList struct {
	ListOptions
	ID ID `json:"-" path:"id" of:"server"`
}

// ServerSecurityGroupAdd puts all ports of a server into a group; it is harmless where
// they are in it.
type ServerSecurityGroupAdd struct {
	ID    ID `json:"-" path:"id" of:"server"`
	Group ID `json:"-" path:"group" of:"security_group"`
}

// ServerSecurityGroupRemove takes all ports of a server out of a group; NotFound where
// none is in it.
type ServerSecurityGroupRemove struct {
	ID    ID `json:"-" path:"id" of:"server"`
	Group ID `json:"-" path:"group" of:"security_group"`
}
