package e2e

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/guest"
	"github.com/dragoman-cloud/dragoman/test/libvirt"
)

// host is a dragoman that runs servers on a real libvirt, and what tells of them
// around it.
type host struct {
	*dragoman
	libvirt.Daemon
	prefix, guest, script string
	network               bool // there is one
}

// TestNative: servers that really boot, with their user data, on a host that dragoman
// runs itself; by its own command and by the openstack command.
func TestNative(t *testing.T) {
	t.Parallel()
	d := libvirt.Require(t)
	h := host{Daemon: d, network: d.HasNetwork(t), guest: guest.Image(t)}
	var dir string
	h.prefix, dir = d.Names(t)
	h.dragoman = start(t, fmt.Sprintf(
		"clouds: [{name: kvm1, dialect: native, native: {prefix: %s, dir: %s, hosts: [{name: h1, uri: %q}]}}]\n", h.prefix, dir, d.URI))
	h.script = filepath.Join(h.dir, "hello.sh")
	if err := os.WriteFile(h.script, []byte("#!/bin/sh\necho user data ran on $(hostname)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("Dragoman", func(t *testing.T) {
		t.Parallel()
		h.byDragoman(t, "own")
	})
	t.Run("OpenStack", func(t *testing.T) {
		t.Parallel()
		h.byOpenStack(t, "shop")
	})
}

func (h host) byDragoman(t *testing.T, name string) {
	script, err := os.ReadFile(h.script)
	if err != nil {
		t.Fatal(err)
	}
	run := func(line string) finished {
		t.Helper()
		return h.ask(t, strings.Fields(line)...).good(t)
	}
	run("image create --name " + name + " --disk-format qcow2")
	run("image upload " + name + " --file " + h.guest)
	var made canonical.ServersCreated
	networks := "none"
	if h.network {
		networks = "network=" + libvirt.Network
	}
	run("server create --name "+name+" --flavor tiny --image "+name+" --networks "+networks+
		" --user-data "+base64.StdEncoding.EncodeToString(script)+" --wait -o json").json(t, &made)
	id := strings.TrimPrefix(string(made.Servers[0].ID), "kvm1:")
	h.is(t, id, "running")
	tells := func(want string) {
		t.Helper()
		eventually(t, func() (string, bool) {
			f := run("server console-output " + name)
			return f.line + " prints " + f.out, strings.Contains(f.out, want)
		})
	}
	tells("user data ran on " + name)
	if ready := "ready " + name; h.network {
		tells(ready + " " + made.Servers[0].Addresses[0].IP)
	} else {
		tells(ready)
	}
	run("server stop " + name + " --wait")
	h.is(t, id, "shut off")
	run("server start " + name + " --wait")
	h.is(t, id, "running")
	tells("boot 2")
	run("server delete " + name + " --wait")
	h.is(t, id, "")
	run("image delete " + name)
}

func (h host) byOpenStack(t *testing.T, name string) {
	c := h.openstack(t)
	c.run(t, "image create --disk-format qcow2 --file "+h.guest+" "+name).good(t)
	like(t, "image show", c.item(t, "image show "+name), item{"status": "active", "disk_format": "qcow2"})
	network := ""
	if h.network {
		network = "--network " + libvirt.Network
	}
	id, _ := c.item(t, "server create --flavor tiny --image "+name+" "+network+" --user-data "+h.script+" --wait "+name)["id"].(string)
	h.is(t, id, "running")
	tells := func(want string) {
		t.Helper()
		eventually(t, func() (string, bool) {
			f := c.run(t, "console log show "+name).good(t)
			return f.line + " prints " + f.out, strings.Contains(f.out, want)
		})
	}
	tells("user data ran on " + name)
	c.run(t, "server stop "+name).good(t)
	h.becomes(t, id, "shut off")
	c.run(t, "server start "+name).good(t)
	h.becomes(t, id, "running")
	tells("boot 2")
	c.run(t, "server delete --wait "+name).good(t)
	h.is(t, id, "")
	c.run(t, "image delete "+name).good(t)
}

// state is a server's in libvirt's words, "" for none.
func (h host) state(t *testing.T, id string) string {
	t.Helper()
	name := h.prefix + "-" + id
	if !strings.Contains(h.Virsh(t, "list", "--all", "--name"), name+"\n") {
		return ""
	}
	return strings.TrimSpace(h.Virsh(t, "domstate", name))
}

func (h host) is(t *testing.T, id, want string) {
	t.Helper()
	if got := h.state(t, id); got != want {
		t.Errorf("to libvirt the server is %q, not %q", got, want)
	}
}

func (h host) becomes(t *testing.T, id, want string) {
	t.Helper()
	eventually(t, func() (string, bool) {
		got := h.state(t, id)
		return "to libvirt the server is " + got + ", not " + want, got == want
	})
}
