//go:build linux

package main

import (
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// networkConfig is the part of network-config version 2 that the guest knows.
type networkConfig struct {
	Ethernets map[string]ethernet `yaml:"ethernets"`
}

type ethernet struct {
	Match struct {
		MAC string `yaml:"macaddress"`
	} `yaml:"match"`
	DHCP4     bool     `yaml:"dhcp4"`
	Addresses []string `yaml:"addresses"` // with prefix length
	Gateway4  string   `yaml:"gateway4"`
	Gateway6  string   `yaml:"gateway6"`
	MTU       int      `yaml:"mtu"`
	Routes    []struct {
		To  string `yaml:"to"`
		Via string `yaml:"via"`
	} `yaml:"routes"`
	Nameservers struct {
		Addresses []string `yaml:"addresses"`
	} `yaml:"nameservers"`
}

// configureNetwork brings up all interfaces, says what they got, and returns their
// addresses without the prefix length.
func configureNetwork(cfg networkConfig) []string {
	report("lo", run("ip", "link", "set", "lo", "up"))
	nics, err := net.Interfaces()
	report("network", err)
	var all []string
	for _, nic := range nics {
		if nic.Flags&net.FlagLoopback != 0 {
			continue
		}
		report(nic.Name, cfg.of(nic).apply(nic.Name))
		got := addresses(nic.Name)
		say("nic %s %s %s", nic.Name, nic.HardwareAddr, orDash(strings.Join(got, ",")))
		for _, a := range got {
			ip, _, _ := strings.Cut(a, "/")
			all = append(all, ip)
		}
	}
	return all
}

// of is what the seed wants of a NIC: by its MAC, by its name, or DHCP where the seed
// has no network at all.
func (c networkConfig) of(nic net.Interface) ethernet {
	for _, e := range c.Ethernets {
		if strings.EqualFold(e.Match.MAC, nic.HardwareAddr.String()) {
			return e
		}
	}
	if e, ok := c.Ethernets[nic.Name]; ok && e.Match.MAC == "" {
		return e
	}
	return ethernet{DHCP4: len(c.Ethernets) == 0}
}

func (e ethernet) apply(name string) error {
	if e.MTU > 0 {
		if err := run("ip", "link", "set", name, "mtu", strconv.Itoa(e.MTU)); err != nil {
			return err
		}
	}
	if err := run("ip", "link", "set", name, "up"); err != nil {
		return err
	}
	for _, a := range e.Addresses {
		if err := run("ip", "addr", "add", a, "dev", name); err != nil {
			return err
		}
	}
	if err := e.route(name); err != nil {
		return err
	}
	e.resolve()
	if e.DHCP4 {
		// Five questions one second apart; then without an address.
		return run("udhcpc", "-i", name, "-n", "-q", "-f", "-t", "5", "-T", "1", "-s", "/etc/udhcpc.script")
	}
	return nil
}

func (e ethernet) route(name string) error {
	for _, r := range e.Routes {
		if err := run("ip", "route", "add", r.To, "via", r.Via, "dev", name); err != nil {
			return err
		}
	}
	for _, gw := range []string{e.Gateway4, e.Gateway6} {
		if gw == "" {
			continue
		}
		if err := run("ip", "route", "add", "default", "via", gw, "dev", name); err != nil {
			return err
		}
	}
	return nil
}

func (e ethernet) resolve() {
	f, err := os.OpenFile("/etc/resolv.conf", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		report("resolv.conf", err)
		return
	}
	for _, ns := range e.Nameservers.Addresses {
		_, err = f.WriteString("nameserver " + ns + "\n")
		report("resolv.conf", err)
	}
	report("resolv.conf", f.Close())
}

func addresses(name string) []string {
	nic, err := net.InterfaceByName(name)
	if err != nil {
		return nil
	}
	addrs, err := nic.Addrs()
	if err != nil {
		return nil
	}
	var out []string
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLinkLocalUnicast() {
			out = append(out, a.String())
		}
	}
	slices.Sort(out)
	return out
}
