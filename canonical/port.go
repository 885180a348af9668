package canonical

import (
	"net"
	"time"
)

// The operations on ports. What a server has of one is its interface.
var (
	ListPorts  = op[PortList, Page[Port]]("port.list", Read, "GET /v1/ports")
	GetPort    = op[PortGet, Port]("port.get", Read, "GET /v1/ports/{id}")
	CreatePort = op[PortCreate, Port]("port.create", Write, "POST /v1/ports")
	UpdatePort = op[PortUpdate, Port]("port.update", Write, "PATCH /v1/ports/{id}")
	DeletePort = op[PortDelete, None]("port.delete", Delete, "DELETE /v1/ports/{id}")
)

// Port is a place on a network that a server, or something else, takes.
type Port struct {
	ID             ID            `json:"id"`
	Cloud          string        `json:"cloud"`
	Name           string        `json:"name"`
	Description    *string       `json:"description"`
	NetworkID      ID            `json:"network_id" of:"network"`
	MAC            string        `json:"mac"`
	AdminUp        bool          `json:"admin_up"`
	Status         NetworkStatus `json:"status"`
	NativeStatus   string        `json:"native_status"`
	FixedIPs       []FixedIP     `json:"fixed_ips"`
	SecurityGroups []ID          `json:"security_groups" of:"security_group"`
	ServerID       *ID           `json:"server_id" of:"server"` // whose interface it is
	// Device is what has the port as the cloud names it, and DeviceOwner the kind of
	// that: "compute:az1" is a server of that zone, "network:dhcp" what tells addresses.
	Device       *string        `json:"device"`
	DeviceOwner  *string        `json:"device_owner"`
	AddressPairs []AddressPair  `json:"address_pairs"` // what else may be sent from it
	PortSecurity *bool          `json:"port_security"` // false: it is not filtered
	VNICType     *string        `json:"vnic_type"`
	Host         *string        `json:"host"` // operators only
	Tags         []string       `json:"tags"`
	Revision     *int           `json:"revision"`
	ProjectID    *string        `json:"project_id"`
	CreatedAt    *time.Time     `json:"created_at"`
	UpdatedAt    *time.Time     `json:"updated_at"`
	Native       map[string]any `json:"native,omitempty"`
}

// FixedIP is an address of a subnet.
type FixedIP struct {
	IP       string `json:"ip,omitempty"`
	SubnetID ID     `json:"subnet_id,omitempty" of:"subnet"`
}

// AddressPair is an address that a port may send from beside its own.
type AddressPair struct {
	IP  string `json:"ip"` // or a CIDR
	MAC string `json:"mac,omitempty"`
}

// ListKeys implements Listed.
func (p Port) ListKeys() (ID, string, string) { return p.ID, p.Name, sortTime(p.CreatedAt) }

func (p *Port) setCloud(name string) { p.Cloud = name }

// PortList asks for ports.
type PortList struct {
	ListOptions
	Name       string        `json:"-" query:"name" doc:"Exact name"`
	NamePrefix string        `json:"-" query:"name_prefix" doc:"Beginning of the name"`
	Status     NetworkStatus `json:"-" query:"status" enum:"active,down,building,error,unknown"`
	Network    ID            `json:"-" query:"network" of:"network" doc:"Id of the network"`
	Server     ID            `json:"-" query:"server" of:"server" doc:"Id of the server whose interfaces they are"`
	MAC        string        `json:"-" query:"mac"`
}

// Match says whether p passes the filters.
func (r PortList) Match(p *Port) bool {
	return matchName(p.Name, r.Name, r.NamePrefix) && (r.Status == "" || p.Status == r.Status) &&
		(r.Network == "" || p.NetworkID == r.Network) && (r.MAC == "" || p.MAC == r.MAC) &&
		(r.Server == "" || p.ServerID != nil && *p.ServerID == r.Server)
}

// PortGet names one port.
type PortGet struct {
	ID ID `json:"-" path:"id"`
}

// PortCreate asks for a port.
type PortCreate struct {
	Network        Ref            `json:"network" of:"network" doc:"Network that it is on: an id or a name"`
	Name           string         `json:"name,omitempty"`
	Cloud          string         `json:"cloud,omitempty" doc:"Cloud to make it on"`
	Description    string         `json:"description,omitempty"`
	MAC            string         `json:"mac,omitempty"`
	AdminUp        *bool          `json:"admin_up,omitempty" doc:"true is the default"`
	FixedIPs       Opt[[]FixedIP] `json:"fixed_ips,omitzero" doc:"One free address of each version if not given; [] for none"`
	SecurityGroups Opt[[]Ref]     `json:"security_groups,omitzero" of:"security_group" doc:"The default group if not given; [] for none"`
	Device         string         `json:"device,omitempty" doc:"What has it, as the cloud names that"`
	DeviceOwner    string         `json:"device_owner,omitempty"`
	AddressPairs   []AddressPair  `json:"address_pairs,omitempty"`
	PortSecurity   *bool          `json:"port_security,omitempty" doc:"false: it is not filtered"`
	VNICType       string         `json:"vnic_type,omitempty" doc:"normal is the default"`
	Host           string         `json:"host,omitempty" doc:"Host that it is on; operators only"`
	Tags           []string       `json:"tags,omitempty"`
}

// Validate implements the check of requests.
func (r PortCreate) Validate() error {
	if r.Network == "" {
		return Invalid("network", "is required")
	}
	return firstError(validChanges(Some(r.Name), Some(r.Description), Some(r.Tags)), validMAC("mac", r.MAC),
		validFixedIPs(r.FixedIPs), validPairs(r.AddressPairs))
}

func validMAC(field, mac string) error {
	if hw, err := net.ParseMAC(mac); mac != "" && (err != nil || len(hw) != 6) {
		return Invalid(field, "is not a MAC address")
	}
	return nil
}

func validFixedIPs(o Opt[[]FixedIP]) error {
	for i, f := range o.Or(nil) {
		at := sprintf("fixed_ips.%d", i)
		if f.IP == "" && f.SubnetID == "" {
			return Invalid(at, "takes an address or a subnet, or both")
		}
		if err := validIP(at+".ip", f.IP); err != nil {
			return err
		}
	}
	return nil
}

func validPairs(all []AddressPair) error {
	for i, p := range all {
		at := sprintf("address_pairs.%d", i)
		if p.IP == "" || validIP("", p.IP) != nil && validCIDR("", p.IP) != nil {
			return Invalid(at+".ip", "is neither an IP address nor a range of them")
		}
		if err := validMAC(at+".mac", p.MAC); err != nil {
			return err
		}
	}
	return nil
}

// PortUpdate changes what is given.
type PortUpdate struct {
	ID             ID                 `json:"-" path:"id"`
	Name           Opt[string]        `json:"name,omitzero"`
	Description    Opt[string]        `json:"description,omitzero"`
	MAC            Opt[string]        `json:"mac,omitzero" doc:"Operators only"`
	AdminUp        Opt[bool]          `json:"admin_up,omitzero"`
	FixedIPs       Opt[[]FixedIP]     `json:"fixed_ips,omitzero" doc:"Replaces the addresses"`
	SecurityGroups Opt[[]Ref]         `json:"security_groups,omitzero" of:"security_group" doc:"Replaces the groups"`
	Device         Opt[string]        `json:"device,omitzero" doc:"What has it, as the cloud names that"`
	DeviceOwner    Opt[string]        `json:"device_owner,omitzero"`
	AddressPairs   Opt[[]AddressPair] `json:"address_pairs,omitzero" doc:"Replaces the pairs"`
	PortSecurity   Opt[bool]          `json:"port_security,omitzero"`
	VNICType       Opt[string]        `json:"vnic_type,omitzero"`
	Host           Opt[string]        `json:"host,omitzero" doc:"Operators only"`
	Tags           Opt[[]string]      `json:"tags,omitzero" doc:"Replaces the tags"`
}

// Validate implements the check of requests.
func (r PortUpdate) Validate() error {
	switch {
	case r.AdminUp.IsNull():
		return Invalid("admin_up", "must not be null")
	case r.MAC.IsNull():
		return Invalid("mac", "must not be null")
	}
	return firstError(validChanges(r.Name, r.Description, r.Tags), validMAC("mac", r.MAC.Or("")),
		validFixedIPs(r.FixedIPs), validPairs(r.AddressPairs.Or(nil)))
}

// PortDelete deletes a port; a server that has it loses the interface.
type PortDelete struct {
	ID ID `json:"-" path:"id"`
}
