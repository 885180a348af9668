package guest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/test/guest"
)

// bootTime is generous: the machine of CI is emulated and busy.
const bootTime = 2 * time.Minute

const mac = "52:54:00:12:34:56"

var staticNetwork = `version: 2
ethernets:
  id0:
    match: {macaddress: "` + mac + `"}
    addresses: [10.0.2.77/24]
    gateway4: 10.0.2.2
`

func TestGuest(t *testing.T) {
	cases := map[string]struct {
		reason string
		opts   guest.Options
		seed   map[string]string
		said   []string
	}{
		"Script": {
			reason: "A script runs under the name of the instance, with DHCP where the seed has no network.",
			seed: map[string]string{
				"meta-data": "instance-id: i-1\nlocal-hostname: web-1\npublic-keys: [ssh-ed25519 AAAA one]\n",
				"user-data": "#!/bin/sh\necho script on $(hostname)\ncat /root/.ssh/authorized_keys\n",
			},
			said: []string{"dragoman-guest: boot 1", "10.0.2.15/24", "script on web-1", "ssh-ed25519 AAAA one", "dragoman-guest: ready web-1 10.0.2.15"},
		},
		"CloudConfig": {
			reason: "The subset of #cloud-config, a static address, and the other machine type.",
			opts:   guest.Options{Machine: "pc", MAC: mac},
			seed: map[string]string{
				"meta-data":      "instance-id: i-1\nlocal-hostname: web-1\n",
				"network-config": staticNetwork,
				"user-data": "#cloud-config\nhostname: db-1\npassword: secret\nwrite_files:\n- {path: /etc/a/b, content: aGVsbG8gZmlsZQo=, encoding: b64}\n" +
					"runcmd:\n- cat /etc/a/b\n- [echo, two words]\n",
			},
			said: []string{"password set", mac + " 10.0.2.77/24", "hello file", "two words", "dragoman-guest: ready db-1 10.0.2.77"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.opts.Disk = guest.Image(t)
			tc.opts.Seed = makeSeed(t, tc.seed)
			m := guest.Boot(t, tc.opts)
			for _, text := range tc.said {
				m.Expect(t, text, bootTime)
			}
			m.PowerButton(t)
			m.Expect(t, "dragoman-guest: power button", bootTime)
			m.Wait(t, bootTime)
		})
	}
}

func TestGuestLogin(t *testing.T) {
	disk := guest.Image(t)
	m := guest.Boot(t, guest.Options{Disk: disk, Seed: makeSeed(t, map[string]string{
		"meta-data": "instance-id: i-1\nlocal-hostname: web-1\n",
		"user-data": "#cloud-config\npassword: pass word\n",
	})})
	m.Expect(t, "web-1 login: ", bootTime)
	m.Type(t, "root")
	m.Expect(t, "Password: ", bootTime)
	m.Type(t, "pass word")
	m.Expect(t, "~ # ", bootTime)
	m.Type(t, "echo I am $(whoami)")
	m.Expect(t, "I am root", bootTime)
}

func TestGuestWithoutSeed(t *testing.T) {
	m := guest.Boot(t, guest.Options{Disk: guest.Image(t)})
	m.Expect(t, "dragoman-guest: no seed", bootTime)
	m.Expect(t, "dragoman-guest: ready dragoman-guest 10.0.2.15", bootTime)
}

// TestGuestHotPlug: the guest tells of disks that come and go.
func TestGuestHotPlug(t *testing.T) {
	extra := filepath.Join(t.TempDir(), "extra")
	if err := os.WriteFile(extra, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	m := guest.Boot(t, guest.Options{Disk: guest.Image(t), Machine: "pc"})
	m.Expect(t, "dragoman-guest: ready", bootTime)
	m.Plug(t, extra, "vol-1")
	m.Expect(t, "dragoman-guest: add disk vdb vol-1", bootTime)
	m.Unplug(t, "vol-1")
	m.Expect(t, "dragoman-guest: remove disk vdb", bootTime)
}

// makeSeed writes the files as a NoCloud ISO.
func makeSeed(t *testing.T, files map[string]string) string {
	t.Helper()
	if _, err := exec.LookPath("genisoimage"); err != nil {
		t.Skip("genisoimage is missing: run test/guest/build.sh")
	}
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	iso := filepath.Join(t.TempDir(), "seed.iso")
	out, err := exec.CommandContext(t.Context(), "genisoimage", "-quiet", "-V", "cidata", "-r", "-J", "-o", iso, dir).CombinedOutput()
	if err != nil {
		t.Fatalf("genisoimage: %v: %s", err, strings.TrimSpace(string(out)))
	}
	return iso
}

// BenchmarkBoot is the time from starting QEMU to the guest's first line and to its
// last: what a hypervisor's own start is compared with.
func BenchmarkBoot(b *testing.B) {
	disk := guest.Image(b)
	var first, ready time.Duration
	for b.Loop() {
		start := time.Now()
		m := guest.Boot(b, guest.Options{Disk: disk})
		m.Expect(b, "dragoman-guest:", bootTime)
		first += time.Since(start)
		m.Expect(b, "ready", bootTime)
		ready += time.Since(start)
		m.PowerButton(b)
		m.Wait(b, bootTime)
	}
	b.ReportMetric(first.Seconds()/float64(b.N), "s-first-line/op")
	b.ReportMetric(ready.Seconds()/float64(b.N), "s-ready/op")
}
