package canonical

import "strings"

// The operations on flavors.
var (
	ListFlavors = op[FlavorList, Page[Flavor]]("flavor.list", Read, "GET /v1/flavors")
	GetFlavor   = op[FlavorGet, Flavor]("flavor.get", Read, "GET /v1/flavors/{id}")

	CreateFlavor = op[FlavorCreate, Flavor]("flavor.create", Write, "POST /v1/flavors")
	UpdateFlavor = op[FlavorUpdate, Flavor]("flavor.update", Write, "PATCH /v1/flavors/{id}")
	DeleteFlavor = op[FlavorDelete, None]("flavor.delete", Delete, "DELETE /v1/flavors/{id}")
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

// FlavorCreate asks for a flavor.
type FlavorCreate struct {
	Name         string            `json:"name"`
	Cloud        string            `json:"cloud,omitempty" doc:"Cloud to make it on"`
	ID           string            `json:"id,omitempty" doc:"The cloud's own id for it; one is made if none is given"`
	Description  string            `json:"description,omitempty"`
	VCPUs        int               `json:"vcpus"`
	RAMMiB       int               `json:"ram_mib"`
	DiskGiB      int               `json:"disk_gib" doc:"0: as large as the image"`
	EphemeralGiB int               `json:"ephemeral_gib,omitempty"`
	SwapMiB      int               `json:"swap_mib,omitempty"`
	Public       *bool             `json:"public,omitempty" doc:"true is the default"`
	ExtraSpecs   map[string]string `json:"extra_specs,omitempty"`
}

// Validate implements the check of requests.
func (r FlavorCreate) Validate() error {
	switch {
	case strings.TrimSpace(r.Name) == "":
		return Invalid("name", "is required")
	case len([]rune(r.Name)) > 255:
		return Invalid("name", "is longer than 255 characters")
	case r.VCPUs < 1:
		return Invalid("vcpus", "must be at least 1")
	case r.RAMMiB < 1:
		return Invalid("ram_mib", "must be at least 1")
	case r.DiskGiB < 0:
		return Invalid("disk_gib", "must not be negative")
	case r.EphemeralGiB < 0:
		return Invalid("ephemeral_gib", "must not be negative")
	case r.SwapMiB < 0:
		return Invalid("swap_mib", "must not be negative")
	}
	for key, value := range r.ExtraSpecs {
		if err := validateSpec(key, value); err != nil {
			return err
		}
	}
	return validateDescription(r.Description)
}

// maxDescription is the most characters of a description (Nova's schema).
const maxDescription = 65535

func validateDescription(text string) error {
	if len([]rune(text)) > maxDescription {
		return Invalid("description", "is longer than %d characters", maxDescription)
	}
	return nil
}

// FlavorUpdate changes what is given, by the rules of JSON merge patch; the shape of a
// flavor never changes.
type FlavorUpdate struct {
	ID          ID          `json:"-" path:"id"`
	Description Opt[string] `json:"description,omitzero" doc:"null removes it"`
}

// Validate implements the check of requests.
func (r FlavorUpdate) Validate() error { return validateDescription(r.Description.Or("")) }

// FlavorDelete deletes a flavor; servers that were made of it keep their shape.
type FlavorDelete struct {
	ID ID `json:"-" path:"id"`
}
