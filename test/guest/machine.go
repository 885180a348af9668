package guest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// QEMU is the program that boots machines.
const QEMU = "qemu-system-x86_64"

// Machine is a guest under plain QEMU, emulated: what a hypervisor's own guests are
// compared with.
type Machine struct {
	said    chan string // the console, in pieces
	unread  string      // of what was said; the test's own
	exited  chan error
	qmpPath string
	console io.Writer
}

// Options of Boot.
type Options struct {
	Disk    string // qcow2; an overlay on it is booted
	Seed    string // NoCloud ISO, or "" for none
	Machine string // q35 (the default) or pc
	MAC     string // of the NIC on QEMU's user network; "" is QEMU's own
}

// Boot starts a machine that lives at most as long as the test. The test is skipped
// where QEMU is missing.
func Boot(t testing.TB, o Options) *Machine {
	t.Helper()
	if _, err := exec.LookPath(QEMU); err != nil {
		t.Skipf("%s is missing: run test/guest/build.sh", QEMU)
	}
	dir := t.TempDir()
	overlay := filepath.Join(dir, "root.qcow2")
	img := exec.CommandContext(t.Context(), "qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", o.Disk, overlay) //nolint:gosec // paths of the test
	if out, err := img.CombinedOutput(); err != nil {
		t.Fatalf("qemu-img: %v: %s", err, out)
	}
	m := &Machine{said: make(chan string, 1000), exited: make(chan error, 1), qmpPath: filepath.Join(dir, "qmp")}
	m.start(t, o.args(overlay, m.qmpPath))
	return m
}

func (o Options) args(disk, qmp string) []string {
	kind := o.Machine
	if kind == "" {
		kind = "q35"
	}
	nic := "virtio-net-pci,netdev=net"
	if o.MAC != "" {
		nic += ",mac=" + o.MAC
	}
	args := []string{
		"-machine", kind + ",accel=tcg", "-m", "256", "-smp", "1",
		"-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
		"-qmp", "unix:" + qmp + ",server=on,wait=off",
		"-drive", "if=virtio,format=qcow2,file=" + disk,
		"-netdev", "user,id=net", "-device", nic,
	}
	if o.Seed != "" {
		args = append(args, "-device", "virtio-scsi-pci",
			"-drive", "if=none,id=seed,format=raw,readonly=on,file="+o.Seed, "-device", "scsi-cd,drive=seed")
	}
	return args
}

func (m *Machine) start(t testing.TB, args []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, QEMU, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		m.console, err = cmd.StdinPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		t.Fatalf("%s: %v", QEMU, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.read(out)
		if err := cmd.Wait(); err != nil {
			m.exited <- fmt.Errorf("%w: %s", err, stderr.String())
		}
		close(m.exited)
	}()
	t.Cleanup(func() { cancel(); <-done })
}

// read hands on what the console says. Nobody may be listening any more: then what is
// new is dropped, so that QEMU never blocks.
func (m *Machine) read(out io.Reader) {
	defer close(m.said)
	for buf := make([]byte, 4096); ; {
		n, err := out.Read(buf)
		select {
		case m.said <- string(buf[:n]):
		default:
		}
		if err != nil {
			return
		}
	}
}

// Expect reads the console up to the next occurrence of text, and fails the test with
// all that it read when that does not come in time.
func (m *Machine) Expect(t testing.TB, text string, within time.Duration) {
	t.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		if _, after, found := strings.Cut(m.unread, text); found {
			m.unread = after
			return
		}
		select {
		case more, ok := <-m.said:
			if !ok {
				t.Fatalf("the guest ended before it said %q:\n%s", text, m.unread)
			}
			m.unread += more
		case <-timer.C:
			t.Fatalf("the guest did not say %q in %v:\n%s", text, within, m.unread)
		}
	}
}

// Type writes a line on the serial console.
func (m *Machine) Type(t testing.TB, line string) {
	t.Helper()
	if _, err := io.WriteString(m.console, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

// PowerButton presses the ACPI power button.
func (m *Machine) PowerButton(t testing.TB) {
	t.Helper()
	m.tell(t, order{Execute: "system_powerdown"})
}

// Plug attaches a raw disk to the running machine, which must be of the kind pc: q35
// takes more preparation.
func (m *Machine) Plug(t testing.TB, path, serial string) {
	t.Helper()
	m.tell(
		t,
		order{"blockdev-add", map[string]any{"node-name": serial, "driver": "raw", "file": map[string]any{"driver": "file", "filename": path}}},
		order{"device_add", map[string]any{"driver": "virtio-blk-pci", "id": serial, "drive": serial, "serial": serial}},
	)
}

// Unplug asks the guest to let a plugged disk go.
func (m *Machine) Unplug(t testing.TB, serial string) {
	t.Helper()
	m.tell(t, order{"device_del", map[string]any{"id": serial}})
}

// Wait waits for QEMU to end by itself.
func (m *Machine) Wait(t testing.TB, within time.Duration) {
	t.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case err := <-m.exited:
		if err != nil {
			t.Fatal(err)
		}
	case <-timer.C:
		t.Fatalf("the guest still runs after %v", within)
	}
}

// order is a command of the machine protocol.
type order struct {
	Execute   string         `json:"execute"`
	Arguments map[string]any `json:"arguments,omitempty"`
}

// tell gives orders over the machine protocol (QEMU's docs/interop/qmp-spec).
func (m *Machine) tell(t testing.TB, orders ...order) {
	t.Helper()
	if err := m.qmp(t.Context(), orders); err != nil {
		t.Fatal(err)
	}
}

func (m *Machine) qmp(ctx context.Context, orders []order) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", m.qmpPath)
	if err != nil {
		return err
	}
	defer conn.Close()
	in, out := json.NewDecoder(conn), json.NewEncoder(conn)
	var greeting json.RawMessage
	if err := in.Decode(&greeting); err != nil {
		return err
	}
	for _, o := range append([]order{{Execute: "qmp_capabilities"}}, orders...) {
		if err := out.Encode(o); err != nil {
			return err
		}
		if err := answer(in); err != nil {
			return fmt.Errorf("%s: %w", o.Execute, err)
		}
	}
	return nil
}

// answer reads past events to the answer of a command.
func answer(in *json.Decoder) error {
	for {
		var msg struct{ Return, Error, Event json.RawMessage }
		if err := in.Decode(&msg); err != nil {
			return err
		}
		switch {
		case msg.Error != nil:
			return errors.New(string(msg.Error))
		case msg.Return != nil:
			return nil
		}
	}
}
