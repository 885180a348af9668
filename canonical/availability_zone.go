package canonical

// ListAvailabilityZones lists the zones that servers can be placed in.
var ListAvailabilityZones = op[AvailabilityZoneList, Page[AvailabilityZone]](
	"availability_zone.list", Read, "GET /v1/availability-zones")

// AvailabilityZone is a part of a cloud that fails on its own.
type AvailabilityZone struct {
	ID        ID             `json:"id"` // <cloud>:<name> where the cloud knows only names
	Cloud     string         `json:"cloud"`
	Name      string         `json:"name" of:"availability_zone"`
	Available bool           `json:"available"`
	Hosts     []string       `json:"hosts"` // operators only
	Native    map[string]any `json:"native,omitempty"`
}

// ListKeys implements Listed.
func (z AvailabilityZone) ListKeys() (ID, string, string) { return z.ID, z.Name, "" }

// AvailabilityZoneList asks for zones.
type AvailabilityZoneList struct {
	ListOptions
	Name       string `json:"-" query:"name" doc:"Exact name"`
	NamePrefix string `json:"-" query:"name_prefix" doc:"Beginning of the name"`
}

// Match says whether z passes the filters.
func (r AvailabilityZoneList) Match(z *AvailabilityZone) bool {
	return matchName(z.Name, r.Name, r.NamePrefix)
}
