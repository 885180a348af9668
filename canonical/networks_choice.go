package canonical

import (
	"encoding/json"
	"net/netip"
)

// NetworksMode is how a new server's networks are chosen.
type NetworksMode string

// The modes. The zero value is NetworksUnset, which clouds treat as auto.
const (
	NetworksUnset NetworksMode = ""
	NetworksAuto  NetworksMode = "auto"
	NetworksNone  NetworksMode = "none"
	NetworksList  NetworksMode = "list"
)

// Networks are a new server's networks: a list, or the word "auto" or "none".
type Networks struct {
	Mode NetworksMode
	List []NetworkChoice // with NetworksList
}

// NetworkChoice is one network, or one existing interface, for a new server.
type NetworkChoice struct {
	Network        Ref    `json:"network,omitempty" of:"network" doc:"Network: an id or a name"`
	Subnet         ID     `json:"subnet,omitempty" of:"subnet"`
	IP             string `json:"ip,omitempty"`
	Interface      ID     `json:"interface,omitempty" of:"interface" doc:"An existing interface instead of a network"`
	SecurityGroups []Ref  `json:"security_groups,omitempty" of:"security_group"`
}

// IsZero says whether nothing was chosen.
func (n Networks) IsZero() bool { return n.Mode == NetworksUnset }

// MarshalJSON implements json.Marshaler.
func (n Networks) MarshalJSON() ([]byte, error) {
	if n.Mode == NetworksList {
		if n.List == nil {
			return []byte("[]"), nil
		}
		return json.Marshal(n.List)
	}
	return json.Marshal(string(n.Mode))
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Networks) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		n.Mode = NetworksList
		return json.Unmarshal(data, &n.List)
	}
	var word string
	if err := json.Unmarshal(data, &word); err != nil {
		return err
	}
	if word != string(NetworksAuto) && word != string(NetworksNone) {
		return Invalid("networks", `must be a list, "auto" or "none"`)
	}
	n.Mode = NetworksMode(word)
	return nil
}

func (n Networks) validate() error {
	for i, c := range n.List {
		if (c.Network == "") == (c.Interface == "") {
			return Invalid(sprintf("networks.%d", i), "takes a network or an interface, one of them")
		}
		if c.IP != "" {
			if _, err := netip.ParseAddr(c.IP); err != nil {
				return Invalid(sprintf("networks.%d.ip", i), "is not an IP address")
			}
		}
	}
	return nil
}
