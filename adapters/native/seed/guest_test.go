package seed

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/guest"
)

// TestGuest boots a real guest from a seed and hears what it made of it.
func TestGuest(t *testing.T) {
	const bootTime = 2 * time.Minute
	disk := guest.Image(t)
	address := "52:54:00:12:34:56"
	s := Server{
		ID: id, Hostname: "web-1", PublicKeys: []string{key}, AdminPassword: `p'a"s: #w$d`,
		Files:    []canonical.File{{Path: "/etc/it's here", Contents: b64("from a file\n")}},
		UserData: b64("#!/bin/sh\ncat \"/etc/it's here\" /root/.ssh/authorized_keys\nip route\n"),
		NICs: []NIC{{
			MAC: mac(address), MTU: 1400,
			Addresses: []netip.Prefix{prefix("10.0.2.77/24")}, Gateways: []netip.Addr{addr("10.0.2.2")},
		}},
	}
	image, err := Build(s)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "seed.iso")
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	m := guest.Boot(t, guest.Options{Disk: disk, Seed: path, MAC: address})
	for _, said := range []string{
		"password set", "nic eth0 " + address + " 10.0.2.77/24",
		"from a file", key, "default via 10.0.2.2", "ready web-1 10.0.2.77", "web-1 login: ",
	} {
		m.Expect(t, said, bootTime)
	}
	m.Type(t, "root")
	m.Expect(t, "Password: ", bootTime)
	m.Type(t, s.AdminPassword)
	m.Expect(t, "~ # ", bootTime)
}
