package canonical

import (
	"encoding/base64"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The operations on servers.
var (
	ListServers   = op[ServerList, Page[Server]]("server.list", Read, "GET /v1/servers")
	GetServer     = op[ServerGet, Server]("server.get", Read, "GET /v1/servers/{id}")
	CreateServer  = long[ServerCreate, ServersCreated]("server.create", Write, "POST /v1/servers")
	UpdateServer  = op[ServerUpdate, Server]("server.update", Write, "PATCH /v1/servers/{id}")
	DeleteServer  = long[ServerDelete, None]("server.delete", Delete, "DELETE /v1/servers/{id}")
	StartServer   = long[ServerStart, Server]("server.start", Write, "POST /v1/servers/{id}/start")
	StopServer    = long[ServerStop, Server]("server.stop", Write, "POST /v1/servers/{id}/stop")
	RebootServer  = long[ServerReboot, Server]("server.reboot", Write, "POST /v1/servers/{id}/reboot")
	RebuildServer = long[ServerRebuild, ServerWithPassword]("server.rebuild", Write, "POST /v1/servers/{id}/rebuild")
)

// ServerStatus is the state of a server, the same for every cloud.
type ServerStatus string

// The states. Dialects map their words to these; a word that they do not know is
// ServerUnknown and travels on in NativeStatus.
const (
	ServerBuilding         ServerStatus = "building"
	ServerRunning          ServerStatus = "running"
	ServerStopped          ServerStatus = "stopped"
	ServerPaused           ServerStatus = "paused"
	ServerSuspended        ServerStatus = "suspended"
	ServerRebooting        ServerStatus = "rebooting"
	ServerResizing         ServerStatus = "resizing"
	ServerVerifyResize     ServerStatus = "verify_resize"
	ServerRebuilding       ServerStatus = "rebuilding"
	ServerMigrating        ServerStatus = "migrating"
	ServerReverting        ServerStatus = "reverting"
	ServerPassword         ServerStatus = "password"
	ServerRescued          ServerStatus = "rescued"
	ServerShelved          ServerStatus = "shelved"
	ServerShelvedOffloaded ServerStatus = "shelved_offloaded"
	ServerSoftDeleted      ServerStatus = "soft_deleted"
	ServerDeleted          ServerStatus = "deleted"
	ServerError            ServerStatus = "error"
	ServerUnknown          ServerStatus = "unknown"
)

// ServerStatuses are all states.
var ServerStatuses = []ServerStatus{
	ServerBuilding, ServerRunning, ServerStopped, ServerPaused, ServerSuspended, ServerRebooting,
	ServerResizing, ServerVerifyResize, ServerRebuilding, ServerMigrating, ServerReverting, ServerPassword,
	ServerRescued, ServerShelved, ServerShelvedOffloaded, ServerSoftDeleted, ServerDeleted, ServerError,
	ServerUnknown,
}

// Power is what the machine itself does.
type Power string

// The power states.
const (
	PowerOn        Power = "on"
	PowerOff       Power = "off"
	PowerPaused    Power = "paused"
	PowerSuspended Power = "suspended"
	PowerCrashed   Power = "crashed"
	PowerUnknown   Power = "unknown"
)

// Powers are all power states.
var Powers = []Power{PowerOn, PowerOff, PowerPaused, PowerSuspended, PowerCrashed, PowerUnknown}

// ServerKind tells virtual machines from physical ones.
type ServerKind string

// The kinds of servers.
const (
	VM        ServerKind = "vm"
	BareMetal ServerKind = "baremetal"
)

// Server is a server of any cloud. Nothing is left out: scalars and objects that
// are not set are null, lists and maps that are empty are [] and {}.
type Server struct {
	ID                 ID                `json:"id"`
	Cloud              string            `json:"cloud"`
	Name               string            `json:"name"`
	Description        *string           `json:"description"`
	Kind               ServerKind        `json:"kind"`
	Status             ServerStatus      `json:"status"`
	NativeStatus       string            `json:"native_status"` // the dialect's own word
	Power              Power             `json:"power"`
	Task               *string           `json:"task"` // what the cloud is doing to it now
	Progress           int               `json:"progress"`
	Fault              *Fault            `json:"fault"`
	Flavor             ServerFlavor      `json:"flavor"`
	Image              *Link             `json:"image" of:"image"` // null when booted from a volume
	Addresses          []Address         `json:"addresses"`
	AccessIPv4         *string           `json:"access_ipv4"`
	AccessIPv6         *string           `json:"access_ipv6"`
	Volumes            []ServerVolume    `json:"volumes"`
	SecurityGroups     []Link            `json:"security_groups" of:"security_group"`
	Keypair            *string           `json:"keypair"`
	Metadata           map[string]string `json:"metadata"`
	Tags               []string          `json:"tags"`
	Locked             bool              `json:"locked"`
	LockReason         *string           `json:"lock_reason"`
	ConfigDrive        bool              `json:"config_drive"`
	AvailabilityZone   *string           `json:"availability_zone" of:"availability_zone"`
	Host               *string           `json:"host"` // this and the next five: operators only
	HostStatus         *string           `json:"host_status"`
	HypervisorHostname *string           `json:"hypervisor_hostname"`
	InstanceName       *string           `json:"instance_name"`
	HostID             *string           `json:"host_id"`
	Tenant             *string           `json:"tenant"`     // dragoman's tenant that owns it
	ProjectID          *string           `json:"project_id"` // the cloud's
	UserID             *string           `json:"user_id"`
	CreatedAt          *time.Time        `json:"created_at"`
	UpdatedAt          *time.Time        `json:"updated_at"`
	LaunchedAt         *time.Time        `json:"launched_at"`
	TerminatedAt       *time.Time        `json:"terminated_at"`
	DeletedAt          *time.Time        `json:"deleted_at"`
	PurgeAt            *time.Time        `json:"purge_at"` // when a recycle bin will let go of it
	// Native holds the fields of its own dialect that this model lacks, as they
	// are; filled only when asked for, never with secrets.
	Native map[string]any `json:"native,omitempty"`
}

// ListKeys implements Listed.
func (s Server) ListKeys() (ID, string, string) { return s.ID, s.Name, sortTime(s.CreatedAt) }

// Link points to another resource, with its name where the cloud tells it.
type Link struct {
	ID   ID      `json:"id"`
	Name *string `json:"name"`
}

// Fault is why a server is in ServerError.
type Fault struct {
	Code    int        `json:"code"`
	Message string     `json:"message"`
	Details *string    `json:"details"` // operators only
	At      *time.Time `json:"at"`
}

// ServerFlavor is the shape of a server as it was given to it.
type ServerFlavor struct {
	ID           *ID               `json:"id" of:"flavor"` // null: the cloud tells the shape only
	Name         *string           `json:"name"`
	VCPUs        *int              `json:"vcpus"`
	RAMMiB       *int              `json:"ram_mib"`
	DiskGiB      *int              `json:"disk_gib"`
	EphemeralGiB *int              `json:"ephemeral_gib"`
	SwapMiB      *int              `json:"swap_mib"`
	ExtraSpecs   map[string]string `json:"extra_specs"`
}

// AddressKind tells addresses of the server's own ports from mapped ones.
type AddressKind string

// The kinds of addresses.
const (
	FixedAddress    AddressKind = "fixed"
	FloatingAddress AddressKind = "floating"
)

// Address is one address of a server.
type Address struct {
	Network     string      `json:"network"` // name
	NetworkID   *ID         `json:"network_id" of:"network"`
	IP          string      `json:"ip"`
	Version     int         `json:"version"` // 4 or 6
	MAC         *string     `json:"mac"`
	Kind        AddressKind `json:"kind"`
	InterfaceID *ID         `json:"interface_id" of:"interface"`
}

// ServerVolume is a volume as its server sees it.
type ServerVolume struct {
	ID               ID      `json:"id" of:"volume"`
	Device           *string `json:"device"`
	BootIndex        *int    `json:"boot_index"`
	DeleteWithServer *bool   `json:"delete_with_server"`
}

// ServerList asks for servers.
type ServerList struct {
	ListOptions
	ID               ID           `json:"-" query:"id" doc:"Exact id"`
	Name             string       `json:"-" query:"name" doc:"Exact name"`
	NamePrefix       string       `json:"-" query:"name_prefix" doc:"Beginning of the name"`
	Status           ServerStatus `json:"-" query:"status" doc:"State; soft_deleted servers are listed only when asked for"`
	Flavor           ID           `json:"-" query:"flavor" of:"flavor" doc:"Id of the flavor"`
	Image            ID           `json:"-" query:"image" of:"image" doc:"Id of the image"`
	AvailabilityZone Ref          `json:"-" query:"availability_zone" of:"availability_zone" doc:"Zone: its id or its name"`
	Host             string       `json:"-" query:"host" doc:"Host that it runs on; operators only"`
	Keypair          string       `json:"-" query:"keypair" doc:"Name of the keypair"`
	Tags             string       `json:"-" query:"tags" doc:"Tags with commas between: those that have all of them"`
	TagsAny          string       `json:"-" query:"tags_any" doc:"Those that have one of them at least"`
	NotTags          string       `json:"-" query:"not_tags" doc:"Those that lack one of them at least"`
	NotTagsAny       string       `json:"-" query:"not_tags_any" doc:"Those that have none of them"`
	// ChangedSince asks for what changed: servers as they are now, and the deleted ones
	// with their last state as far as the cloud remembers them. A server of which the
	// cloud does not tell when it changed is among them.
	ChangedSince *time.Time `json:"-" query:"changed_since" doc:"Those that changed at that time or later (RFC 3339), the deleted ones too"`
}

// Validate implements the check of requests.
func (r ServerList) Validate() error {
	if r.Status != "" && !slices.Contains(ServerStatuses, r.Status) {
		return Invalid("status", "is not a state of servers")
	}
	return r.ListOptions.Validate()
}

// Match says whether s passes the filters; clouds that cannot filter use it.
func (r ServerList) Match(s *Server) bool {
	same := func(want string, got *string) bool { return want == "" || got != nil && *got == want }
	switch {
	case r.ID != "" && s.ID != r.ID, r.Status != "" && s.Status != r.Status, !r.shows(s.Status), r.ChangedSince != nil && s.changedBefore(*r.ChangedSince):
		return false
	case r.Flavor != "" && (s.Flavor.ID == nil || *s.Flavor.ID != r.Flavor):
		return false
	case r.Image != "" && (s.Image == nil || s.Image.ID != r.Image):
		return false
	default:
		return (r.Name == "" || s.Name == r.Name) && strings.HasPrefix(s.Name, r.NamePrefix) &&
			same(string(r.AvailabilityZone), s.AvailabilityZone) && same(r.Host, s.Host) && same(r.Keypair, s.Keypair) &&
			r.matchTags(s.Tags)
	}
}

// shows says whether servers of that state are listed: what is deleted only for who asks.
func (r ServerList) shows(s ServerStatus) bool {
	return r.Status != "" || r.ChangedSince != nil || s != ServerSoftDeleted && s != ServerDeleted
}

// changedBefore says whether the last change of a server is known, and was before t. A
// time is known to the second in some clouds, so that is how it is compared.
func (s *Server) changedBefore(t time.Time) bool {
	for _, at := range []*time.Time{s.UpdatedAt, s.DeletedAt} {
		if at != nil && !at.Before(t.Truncate(time.Second)) {
			return false
		}
	}
	return s.UpdatedAt != nil || s.DeletedAt != nil
}

// ByTags says whether the list is filtered by tags.
func (r ServerList) ByTags() bool { return r.Tags+r.TagsAny+r.NotTags+r.NotTagsAny != "" }

func (r ServerList) matchTags(tags []string) bool {
	all := func(words string) bool {
		return !slices.ContainsFunc(strings.Split(words, ","), func(w string) bool { return !slices.Contains(tags, w) })
	}
	one := func(words string) bool {
		return slices.ContainsFunc(strings.Split(words, ","), func(w string) bool { return slices.Contains(tags, w) })
	}
	return (r.Tags == "" || all(r.Tags)) && (r.TagsAny == "" || one(r.TagsAny)) &&
		(r.NotTags == "" || !all(r.NotTags)) && (r.NotTagsAny == "" || !one(r.NotTagsAny))
}

// ServerGet names one server.
type ServerGet struct {
	ID ID `json:"-" path:"id"`
}

// ServerStart starts a stopped server.
type ServerStart struct {
	ID ID `json:"-" path:"id"`
}

// ServerStop stops a running server.
type ServerStop struct {
	ID    ID   `json:"-" path:"id"`
	Force bool `json:"force,omitempty" doc:"Cut the power instead of asking the guest"`
}

// ServerDelete deletes a server in any state.
type ServerDelete struct {
	ID ID `json:"-" path:"id"`
}

// RebootKind is how a server is rebooted.
type RebootKind string

// The kinds of reboots.
const (
	RebootSoft RebootKind = "soft" // ask the guest
	RebootHard RebootKind = "hard" // power off and on
)

// ServerReboot reboots a server.
type ServerReboot struct {
	ID   ID         `json:"-" path:"id"`
	Kind RebootKind `json:"kind,omitempty" enum:"soft,hard" doc:"soft (the default) asks the guest, hard cuts the power"`
}

// Validate implements the check of requests.
func (r ServerReboot) Validate() error {
	switch r.Kind {
	case "", RebootSoft, RebootHard:
		return nil
	default:
		return Invalid("kind", "must be soft or hard")
	}
}

// ServerRebuild installs an image anew on the root disk.
type ServerRebuild struct {
	ID            ID                     `json:"-" path:"id"`
	Image         Ref                    `json:"image" of:"image" doc:"Image: an id or a name"`
	Name          Opt[string]            `json:"name,omitzero"`
	Description   Opt[string]            `json:"description,omitzero"`
	AdminPassword string                 `json:"admin_password,omitempty"`
	Metadata      Opt[map[string]string] `json:"metadata,omitzero" doc:"Replaces the metadata"`
	UserData      Opt[string]            `json:"user_data,omitzero" doc:"Base64; null removes it"`
	Keypair       Opt[Ref]               `json:"keypair,omitzero" of:"keypair" doc:"Keypair: its name or id; null removes it"`
}

// Validate implements the check of requests.
func (r ServerRebuild) Validate() error {
	if r.Image == "" {
		return Invalid("image", "is required")
	}
	return validateMetadata(maps.Keys(r.Metadata.Or(nil)), maps.Values(r.Metadata.Or(nil)))
}

// ServerUpdate changes what is given, by the rules of JSON merge patch (RFC 7396).
type ServerUpdate struct {
	ID          ID                          `json:"-" path:"id"`
	Name        Opt[string]                 `json:"name,omitzero"`
	Description Opt[string]                 `json:"description,omitzero"`
	AccessIPv4  Opt[string]                 `json:"access_ipv4,omitzero"`
	AccessIPv6  Opt[string]                 `json:"access_ipv6,omitzero"`
	Metadata    Opt[map[string]Opt[string]] `json:"metadata,omitzero" doc:"Keys that are given change; null removes a key"`
	Tags        Opt[[]string]               `json:"tags,omitzero" doc:"Replaces the tags"`
}

// Validate implements the check of requests.
func (r ServerUpdate) Validate() error {
	if n, ok := r.Name.Get(); r.Name.IsNull() || ok && strings.TrimSpace(n) == "" {
		return Invalid("name", "must not be empty")
	} else if ok && len([]rune(n)) > 255 {
		return Invalid("name", "is longer than 255 characters")
	}
	if err := validateAccess(r.AccessIPv4.Or(""), r.AccessIPv6.Or("")); err != nil {
		return err
	}
	if err := validateTags(r.Tags.Or(nil)); err != nil {
		return err
	}
	return validateChanges(r.Metadata)
}

// validateAccess checks access addresses; "" is none.
func validateAccess(v4, v6 string) error {
	if a, err := netip.ParseAddr(v4); v4 != "" && (err != nil || !a.Is4()) {
		return Invalid("access_ipv4", "is not an IPv4 address")
	}
	if a, err := netip.ParseAddr(v6); v6 != "" && (err != nil || !a.Is6() || a.Zone() != "") {
		return Invalid("access_ipv6", "is not an IPv6 address")
	}
	return nil
}

// maxMetadata is the most characters that a key or a value of metadata has in every
// dialect (easystack.server.create; Nova's schema).
const maxMetadata = 255

func validateMetadata(keys, values iter.Seq[string]) error {
	for key := range keys {
		if key == "" || utf8.RuneCountInString(key) > maxMetadata {
			return Invalid("metadata", "keys have 1 to %d characters", maxMetadata)
		}
	}
	for value := range values {
		if utf8.RuneCountInString(value) > maxMetadata {
			return Invalid("metadata", "values have at most %d characters", maxMetadata)
		}
	}
	return nil
}

// ServerCreate asks for one server or several alike.
type ServerCreate struct {
	Name             string               `json:"name" doc:"With count over 1, -1 to -count is appended"`
	Description      string               `json:"description,omitempty"`
	Cloud            string               `json:"cloud,omitempty" doc:"Cloud to place it on"`
	Flavor           Ref                  `json:"flavor" of:"flavor" doc:"Flavor: an id or a name"`
	Image            Ref                  `json:"image,omitempty" of:"image" doc:"Image: an id or a name"`
	Volumes          []ServerVolumeCreate `json:"volumes,omitempty" doc:"Volumes to make or attach; the one with boot_index 0 replaces the image"`
	Networks         Networks             `json:"networks,omitzero" doc:"Networks to join, or auto (the default) or none"`
	Keypair          Ref                  `json:"keypair,omitempty" of:"keypair" doc:"Keypair: its name or id"`
	AdminPassword    string               `json:"admin_password,omitempty"`
	UserData         string               `json:"user_data,omitempty" doc:"Base64, at most 65535 bytes encoded"`
	Files            []File               `json:"files,omitempty"`
	Metadata         map[string]string    `json:"metadata,omitempty"`
	Tags             []string             `json:"tags,omitempty"`
	SecurityGroups   []Ref                `json:"security_groups,omitempty" of:"security_group" doc:"For networks that name none of their own"`
	AvailabilityZone Ref                  `json:"availability_zone,omitempty" of:"availability_zone" doc:"Zone: its id, which names the cloud too, or its name"`
	Host             string               `json:"host,omitempty" doc:"Host to run on; operators only"`
	ServerGroup      Ref                  `json:"server_group,omitempty" of:"server_group" doc:"Server group: an id or a name"`
	SchedulerHints   map[string]any       `json:"scheduler_hints,omitempty"`
	ConfigDrive      *bool                `json:"config_drive,omitempty"`
	RootDiskGiB      int                  `json:"root_disk_gib,omitempty"`
	AccessIPv4       string               `json:"access_ipv4,omitempty"`
	AccessIPv6       string               `json:"access_ipv6,omitempty"`
	Count            int                  `json:"count,omitempty" minimum:"1" maximum:"100" doc:"1 (the default) to 100, all or none"`
	Native           map[string]any       `json:"native,omitempty" doc:"Fields of the cloud's own dialect"`
}

// File is written into the guest when it is made.
type File struct {
	Path     string `json:"path"`
	Contents string `json:"contents"` // base64
}

// ServerVolumeCreate is a volume of a new server.
type ServerVolumeCreate struct {
	Volume           Ref    `json:"volume,omitempty" of:"volume" doc:"An existing volume: an id or a name"`
	Image            Ref    `json:"image,omitempty" of:"image" doc:"Make it from this image"`
	Snapshot         Ref    `json:"snapshot,omitempty" of:"volume_snapshot" doc:"Make it from this snapshot: an id or a name"`
	SizeGiB          int    `json:"size_gib,omitempty"`
	Type             string `json:"type,omitempty"`
	BootIndex        *int   `json:"boot_index,omitempty" doc:"0: boot from it"`
	Device           string `json:"device,omitempty"`
	DeleteWithServer bool   `json:"delete_with_server,omitempty"`
}

// maxUserData is the most that every dialect takes, in encoded bytes
// (easystack.server.create; Nova's schema).
const maxUserData = 65535

// Validate implements the check of requests.
func (r ServerCreate) Validate() error {
	switch {
	case strings.TrimSpace(r.Name) == "":
		return Invalid("name", "is required")
	case len([]rune(r.Name)) > 255:
		return Invalid("name", "is longer than 255 characters")
	case r.Flavor == "":
		return Invalid("flavor", "is required")
	case r.Image == "" && !r.bootsFromVolume():
		return Invalid("image", "is required, or a volume with boot_index 0")
	case r.Count < 0 || r.Count > 100:
		return Invalid("count", "must be 1 to 100")
	case r.RootDiskGiB < 0:
		return Invalid("root_disk_gib", "must not be negative")
	case len(r.UserData) > maxUserData:
		return Invalid("user_data", "is over %d bytes", maxUserData)
	}
	if _, err := base64.StdEncoding.DecodeString(r.UserData); err != nil {
		return Invalid("user_data", "is not base64")
	}
	for i, f := range r.Files {
		if f.Path == "" {
			return Invalid(sprintf("files.%d.path", i), "is required")
		}
		if _, err := base64.StdEncoding.DecodeString(f.Contents); err != nil {
			return Invalid(sprintf("files.%d.contents", i), "is not base64")
		}
	}
	if err := validateMetadata(maps.Keys(r.Metadata), maps.Values(r.Metadata)); err != nil {
		return err
	}
	if err := validateAccess(r.AccessIPv4, r.AccessIPv6); err != nil {
		return err
	}
	return r.Networks.validate()
}

func (r ServerCreate) bootsFromVolume() bool {
	return slices.ContainsFunc(r.Volumes, func(v ServerVolumeCreate) bool { return v.BootIndex != nil && *v.BootIndex == 0 })
}

// HowMany is the count, 1 where none is given.
func (r ServerCreate) HowMany() int { return max(r.Count, 1) }

// NameOf is the name of the i-th of the servers, counted from 0.
func (r ServerCreate) NameOf(i int) string {
	if r.HowMany() == 1 {
		return r.Name
	}
	return sprintf("%s-%d", r.Name, i+1)
}

// ServersCreated is what a create made.
type ServersCreated struct {
	Servers []ServerWithPassword `json:"servers"`
}

// ServerWithPassword is a server and the password of its administrator.
type ServerWithPassword struct {
	Server
	AdminPassword *string `json:"admin_password"` // told once, and only where the cloud tells it
}
