package canonical

// The operations on the types of volumes.
var (
	ListVolumeTypes = op[VolumeTypeList, Page[VolumeType]]("volume_type.list", Read, "GET /v1/volume-types")
	GetVolumeType   = op[VolumeTypeGet, VolumeType]("volume_type.get", Read, "GET /v1/volume-types/{id}")
)

// VolumeType is a kind of storage that a cloud makes volumes of.
type VolumeType struct {
	ID          ID                `json:"id"`
	Cloud       string            `json:"cloud"`
	Name        string            `json:"name"`
	Description *string           `json:"description"`
	Public      bool              `json:"public"`
	Default     *bool             `json:"default"` // volumes that name no type are made of it; null: the cloud does not tell
	ExtraSpecs  map[string]string `json:"extra_specs"`
	Native      map[string]any    `json:"native,omitempty"`
}

// ListKeys implements Listed.
func (t VolumeType) ListKeys() (ID, string, string) { return t.ID, t.Name, "" }

// VolumeTypeList asks for volume types.
type VolumeTypeList struct {
	ListOptions
	Name       string `json:"-" query:"name" doc:"Exact name"`
	NamePrefix string `json:"-" query:"name_prefix" doc:"Beginning of the name"`
	Public     *bool  `json:"-" query:"public" doc:"Only public ones, or only others"`
	Default    *bool  `json:"-" query:"default" doc:"Only the default, or only others"`
}

// Match says whether t passes the filters.
func (r VolumeTypeList) Match(t *VolumeType) bool {
	return matchName(t.Name, r.Name, r.NamePrefix) && (r.Public == nil || t.Public == *r.Public) &&
		(r.Default == nil || t.Default != nil && *t.Default == *r.Default)
}

// VolumeTypeGet names one volume type.
type VolumeTypeGet struct {
	ID ID `json:"-" path:"id"`
}
