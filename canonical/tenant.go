package canonical

import "time"

// The operations on tenants and their keys; policy performs them.
var (
	ListTenants  = op[TenantList, Page[Tenant]]("tenant.list", Read, "GET /v1/tenants")
	CreateTenant = op[TenantCreate, Tenant]("tenant.create", Write, "POST /v1/tenants")
	ListAPIKeys  = op[APIKeyList, Page[APIKey]]("api_key.list", Read, "GET /v1/api-keys")
	CreateAPIKey = op[APIKeyCreate, APIKeyCreated]("api_key.create", Write, "POST /v1/api-keys")
	DeleteAPIKey = op[APIKeyDelete, None]("api_key.delete", Delete, "DELETE /v1/api-keys/{id}")
)

// Tenant is a customer of dragoman: what it makes is kept apart from all others'.
type Tenant struct {
	ID        ID         `json:"id"`
	Name      string     `json:"name"`
	Declared  bool       `json:"declared"` // by the configuration file, and read-only here
	CreatedAt *time.Time `json:"created_at"`
}

// ListKeys implements Listed.
func (t Tenant) ListKeys() (ID, string, string) { return t.ID, t.Name, sortTime(t.CreatedAt) }

// TenantList asks for tenants.
type TenantList struct {
	ListOptions
	Name string `json:"-" query:"name" doc:"Exact name"`
}

// TenantCreate makes a tenant.
type TenantCreate struct {
	Name string `json:"name" doc:"A lower-case letter, then lower-case letters, digits or hyphens, at most 63"`
}

// APIKey is what a program proves itself with. Its secret is told once.
type APIKey struct {
	ID        ID        `json:"id"`
	Tenant    string    `json:"tenant"`
	Role      Role      `json:"role"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
}

// ListKeys implements Listed.
func (k APIKey) ListKeys() (ID, string, string) { return k.ID, k.Name, sortTime(&k.CreatedAt) }

// APIKeyCreated is a new key with its whole bearer text.
type APIKeyCreated struct {
	APIKey
	Key string `json:"key"` // <id>.<secret>; never told again
}

// APIKeyList asks for keys.
type APIKeyList struct {
	ListOptions
	Name string `json:"-" query:"name" doc:"Exact name"`
}

// APIKeyCreate makes a key.
type APIKeyCreate struct {
	Tenant string `json:"tenant" doc:"Name of the tenant"`
	Role   Role   `json:"role" enum:"reader,member,operator,admin"`
	Name   string `json:"name,omitempty"`
}

// Validate implements the check of requests.
func (r APIKeyCreate) Validate() error {
	switch {
	case r.Tenant == "":
		return Invalid("tenant", "is required")
	case r.Role.rank() == 0:
		return Invalid("role", "must be reader, member, operator or admin")
	default:
		return nil
	}
}

// APIKeyDelete revokes a key.
type APIKeyDelete struct {
	ID ID `json:"-" path:"id"`
}
