package canonical

import (
	"slices"
	"strings"
)

// The operations on groups of servers, whose members are placed by a policy.
var (
	ListServerGroups  = op[ServerGroupList, Page[ServerGroup]]("server_group.list", Read, "GET /v1/server-groups")
	GetServerGroup    = op[ServerGroupGet, ServerGroup]("server_group.get", Read, "GET /v1/server-groups/{id}")
	CreateServerGroup = op[ServerGroupCreate, ServerGroup]("server_group.create", Write, "POST /v1/server-groups")
	DeleteServerGroup = op[ServerGroupDelete, None]("server_group.delete", Delete, "DELETE /v1/server-groups/{id}")
)

// GroupPolicy is how the members of a server group are placed.
type GroupPolicy string

// The policies; soft ones are followed where that is possible.
const (
	Affinity         GroupPolicy = "affinity"
	AntiAffinity     GroupPolicy = "anti_affinity"
	SoftAffinity     GroupPolicy = "soft_affinity"
	SoftAntiAffinity GroupPolicy = "soft_anti_affinity"
)

// GroupPolicies are all policies.
var GroupPolicies = []GroupPolicy{Affinity, AntiAffinity, SoftAffinity, SoftAntiAffinity}

// ServerGroup is a group of servers.
type ServerGroup struct {
	ID         ID          `json:"id"`
	Cloud      string      `json:"cloud"`
	Name       string      `json:"name"`
	Policy     GroupPolicy `json:"policy"`
	MaxPerHost *int        `json:"max_servers_per_host"` // of anti_affinity; null: one
	Members    []ID        `json:"members" of:"server"`
	ProjectID  *string     `json:"project_id"`
	UserID     *string     `json:"user_id"`
}

// ListKeys implements Listed.
func (g ServerGroup) ListKeys() (ID, string, string) { return g.ID, g.Name, "" }

// ServerGroupList asks for groups.
type ServerGroupList struct {
	ListOptions
	Name       string `json:"-" query:"name" doc:"Exact name"`
	NamePrefix string `json:"-" query:"name_prefix" doc:"Beginning of the name"`
}

// Match says whether g passes the filters.
func (r ServerGroupList) Match(g *ServerGroup) bool { return matchName(g.Name, r.Name, r.NamePrefix) }

// ServerGroupGet names one group.
type ServerGroupGet struct {
	ID ID `json:"-" path:"id"`
}

// ServerGroupCreate asks for a group.
type ServerGroupCreate struct {
	Name       string      `json:"name"`
	Cloud      string      `json:"cloud,omitempty" doc:"Cloud to make it on"`
	Policy     GroupPolicy `json:"policy" enum:"affinity,anti_affinity,soft_affinity,soft_anti_affinity"`
	MaxPerHost *int        `json:"max_servers_per_host,omitempty" doc:"With anti_affinity: how many members may share a host"`
}

// Validate implements the check of requests.
func (r ServerGroupCreate) Validate() error {
	switch {
	case strings.TrimSpace(r.Name) == "":
		return Invalid("name", "is required")
	case len([]rune(r.Name)) > 255:
		return Invalid("name", "is longer than 255 characters")
	case !slices.Contains(GroupPolicies, r.Policy):
		return Invalid("policy", "must be affinity, anti_affinity, soft_affinity or soft_anti_affinity")
	case r.MaxPerHost != nil && r.Policy != AntiAffinity:
		return Invalid("max_servers_per_host", "is of the policy anti_affinity only")
	case r.MaxPerHost != nil && *r.MaxPerHost < 1:
		return Invalid("max_servers_per_host", "must be at least 1")
	default:
		return nil
	}
}

// ServerGroupDelete deletes a group; its members are servers as before.
type ServerGroupDelete struct {
	ID ID `json:"-" path:"id"`
}
