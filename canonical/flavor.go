package canonical

// The operations on flavors.
var (
	ListFlavors = op[FlavorList, Page[Flavor]]("flavor.list", Read, "GET /v1/flavors")
	GetFlavor   = op[FlavorGet, Flavor]("flavor.get", Read, "GET /v1/flavors/{id}")
)

// Flavor is a shape of servers.
type Flavor struct {
	ID           ID                `json:"id"`
	Cloud        string            `json:"cloud"`
	Name         string            `json:"name"`
	Description  *string           `json:"description"`
	VCPUs        int               `json:"vcpus"`
	RAMMiB       int               `json:"ram_mib"`
	DiskGiB      int               `json:"disk_gib"`
	EphemeralGiB int               `json:"ephemeral_gib"`
	SwapMiB      int               `json:"swap_mib"`
	Public       bool              `json:"public"`
	ExtraSpecs   map[string]string `json:"extra_specs"`
	Available    bool              `json:"available"` // false: it exists, but no new server may use it
	Native       map[string]any    `json:"native,omitempty"`
}

// ListKeys implements Listed.
func (f Flavor) ListKeys() (ID, string, string) { return f.ID, f.Name, "" }

// FlavorList asks for flavors.
type FlavorList struct {
	ListOptions
	Name       string `json:"-" query:"name" doc:"Exact name"`
	NamePrefix string `json:"-" query:"name_prefix" doc:"Beginning of the name"`
	Public     *bool  `json:"-" query:"public" doc:"Only public ones, or only others"`
}

// Match says whether f passes the filters.
func (r FlavorList) Match(f *Flavor) bool {
	return matchName(f.Name, r.Name, r.NamePrefix) && (r.Public == nil || f.Public == *r.Public)
}

// FlavorGet names one flavor.
type FlavorGet struct {
	ID ID `json:"-" path:"id"`
}
