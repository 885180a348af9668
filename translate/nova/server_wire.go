package nova

import (
	"encoding/json"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// server is a server of an answer. What a caller may not see, and what PUT and
// rebuild leave out below 2.75, is absent: hence the Opts.
type server struct {
	ID          string                `json:"id"`
	Name        string                `json:"name"`
	Status      string                `json:"status"`
	TenantID    string                `json:"tenant_id"`
	UserID      string                `json:"user_id"`
	Metadata    map[string]string     `json:"metadata"`
	HostID      string                `json:"hostId"`
	Image       serverImage           `json:"image"`
	Flavor      serverFlavor          `json:"flavor"`
	Created     string                `json:"created,omitempty"`
	Updated     string                `json:"updated,omitempty"`
	Addresses   map[string][]address  `json:"addresses"`
	AccessIPv4  string                `json:"accessIPv4"`
	AccessIPv6  string                `json:"accessIPv6"`
	Links       []link                `json:"links,omitempty"`
	DiskConfig  string                `json:"OS-DCF:diskConfig,omitempty" wire:"native"`
	Progress    *int                  `json:"progress,omitempty"`
	Fault       *fault                `json:"fault,omitempty"`
	AdminPass   string                `json:"adminPass,omitempty"`
	Zone        canonical.Opt[string] `json:"OS-EXT-AZ:availability_zone,omitzero"`
	ConfigDrive canonical.Opt[flag]   `json:"config_drive,omitzero"`
	KeyName     canonical.Opt[string] `json:"key_name,omitzero"`
	Launched    canonical.Opt[string] `json:"OS-SRV-USG:launched_at,omitzero"`
	Terminated  canonical.Opt[string] `json:"OS-SRV-USG:terminated_at,omitzero"`
	Groups      []named               `json:"security_groups,omitempty"`
	TaskState   canonical.Opt[string] `json:"OS-EXT-STS:task_state,omitzero"`
	VMState     canonical.Opt[string] `json:"OS-EXT-STS:vm_state,omitzero"`
	PowerState  canonical.Opt[int]    `json:"OS-EXT-STS:power_state,omitzero"`

	Volumes canonical.Opt[[]volumeAttached] `json:"os-extended-volumes:volumes_attached,omitzero"`

	Host         canonical.Opt[string] `json:"OS-EXT-SRV-ATTR:host,omitzero"`
	Instance     canonical.Opt[string] `json:"OS-EXT-SRV-ATTR:instance_name,omitzero"`
	Hypervisor   canonical.Opt[string] `json:"OS-EXT-SRV-ATTR:hypervisor_hostname,omitzero"`
	Reservation  canonical.Opt[string] `json:"OS-EXT-SRV-ATTR:reservation_id,omitzero" since:"2.3" always:"easystack" wire:"native"`
	LaunchIndex  canonical.Opt[int]    `json:"OS-EXT-SRV-ATTR:launch_index,omitzero" since:"2.3" always:"easystack" wire:"native"`
	Hostname     canonical.Opt[string] `json:"OS-EXT-SRV-ATTR:hostname,omitzero" since:"2.3" always:"easystack" wire:"native"`
	KernelID     canonical.Opt[string] `json:"OS-EXT-SRV-ATTR:kernel_id,omitzero" since:"2.3" always:"easystack" wire:"native"`
	RamdiskID    canonical.Opt[string] `json:"OS-EXT-SRV-ATTR:ramdisk_id,omitzero" since:"2.3" always:"easystack" wire:"native"`
	RootDevice   canonical.Opt[string] `json:"OS-EXT-SRV-ATTR:root_device_name,omitzero" since:"2.3" always:"easystack" wire:"native"`
	UserData     canonical.Opt[string] `json:"OS-EXT-SRV-ATTR:user_data,omitzero" since:"2.3" always:"easystack" wire:"advisory"` // may hold secrets
	RebuildData  canonical.Opt[string] `json:"user_data,omitzero" since:"2.57" wire:"advisory"`                                   // of a rebuild only
	HostStatus   canonical.Opt[string] `json:"host_status,omitzero" since:"2.16" always:"easystack"`
	Locked       canonical.Opt[bool]   `json:"locked,omitzero" since:"2.9" always:"easystack"`
	LockedReason canonical.Opt[string] `json:"locked_reason,omitzero" since:"2.73"`
	Description  canonical.Opt[string] `json:"description,omitzero" since:"2.19" always:"easystack"`

	Tags         canonical.Opt[[]string] `json:"tags,omitzero" since:"2.26" always:"easystack"`
	TrustedCerts canonical.Opt[[]string] `json:"trusted_image_certificates,omitzero" since:"2.63" always:"easystack" wire:"native"`
	ServerGroups canonical.Opt[[]string] `json:"server_groups,omitzero" since:"2.71" wire:"native"`

	Deleted      canonical.Opt[string]   `json:"deleted,omitzero" only:"easystack"`           // "": it is not
	PurgeAt      canonical.Opt[string]   `json:"estimated_deleted,omitzero" only:"easystack"` // "": it is in no recycle bin
	MACs         canonical.Opt[[]string] `json:"addresses_labels_mac,omitzero" only:"easystack"`
	ShareNetwork canonical.Opt[string]   `json:"share_network,omitzero" only:"easystack" wire:"native"`
}

type serverBody struct {
	Server server `json:"server"`
}

type serversBody struct {
	Servers []server `json:"servers"`
	Links   []link   `json:"servers_links,omitempty"`
}

// serverFlavor is the flavor inside a server.
type serverFlavor struct {
	ID           *string `json:"id,omitempty" until:"2.46" always:"easystack"`
	Links        []link  `json:"links,omitempty" until:"2.46"`
	VCPUs        *int    `json:"vcpus,omitempty" since:"2.47" always:"easystack"`
	RAM          *int    `json:"ram,omitempty" since:"2.47" always:"easystack"`
	Disk         *int    `json:"disk,omitempty" since:"2.47" always:"easystack"`
	Ephemeral    *int    `json:"ephemeral,omitempty" since:"2.47" always:"easystack"`
	Swap         *int    `json:"swap,omitempty" since:"2.47" always:"easystack"`
	OriginalName *string `json:"original_name,omitempty" since:"2.47" always:"easystack"`

	ExtraSpecs canonical.Opt[map[string]string] `json:"extra_specs,omitzero" since:"2.47" always:"easystack"`
}

// serverImage is {id, links}, or "" for a server booted from a volume.
type serverImage struct {
	ID    string `json:"id"`
	Links []link `json:"links,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (i serverImage) MarshalJSON() ([]byte, error) {
	if i.ID == "" {
		return []byte(`""`), nil
	}
	type plain serverImage
	return json.Marshal(plain(i))
}

// UnmarshalJSON implements json.Unmarshaler.
func (i *serverImage) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '{' {
		*i = serverImage{}
		return nil
	}
	type plain serverImage
	return json.Unmarshal(b, (*plain)(i))
}

type address struct {
	Version int     `json:"version"`
	Addr    string  `json:"addr"`
	Type    *string `json:"OS-EXT-IPS:type,omitempty"`
	MAC     *string `json:"OS-EXT-IPS-MAC:mac_addr,omitempty"`
}

type volumeAttached struct {
	ID     string `json:"id"`
	Delete *bool  `json:"delete_on_termination,omitempty"` // since 2.3
}

type named struct {
	Name string `json:"name"`
}

type fault struct {
	Code    int     `json:"code"`
	Created string  `json:"created,omitempty"`
	Message string  `json:"message"`
	Details *string `json:"details,omitempty"`
}
