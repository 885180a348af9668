package kvm

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/libvirt"
)

// realOptions are for a host of the test's own on a real libvirtd: its prefix and its
// directory are nobody else's, and are gone with the test.
func realOptions(t testing.TB, d libvirt.Daemon) Options {
	t.Helper()
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		t.Fatal(err)
	}
	prefix := fmt.Sprintf("drgtest-%x", b)
	dir := filepath.Join("/var/tmp", prefix) // libvirt-qemu can reach it, unlike t.TempDir
	t.Cleanup(func() { wipe(t, d, prefix, dir) })
	return Options{
		Name: "h1", URI: d.URI, Zone: "az1", Dir: dir, Prefix: prefix, StopGrace: 20 * time.Second,
		ConnectWait: 30 * time.Second, Log: testLog(t),
	}
}

func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// wipe removes what a test left, by other means than those under test.
func wipe(t testing.TB, d libvirt.Daemon, prefix, dir string) {
	virsh := func(args ...string) string {
		out, err := exec.Command("virsh", append([]string{"-q", "-c", d.URI}, args...)...).CombinedOutput()
		if err != nil {
			t.Logf("virsh %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	for _, name := range strings.Fields(virsh("list", "--all", "--name")) {
		if strings.HasPrefix(name, prefix+"-") {
			t.Logf("left behind: domain %s", name)
			_ = exec.Command("virsh", "-q", "-c", d.URI, "destroy", name).Run()
			virsh("undefine", name, "--managed-save", "--snapshots-metadata")
		}
	}
	for _, name := range strings.Fields(virsh("pool-list", "--all", "--name")) {
		if strings.HasPrefix(name, prefix+"-") {
			_ = exec.Command("virsh", "-q", "-c", d.URI, "pool-destroy", name).Run()
			virsh("pool-undefine", name)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
}

func realHost(t testing.TB, change ...func(*Options)) (*Host, libvirt.Daemon) {
	t.Helper()
	d := libvirt.Require(t)
	o := realOptions(t, d)
	for _, f := range change {
		f(&o)
	}
	h, err := Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h, d
}

// blank is an image that boots nothing: 2 MiB of zeros in a qcow2.
func blank(t testing.TB) BaseSource {
	t.Helper()
	path := filepath.Join(t.TempDir(), "blank.qcow2")
	qemuImg(t, "create", "-f", "qcow2", path, "2M")
	return fileSource(t, path, "qcow2")
}

func fileSource(t testing.TB, path, format string) BaseSource {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return BaseSource{Format: format, SizeBytes: info.Size(), Open: func(context.Context) (io.ReadCloser, error) { return os.Open(path) }}
}

func ensureBase(t testing.TB, h *Host) *Base {
	t.Helper()
	base, err := h.EnsureBase(t.Context(), canonical.ID(uuid.NewString()), blank(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(base.Release)
	return base
}

func testSpec(base *Base) ServerSpec {
	p := func(n int) *int { return &n }
	name := "m1.tiny"
	seed := []byte("seed of the server")
	return ServerSpec{
		ID: uuid.NewString(), Tenant: "acme", Name: "web", Base: base, ImageName: "blank",
		Flavor:  canonical.ServerFlavor{Name: &name, VCPUs: p(1), RAMMiB: p(128), DiskGiB: p(1)},
		Keypair: "k", Metadata: map[string]string{"a": "b"}, Tags: []string{"t"}, AvailabilityZone: "az1",
		Seed:      Seed{SizeBytes: int64(len(seed)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(seed)), nil }},
		CreatedAt: time.Date(2026, 11, 25, 10, 0, 0, 123000, time.UTC),
	}
}

// eventually polls until ok, or fails at the deadline.
func eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		pause(t.Context(), 10*time.Millisecond)
	}
}

func TestRealFacts(t *testing.T) {
	h, _ := realHost(t)
	f, err := h.Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", f)
	if f.CPUs < 1 || f.RAMMiB < 1 || f.DiskGiB < 1 || f.Arch == "" || f.VirtReason == "" || f.MaxVCPUs < 1 {
		t.Errorf("facts are missing: %+v", f)
	}
}

func TestRealLife(t *testing.T) {
	h, d := realHost(t)
	network := d.RequireNetwork(t)
	ctx := t.Context()
	spec := testSpec(ensureBase(t, h))
	spec.Name = "<web>&\"'../../etc/passwd; DROP TABLE servers;-- 名前 🚀 \x07\u2028"
	spec.NICs = []NICSpec{{Network: network}}
	spec.Metadata = map[string]string{"]]>": "</metadata>", "🚀": "\x00\x1f"}

	s, err := h.Define(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	if s.Status != canonical.ServerBuilding || s.Name != spec.Name || s.Networks[0].MAC != MAC(spec.ID, 0) || !s.Networks[0].IP.IsValid() {
		t.Errorf("defined: %+v", s)
	}
	if again, err := h.Define(ctx, spec); err != nil || !again.Record.equal(s.Record) {
		t.Errorf("defined again: %v %s", err, cmp.Diff(s.Record, again.Record, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })))
	}
	if xml := d.Virsh(t, "net-dumpxml", network); !strings.Contains(xml, s.Networks[0].MAC) {
		t.Errorf("no reservation for %s: %s", s.Networks[0].MAC, xml)
	}

	if s, err = h.Start(ctx, spec.ID); err != nil || s.Status != canonical.ServerRunning {
		t.Fatalf("started: %v %+v", err, s)
	}
	if _, err := h.Start(ctx, spec.ID); err != nil {
		t.Errorf("started again: %v", err)
	}

	// The record is read back from the host by another process.
	other, err := Dial(ctx, h.opts)
	if err != nil {
		t.Fatal(err)
	}
	found, err := other.Get(spec.ID)
	if err != nil || !found.Record.equal(s.Record) {
		t.Errorf("read back: %v %+v", err, found)
	}
	other.Close()

	s, err = h.Update(ctx, spec.ID, func(r *Record) { r.Name = "renamed" })
	if err != nil || s.Name != "renamed" {
		t.Errorf("renamed: %v %+v", err, s)
	}
	if s, err = h.Stop(ctx, spec.ID, true); err != nil || s.Status != canonical.ServerStopped {
		t.Errorf("stopped: %v %+v", err, s)
	}
	if s, err = h.Start(ctx, spec.ID); err != nil || s.Status != canonical.ServerRunning {
		t.Errorf("started: %v %+v", err, s)
	}

	gone := time.Now()
	d.Virsh(t, "destroy", h.domainName(spec.ID))
	eventually(t, 2*time.Second, "the outside stop is seen", func() bool {
		s, err := h.Get(spec.ID)
		return err == nil && s.Status == canonical.ServerStopped
	})
	t.Logf("virsh destroy was seen %v after virsh began", time.Since(gone))

	if s, err = h.Stop(ctx, spec.ID, true); err != nil || s.Status != canonical.ServerStopped {
		t.Errorf("stopped again: %v %+v", err, s)
	}
	if err := h.EvictBase(ctx, spec.Base.ImageID); canonical.CodeOf(err) != canonical.FailedPrecondition {
		t.Errorf("evicted while in use: %v", err)
	}
	if err := h.Delete(ctx, spec.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.Delete(ctx, spec.ID); err != nil {
		t.Errorf("deleted again: %v", err)
	}
	nothingLeft(t, h, d, spec.ID)
	spec.Base.Release()
	if err := h.EvictBase(ctx, spec.Base.ImageID); err != nil {
		t.Error(err)
	}
}

// nothingLeft fails if the host has anything of a server.
func nothingLeft(t testing.TB, h *Host, d libvirt.Daemon, id string) {
	t.Helper()
	if list := d.Virsh(t, "list", "--all", "--name"); strings.Contains(list, id) {
		t.Errorf("the domain is left: %s", list)
	}
	files, err := os.ReadDir(filepath.Join(h.opts.Dir, serversPool))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), id) {
			t.Errorf("the file %s is left", f.Name())
		}
	}
	for name := range strings.Lines(d.Virsh(t, "net-list", "--all", "--name")) {
		if name = strings.TrimSpace(name); name != "" && strings.Contains(d.Virsh(t, "net-dumpxml", name), MAC(id, 0)) {
			t.Errorf("the reservation on %s is left", name)
		}
	}
}

func qemuImg(t testing.TB, args ...string) {
	t.Helper()
	if out, err := exec.Command("qemu-img", args...).CombinedOutput(); err != nil {
		t.Skipf("needs qemu-img (Debian: qemu-utils): %v: %s", err, out)
	}
}
