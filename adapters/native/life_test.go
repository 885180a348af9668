package native

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/guest"
	"github.com/dragoman-cloud/dragoman/test/libvirt"
)

// script is user data that says where it runs.
const script = "#!/bin/sh\necho user data on $(hostname)\ncat /root/.ssh/authorized_keys\ncat /etc/motd.d/hello\n"

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHLa7lrxl+dw6ZD0v7zrRk7LeCFNLNm1bSq4iOtkgNIN test-key"

// booted waits until the guest has said what it says last.
func booted(t testing.TB, c *Cloud, id canonical.ID) (console string) {
	t.Helper()
	eventually(t, jobTime, "the guest has booted", func() bool {
		console = do(t, c, canonical.GetConsoleOutput, canonical.ConsoleOutputGet{ID: id}).Output
		return strings.Contains(console, "dragoman-guest: ready")
	})
	return console
}

// TestBoot: a server boots from the uploaded image with all that it was made with, and
// what somebody else does to it is seen within two seconds, also in the events.
func TestBoot(t *testing.T) {
	c, d, image := realCloud(t)
	network := d.RequireNetwork(t)
	b := brokered(t, c)
	ctx := member(t, "acme")
	do(t, c, canonical.CreateKeypair, canonical.KeypairCreate{Name: "mine", PublicKey: publicKey})
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	s := create(t, c, canonical.ServerCreate{
		Name: "Web 1", Flavor: "tiny", Image: canonical.Ref(image.ID), Keypair: "mine", AdminPassword: "geheim", UserData: encode(script),
		Files:    []canonical.File{{Path: "/etc/motd.d/hello", Contents: encode("hello from a file\n")}},
		Networks: canonical.Networks{Mode: canonical.NetworksList, List: []canonical.NetworkChoice{{Network: canonical.Ref(network)}}},
	})
	id := canonical.MakeID("kvm1", string(s.ID))
	if err := c.opts.Store.Adopt(t.Context(), "kvm1", "server", id, "acme"); err != nil {
		t.Fatal(err)
	}
	console := booted(t, c, s.ID)
	now := get(t, c, s.ID)
	if len(now.Addresses) != 1 {
		t.Fatalf("the addresses are %v", now.Addresses)
	}
	for _, want := range []string{
		"user data on web-1", "AAAAC3NzaC1lZDI1NTE5AAAAIHLa7lrxl", "hello from a file", "dragoman-guest: password set",
		"dragoman-guest: ready web-1 " + now.Addresses[0].IP, "dragoman-guest: disk vda 1073741824",
	} {
		if !strings.Contains(console, want) {
			t.Errorf("the console does not say %q:\n%s", want, console)
		}
	}

	last, err := canonical.ListEvents.Do(ctx, b, canonical.EventList{After: -1})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	d.Virsh(t, "destroy", *now.InstanceName)
	eventually(t, 2*time.Second, "server.get tells of virsh destroy", func() bool { return get(t, c, s.ID).Status == canonical.ServerStopped })
	t.Logf("virsh destroy was seen %v after virsh began", time.Since(begun))
	nextEvent(t, b, ctx, last.Result.Last, id, canonical.ServerStopped, 2*time.Second)

	do(t, c, canonical.StartServer, canonical.ServerStart{ID: s.ID})
	booted(t, c, s.ID)
	begun = time.Now()
	do(t, c, canonical.StopServer, canonical.ServerStop{ID: s.ID})
	if took := time.Since(begun); took > c.opts.StopGrace {
		t.Errorf("a guest that hears the power button was stopped in %v", took)
	}
	do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: s.ID})
	nothingLeft(t, c, d)
}

// TestRemovedOutside: a domain, with its disk, that was removed behind our back.
func TestRemovedOutside(t *testing.T) {
	c, d, image := realCloud(t)
	r := of(t, d, image, "gone")
	id := create(t, c, r).ID
	s := get(t, c, id)
	d.Virsh(t, "destroy", *s.InstanceName)
	d.Virsh(t, "undefine", *s.InstanceName, "--remove-all-storage")
	eventually(t, 2*time.Second, "the server is an error", func() bool { s = get(t, c, id); return s.Status == canonical.ServerError })
	if s.Fault == nil || s.Fault.Message == "" {
		t.Errorf("the fault is %v", s.Fault)
	}
	for what, err := range map[string]error{
		"reboot":  try(t, c, canonical.RebootServer, canonical.ServerReboot{ID: id, Kind: canonical.RebootHard}),
		"console": try(t, c, canonical.GetConsoleOutput, canonical.ConsoleOutputGet{ID: id}),
	} {
		code(t, what, err, canonical.FailedPrecondition)
	}
	do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	nothingLeft(t, c, d)
}

// TestRecoverReal: the store is deleted; the servers come back from the host, and go on.
func TestRecoverReal(t *testing.T) {
	d := libvirt.Require(t)
	o := realOptions(t, d)
	c := openCloud(t, o)
	image := addImage(t, c, "guest", "qcow2", guest.Image(t))
	r := of(t, d, image, "back 云")
	r.Metadata, r.Tags = map[string]string{"k": "<值>"}, []string{"t"}
	id := create(t, c, r).ID
	before := get(t, c, id)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	o.Store = testStore(t, filepath.Join(t.TempDir(), "new.db"))
	c = openCloud(t, o)
	found, err := c.Recover(t.Context())
	if err != nil || len(found) != 1 || found[0].ID != id || found[0].Tenant != "acme" {
		t.Fatalf("recovered %v, %v", found, err)
	}
	after := get(t, c, id)
	if brief(before) != brief(after) {
		t.Errorf("before %s\nafter  %s", brief(before), brief(after))
	}
	do(t, c, canonical.RebootServer, canonical.ServerReboot{ID: id, Kind: canonical.RebootHard})
	do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	nothingLeft(t, c, d)
}

// brief is what of a server must survive.
func brief(s canonical.Server) string {
	var ips []string
	for _, a := range s.Addresses {
		ips = append(ips, a.IP+" "+*a.MAC)
	}
	return fmt.Sprint(s.Name, s.Status, s.Metadata, s.Tags, *s.Tenant, *s.Flavor.Name, *s.Flavor.RAMMiB, s.Image.ID, *s.Image.Name, ips, *s.AvailabilityZone, s.CreatedAt)
}

// TestDaemonKilled: libvirtd is killed in the middle of work and comes back; the work
// goes on, and nothing is left.
func TestDaemonKilled(t *testing.T) {
	c, d, image := realCloud(t)
	control := d.RequireOwn(t)
	killed := func() {
		control.Kill(t)
		control.Start(t)
	}
	r := of(t, d, image, "killed")
	for _, pause := range []time.Duration{0, 100 * time.Millisecond, 400 * time.Millisecond, 900 * time.Millisecond} {
		later := func() {
			select {
			case <-time.After(pause):
			case <-t.Context().Done():
			}
			killed()
		}
		out := begin(t, c, canonical.CreateServer, r)
		id := out.Result.Servers[0].ID
		later()
		if err := end(t, c, out.Task); err != nil {
			t.Errorf("create, killed after %v: %v", pause, err)
		}
		for _, act := range []func() *canonical.Task{
			func() *canonical.Task {
				return begin(t, c, canonical.StopServer, canonical.ServerStop{ID: id, Force: true}).Task
			},
			func() *canonical.Task { return begin(t, c, canonical.StartServer, canonical.ServerStart{ID: id}).Task },
			func() *canonical.Task {
				return begin(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id}).Task
			},
		} {
			eventually(t, jobTime, "the host is back", func() bool { return *get(t, c, id).HostStatus == "up" })
			task := act()
			later()
			if err := end(t, c, task); err != nil {
				t.Errorf("killed after %v: %v", pause, err)
			}
		}
	}
	nothingLeft(t, c, d)
}

// smallDisk gives the host of a cloud a disk of 1.3 GB, which the
// daemons see in their mount namespaces too.
func smallDisk(t testing.TB, d libvirt.Daemon, dir string) {
	t.Helper()
	run := func(args ...string) string {
		out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
		if err != nil {
			t.Skipf("needs loop devices and mounts: %v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	disk := filepath.Join(t.TempDir(), "disk")
	run("truncate", "-s", "1300M", disk)
	run("mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", disk)
	loop := run("losetup", "-f", "--show", disk)
	undo := [][]string{{"losetup", "-d", loop}}
	t.Cleanup(func() {
		for _, args := range slices.Backward(undo) {
			if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
				t.Errorf("%v: %v: %s", args, err, out)
			}
		}
	})
	run("mkdir", "-p", dir)
	run("mount", loop, dir)
	undo = append(undo, []string{"umount", "-l", dir})
	for _, daemon := range []string{"libvirtd", "virtlogd"} {
		pid, err := os.ReadFile(filepath.Join(filepath.Dir(d.Socket), daemon+".pid"))
		if err != nil {
			t.Skipf("needs the libvirtd of test/libvirt: %v", err)
		}
		enter := []string{"nsenter", "-t", strings.Fields(string(pid))[0], "-m"}
		run(append(enter, "mount", loop, dir)...)
		undo = append(undo, append(enter, "umount", "-l", dir))
	}
	run("chmod", "711", dir)
}

// fill leaves free bytes of the file system of dir, until the ballast there is removed.
func fill(t *testing.T, dir string, free int64) {
	t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	size := strconv.FormatInt(int64(st.Bavail)*st.Bsize-free, 10)
	if out, err := exec.CommandContext(t.Context(), "fallocate", "-l", size, filepath.Join(dir, "ballast")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestDiskFull: the host's disk fills up while an image is brought there and while a
// server is made; the server tells why, and nothing is left.
func TestDiskFull(t *testing.T) {
	d := libvirt.Require(t)
	path := guest.Image(t)
	for name, free := range map[string]int64{"image": 8 << 20, "server": 15 << 20} {
		t.Run(name, func(t *testing.T) {
			o := realOptions(t, d)
			o.Overcommit.DiskGiB = 100
			smallDisk(t, d, o.HostDir)
			c := openCloud(t, o)
			eventually(t, jobTime, "the host tells its room, which counts for a minute", func() bool {
				h := do(t, c, canonical.ListHypervisors, canonical.HypervisorList{}).Items[0]
				return h.DiskGiB != nil && *h.DiskGiB > 0
			})
			fill(t, o.HostDir, free)
			big := addImage(t, c, "big", "qcow2", path)
			r := canonical.ServerCreate{Name: "full", Flavor: "tiny", Image: canonical.Ref(big.ID), Networks: canonical.Networks{Mode: canonical.NetworksNone}, Files: []canonical.File{
				{Path: "/large", Contents: base64.StdEncoding.EncodeToString(make([]byte, 30<<10))},
			}}
			var last error
			for n := 0; last == nil && n < 30; n++ { // the disks of servers are small at first
				last = try(t, c, canonical.CreateServer, r)
			}
			t.Logf("the create says: %v", last)
			code(t, "the create", last, canonical.QuotaExceeded)
			for _, s := range do(t, c, canonical.ListServers, canonical.ServerList{}).Items {
				if s.Status == canonical.ServerError && (s.Fault == nil || !strings.Contains(s.Fault.Message, "full") && !strings.Contains(s.Fault.Message, "space")) {
					t.Errorf("the server is %s: %+v", s.Status, s.Fault)
				}
				do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: s.ID})
			}
			nothingLeft(t, c, d)
			if err := os.Remove(filepath.Join(o.HostDir, "ballast")); err != nil {
				t.Fatal(err)
			}
			id := create(t, c, r).ID // there is room again
			do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id})
			nothingLeft(t, c, d)
		})
	}
}
