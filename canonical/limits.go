package canonical

// GetLimits tells what the caller may use of a cloud, and uses.
var GetLimits = op[LimitsGet, Limits]("limits.get", Read, "GET /v1/limits")

// Limits are the limits of a tenant on a cloud. A limit that is null is none, or is not
// known.
type Limits struct {
	ID                  ID     `json:"id"` // of the cloud's project, or the cloud's name
	Cloud               string `json:"cloud"`
	Servers             *int   `json:"servers"`
	ServersUsed         *int   `json:"servers_used"`
	VCPUs               *int   `json:"vcpus"`
	VCPUsUsed           *int   `json:"vcpus_used"`
	RAMMiB              *int   `json:"ram_mib"`
	RAMUsedMiB          *int   `json:"ram_used_mib"`
	Keypairs            *int   `json:"keypairs"`
	ServerGroups        *int   `json:"server_groups"`
	ServerGroupsUsed    *int   `json:"server_groups_used"`
	ServerGroupMember   *int   `json:"server_group_members"`
	MetadataItems       *int   `json:"metadata_items"` // of one server
	Volumes             *int   `json:"volumes"`
	VolumesUsed         *int   `json:"volumes_used"`
	VolumeSnapshots     *int   `json:"volume_snapshots"`
	VolumeSnapshotsUsed *int   `json:"volume_snapshots_used"`
	VolumeGiB           *int   `json:"volume_gib"` // of volumes and snapshots together
	VolumeUsedGiB       *int   `json:"volume_used_gib"`

	Networks               *int `json:"networks"`
	NetworksUsed           *int `json:"networks_used"`
	Subnets                *int `json:"subnets"`
	SubnetsUsed            *int `json:"subnets_used"`
	Ports                  *int `json:"ports"`
	PortsUsed              *int `json:"ports_used"`
	Routers                *int `json:"routers"`
	RoutersUsed            *int `json:"routers_used"`
	FloatingIPs            *int `json:"floating_ips"`
	FloatingIPsUsed        *int `json:"floating_ips_used"`
	SecurityGroups         *int `json:"security_groups"`
	SecurityGroupsUsed     *int `json:"security_groups_used"`
	SecurityGroupRules     *int `json:"security_group_rules"`
	SecurityGroupRulesUsed *int `json:"security_group_rules_used"`
}

// LimitsGet asks for limits; where there are several clouds, cloud= says of which.
type LimitsGet struct{}
