package kvm

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// address is where a libvirtd is and how it is reached.
type address struct {
	text   string // without secrets, for logs and errors
	driver string // what the daemon is asked to open: qemu:///system
	local  bool   // the daemon runs on this machine
	dial   func(ctx context.Context) (net.Conn, error)
}

const defaultSocket = "/var/run/libvirt/libvirt-sock"

// transports are the ways to a libvirtd, by the part of the scheme after the plus,
// with the query keys that each understands (libvirt.org/uri.html).
var transports = map[string]struct {
	keys []string
	dial func(u *url.URL) (func(context.Context) (net.Conn, error), error)
}{
	"unix": {[]string{"socket"}, dialUnix},
	"ssh":  {[]string{"socket", "keyfile", "known_hosts", "no_verify"}, dialSSH},
	"tls":  {[]string{"pkipath", "no_verify"}, dialTLS},
}

// parseURI reads a libvirt URI: qemu:///system, qemu:///session?socket=,
// qemu+ssh://user@host:port/system and qemu+tls://host:port/system. It refuses by
// name what it would have to ignore, and plain TCP, which protects nothing.
func parseURI(raw string) (address, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return address{}, canonical.Invalid("uri", "is not a URI") // the error would repeat a password
	}
	driver, way, _ := strings.Cut(u.Scheme, "+")
	switch {
	case way == "" && u.Host != "":
		way = "tls" // libvirt's own rule
	case way == "":
		way = "unix"
	}
	t, ok := transports[way]
	switch {
	case driver != "qemu":
		return address{}, canonical.Invalid("uri", "must begin with qemu:, qemu+ssh: or qemu+tls:")
	case !ok:
		return address{}, canonical.Invalid("uri", "transport %q is not supported: use none, ssh or tls", way)
	case u.Path != "/system" && u.Path != "/session":
		return address{}, canonical.Invalid("uri", "must end in /system or /session")
	case way == "unix" && u.Host != "", way != "unix" && u.Hostname() == "":
		return address{}, canonical.Invalid("uri", "host %q does not suit transport %q", u.Host, way)
	}
	if _, has := u.User.Password(); has {
		return address{}, canonical.Invalid("uri", "must not hold a password: use a key")
	}
	for key := range u.Query() {
		if !slices.Contains(t.keys, key) {
			return address{}, canonical.Invalid("uri", "key %q is unknown; %s takes %s", key, way, strings.Join(t.keys, ", "))
		}
	}
	dial, err := t.dial(u)
	return address{text: u.Redacted(), driver: driver + "://" + u.Path, local: way == "unix", dial: dial}, err
}

func dialUnix(u *url.URL) (func(context.Context) (net.Conn, error), error) {
	socket := u.Query().Get("socket")
	if socket == "" {
		socket = defaultSocket
	}
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}, nil
}

// hostPort is where a remote URI leads, with the port that it leaves out.
func hostPort(u *url.URL, port string) string {
	if p := u.Port(); p != "" {
		port = p
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// switchedOn reads a key that is a number, of which all but 0 mean yes.
func switchedOn(u *url.URL, key string) (bool, error) {
	switch v := u.Query().Get(key); v {
	case "", "0":
		return false, nil
	case "1":
		return true, nil
	default:
		return false, canonical.Invalid("uri", "%s must be 0 or 1, not %q", key, v)
	}
}
