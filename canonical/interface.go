package canonical

// The operations on the interfaces of servers.
var (
	ListInterfaces  = op[InterfaceList, Page[Interface]]("interface.list", Read, "GET /v1/servers/{id}/interfaces")
	GetInterface    = op[InterfaceGet, Interface]("interface.get", Read, "GET /v1/servers/{id}/interfaces/{interface}")
	AttachInterface = op[InterfaceAttach, Interface]("interface.attach", Write, "POST /v1/servers/{id}/interfaces")
	DetachInterface = op[InterfaceDetach, None]("interface.detach", Delete, "DELETE /v1/servers/{id}/interfaces/{interface}")
)

// Interface is a port as its server has it; its id is the port's.
type Interface struct {
	ID           ID            `json:"id"`
	Cloud        string        `json:"cloud"`
	NetworkID    ID            `json:"network_id" of:"network"`
	MAC          string        `json:"mac"`
	State        NetworkStatus `json:"state"`
	NativeStatus string        `json:"native_status"`
	FixedIPs     []FixedIP     `json:"fixed_ips"`
	Tag          *string       `json:"tag"` // by which the guest finds it
}

// ListKeys implements Listed.
func (i Interface) ListKeys() (ID, string, string) { return i.ID, "", "" }

func (i *Interface) setCloud(name string) { i.Cloud = name }

// InterfaceList asks for the interfaces of a server.
type InterfaceList struct {
	ListOptions
	ID ID `json:"-" path:"id" of:"server"`
}

// InterfaceGet names one interface of a server.
type InterfaceGet struct {
	ID        ID `json:"-" path:"id" of:"server"`
	Interface ID `json:"-" path:"interface" of:"interface"`
}

// InterfaceAttach gives a server an interface: a new one on a network, or a port that
// is free. With neither the cloud chooses, if the tenant has only one network.
type InterfaceAttach struct {
	ID        ID     `json:"-" path:"id" of:"server"`
	Network   Ref    `json:"network,omitempty" of:"network" doc:"Network: an id or a name"`
	IP        string `json:"ip,omitempty" doc:"Address on the network"`
	Interface ID     `json:"interface,omitempty" of:"interface" doc:"A port that is free, instead of a network"`
	Tag       string `json:"tag,omitempty" doc:"By which the guest finds it"`
}

// Validate implements the check of requests.
func (r InterfaceAttach) Validate() error {
	switch {
	case r.Interface != "" && r.Network != "":
		return Invalid("interface", "is given instead of a network")
	case r.IP != "" && r.Network == "":
		return Invalid("ip", "needs a network")
	}
	return validIP("ip", r.IP)
}

// InterfaceDetach takes an interface from a server. A port that was made for the
// server is deleted; another is free again. The cloud may take seconds for it.
type InterfaceDetach struct {
	ID        ID `json:"-" path:"id" of:"server"`
	Interface ID `json:"-" path:"interface" of:"interface"`
}
