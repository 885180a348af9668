package seed

import (
	"bytes"
	"encoding/base64"
	"net"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// MaxUserData is the most bytes that user data may have, encoded.
const MaxUserData = 64<<10 - 1

// Server is what a server's operating system is told.
type Server struct {
	ID            canonical.ID // a new one makes the guest run its first boot again
	Hostname      string       // see Hostname
	PublicKeys    []string     // as in authorized_keys
	AdminPassword string       // of the image's default user; "": none
	UserData      string       // base64; "": none
	Files         []canonical.File
	NICs          []NIC // none: the guest does as it likes
}

// NIC is an interface, known by its address.
type NIC struct {
	MAC       net.HardwareAddr
	Addresses []netip.Prefix // static, with the length of their network; none: by DHCP
	Gateways  []netip.Addr   // of default routes, at most one of each family
	DNS       []netip.Addr
	MTU       int // 0: the guest's default
}

// Build is the ISO image for a server. It answers InvalidRequest, by field, for what
// cannot be told to a guest.
func Build(s Server) ([]byte, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	meta, err := s.metaData()
	if err != nil {
		return nil, err
	}
	user, err := s.userData()
	if err != nil {
		return nil, err
	}
	files := []isoFile{{"meta-data", meta}, {"user-data", user}}
	if len(s.NICs) > 0 {
		network, err := s.networkConfig()
		if err != nil {
			return nil, err
		}
		files = append(files, isoFile{"network-config", network})
	}
	return writeISO("cidata", files), nil
}

// Hostname makes a host name of a server's name: letters, digits and dashes, in lower
// case, at most 63 of them; fallback where nothing is left.
func Hostname(name, fallback string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			b.WriteRune(r)
		case r == ' ', r == '_', r == '.':
			b.WriteByte('-')
		}
	}
	host := strings.Trim(b.String(), "-")
	host = strings.Trim(host[:min(len(host), 63)], "-")
	if host == "" {
		return fallback
	}
	return host
}

func (s Server) validate() error {
	switch {
	case s.ID == "" || !printable(string(s.ID)):
		return canonical.Invalid("id", "is required")
	case s.Hostname == "" || s.Hostname != Hostname(s.Hostname, ""):
		return canonical.Invalid("hostname", "is no host name")
	case !printable(s.AdminPassword):
		return canonical.Invalid("admin_password", "holds characters that cannot be typed")
	}
	for i, k := range s.PublicKeys {
		if k == "" || !printable(k) {
			return canonical.Invalid(index("keypair", i, ""), "is no line of authorized_keys")
		}
	}
	for i, f := range s.Files {
		if !strings.HasPrefix(f.Path, "/") || !printable(f.Path) {
			return canonical.Invalid(index("files", i, "path"), "must begin with / and be printable")
		}
	}
	for i, n := range s.NICs {
		if err := n.validate(i); err != nil {
			return err
		}
	}
	return nil
}

func (n NIC) validate(i int) error {
	if len(n.MAC) != 6 {
		return canonical.Invalid(index("networks", i, "mac"), "is no MAC address")
	}
	for _, a := range n.Addresses {
		if !a.IsValid() {
			return canonical.Invalid(index("networks", i, "ip"), "is no address")
		}
	}
	for _, g := range n.Gateways {
		if !g.IsValid() {
			return canonical.Invalid(index("networks", i, "gateway"), "is no address")
		}
	}
	for _, d := range n.DNS {
		if !d.IsValid() {
			return canonical.Invalid(index("networks", i, "dns"), "is no address")
		}
	}
	if n.MTU < 0 || n.MTU > 65535 {
		return canonical.Invalid(index("networks", i, "mtu"), "is out of range")
	}
	return nil
}

// printable keeps to one line of text, which is all that the guest's tools take.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// userData is the caller's, ours, or both in one message; never nothing, for NoCloud
// asks for the file.
func (s Server) userData() ([]byte, error) {
	theirs, err := decode("user_data", s.UserData)
	if err != nil {
		return nil, err
	}
	ours, err := s.cloudConfig(len(theirs) > 0)
	if err != nil {
		return nil, err
	}
	switch {
	case len(theirs) == 0:
		return ours, nil
	case s.AdminPassword == "" && len(s.Files) == 0:
		return theirs, nil
	default:
		return joined(theirs, ours), nil
	}
}

// decode reads base64 of a field, within the limit.
func decode(field, text string) ([]byte, error) {
	if len(text) > MaxUserData {
		return nil, canonical.Invalid(field, "is over %d bytes", MaxUserData)
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, canonical.Invalid(field, "is not base64")
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil // a mark that hides "#!" from agents
}
