package canonical

// The operations on who may use a flavor that is not public. Each answers all projects
// that may.
var (
	ListFlavorAccess   = op[FlavorAccessList, FlavorAccess]("flavor.list_access", Read, "GET /v1/flavors/{id}/access")
	GrantFlavorAccess  = op[FlavorAccessGrant, FlavorAccess]("flavor.grant_access", Write, "PUT /v1/flavors/{id}/access/{project}")
	RevokeFlavorAccess = op[FlavorAccessRevoke, FlavorAccess]("flavor.revoke_access", Delete, "DELETE /v1/flavors/{id}/access/{project}")
)

// FlavorAccess is who may use a flavor.
type FlavorAccess struct {
	Projects []Project `json:"projects"`
}

// FlavorAccessList asks who may use a flavor; for a public one there is no such list.
type FlavorAccessList struct {
	ID ID `json:"-" path:"id"`
}

// FlavorAccessGrant lets a project use a flavor.
type FlavorAccessGrant struct {
	ID      ID      `json:"-" path:"id"`
	Project Project `json:"-" path:"project"`
}

// FlavorAccessRevoke takes that back.
type FlavorAccessRevoke struct {
	ID      ID      `json:"-" path:"id"`
	Project Project `json:"-" path:"project"`
}
