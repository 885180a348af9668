package canonical

// The operations on quotas: what a project of a cloud may use at most.
var (
	GetQuota         = op[QuotaGet, Quota]("quota.get", Read, "GET /v1/quotas/{project}")
	GetQuotaDefaults = op[QuotaDefaultsGet, Quota]("quota.get_defaults", Read, "GET /v1/quotas/{project}/defaults")
	UpdateQuota      = op[QuotaUpdate, Quota]("quota.update", Write, "PATCH /v1/quotas/{project}")
	// UpdateQuotaDefaults changes what every project has that was given no quota of its own.
	UpdateQuotaDefaults = op[QuotaDefaultsUpdate, Quota]("quota.update_defaults", Write, "PATCH /v1/quotas/{project}/defaults")
	// ResetQuota gives a project the defaults again.
	ResetQuota = op[QuotaReset, None]("quota.reset", Delete, "DELETE /v1/quotas/{project}")
)

// Quota is what a project may use, and uses. A limit that is null is none; a use that is
// null is not known.
type Quota struct {
	ID                 ID     `json:"id"` // of the project
	Cloud              string `json:"cloud"`
	Servers            *int   `json:"servers"`
	ServersUsed        *int   `json:"servers_used"`
	VCPUs              *int   `json:"vcpus"`
	VCPUsUsed          *int   `json:"vcpus_used"`
	RAMMiB             *int   `json:"ram_mib"`
	RAMUsedMiB         *int   `json:"ram_used_mib"`
	Keypairs           *int   `json:"keypairs"`
	ServerGroups       *int   `json:"server_groups"`
	ServerGroupsUsed   *int   `json:"server_groups_used"`
	ServerGroupMembers *int   `json:"server_group_members"`
	MetadataItems      *int   `json:"metadata_items"` // of one server
}

// QuotaGet asks for the quota of a project.
type QuotaGet struct {
	Project Project `json:"-" path:"project"`
}

// QuotaDefaultsGet asks for what a project has that was given no quota of its own.
type QuotaDefaultsGet struct {
	Project Project `json:"-" path:"project"`
}

// QuotaReset takes back what was set for a project.
type QuotaReset struct {
	Project Project `json:"-" path:"project"`
}

// QuotaUpdate changes what is given, by the rules of JSON merge patch; null is no limit.
type QuotaUpdate struct {
	Project            Project  `json:"-" path:"project"`
	Servers            Opt[int] `json:"servers,omitzero"`
	VCPUs              Opt[int] `json:"vcpus,omitzero"`
	RAMMiB             Opt[int] `json:"ram_mib,omitzero"`
	Keypairs           Opt[int] `json:"keypairs,omitzero"`
	ServerGroups       Opt[int] `json:"server_groups,omitzero"`
	ServerGroupMembers Opt[int] `json:"server_group_members,omitzero"`
	MetadataItems      Opt[int] `json:"metadata_items,omitzero"`
	Force              bool     `json:"force,omitempty" doc:"Also below what is used already"`
}

// Validate implements the check of requests.
func (r QuotaUpdate) Validate() error {
	for _, f := range []struct {
		name string
		n    Opt[int]
	}{
		{"servers", r.Servers},
		{"vcpus", r.VCPUs},
		{"ram_mib", r.RAMMiB},
		{"keypairs", r.Keypairs},
		{"server_groups", r.ServerGroups},
		{"server_group_members", r.ServerGroupMembers},
		{"metadata_items", r.MetadataItems},
	} {
		if f.n.Or(0) < 0 {
			return Invalid(f.name, "must not be negative")
		}
	}
	return nil
}

// QuotaDefaultsUpdate changes what is given, by the rules of JSON merge patch; null is no
// limit. The project says which cloud's defaults: they are those of all its projects.
type QuotaDefaultsUpdate struct {
	Project            Project  `json:"-" path:"project"`
	Servers            Opt[int] `json:"servers,omitzero"`
	VCPUs              Opt[int] `json:"vcpus,omitzero"`
	RAMMiB             Opt[int] `json:"ram_mib,omitzero"`
	Keypairs           Opt[int] `json:"keypairs,omitzero"`
	ServerGroups       Opt[int] `json:"server_groups,omitzero"`
	ServerGroupMembers Opt[int] `json:"server_group_members,omitzero"`
	MetadataItems      Opt[int] `json:"metadata_items,omitzero"`
}

// Limits are the same changes as those of one project's quota.
func (r QuotaDefaultsUpdate) Limits() QuotaUpdate {
	return QuotaUpdate{
		Project: r.Project, Servers: r.Servers, VCPUs: r.VCPUs, RAMMiB: r.RAMMiB, Keypairs: r.Keypairs,
		ServerGroups: r.ServerGroups, ServerGroupMembers: r.ServerGroupMembers, MetadataItems: r.MetadataItems,
	}
}

// Validate implements the check of requests.
func (r QuotaDefaultsUpdate) Validate() error { return r.Limits().Validate() }
