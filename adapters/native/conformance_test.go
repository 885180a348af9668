package native

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/canonical/cloudtest"
	"github.com/dragoman-cloud/dragoman/test/guest"
	"github.com/dragoman-cloud/dragoman/test/libvirt"
)

// TestConformance runs the suite on a real libvirtd.
func TestConformance(t *testing.T) {
	d := libvirt.Require(t)
	network := d.RequireNetwork(t)
	o := realOptions(t, d)
	o.StopGrace = 2 * time.Second // a guest that is still booting does not hear
	c := openCloud(t, o)
	image := addImage(t, c, "guest", "qcow2", guest.Image(t))
	from := outside{c, d}
	begun := time.Now()
	cloudtest.Run(t, cloudtest.Harness{
		Open:    func(*testing.T) canonical.Cloud { return canonical.Qualify("kvm1", c) },
		Context: func() context.Context { return admin(context.Background()) },
		Flavor:  "tiny", Image: canonical.Ref(image.Name), Network: canonical.Ref(network),
		Costly: true, Timeout: 3 * time.Minute, First: 20 * time.Millisecond, Most: 200 * time.Millisecond,
		Enter: map[string]cloudtest.Way{"paused": from.paused, "suspended": from.suspended, "error": from.crashed},
		Deviations: map[string]string{
			"image/content":      "an image without any bytes is refused; TestImageContent does the rest",
			"flavor/lifecycle":   "a server here has one disk: ephemeral disks and swap are refused by name",
			"flavor/extra_specs": "extra specs that mean nothing to a KVM host are refused by name; TestExtraSpecs does the rest",
		},
	})
	t.Logf("the suite took %v", time.Since(begun))
	nothingLeft(t, c, d)
}

// outside does to servers what somebody with virsh might.
type outside struct {
	c *Cloud
	d libvirt.Daemon
}

func (o outside) virsh(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, "virsh", append([]string{"-q", "-c", o.d.URI}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("virsh %v: %w: %s", args, err, out)
	}
	return nil
}

// becomes waits until the cloud has seen it.
func (o outside) becomes(ctx context.Context, id string, want canonical.ServerStatus) error {
	for {
		s, err := o.c.server(ctx, canonical.ID(id))
		if err != nil || s.Status == want {
			return err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("it is %s (%s), not %s: %w", s.Status, s.NativeStatus, want, ctx.Err())
		}
	}
}

func (o outside) domain(id canonical.ID) (native, domain string) {
	_, native = id.Split()
	return native, o.c.prefix() + "-" + native
}

func (o outside) paused(ctx context.Context, id canonical.ID) (func(context.Context) error, error) {
	native, domain := o.domain(id)
	if err := o.virsh(ctx, "suspend", domain); err != nil {
		return nil, err
	}
	return nil, o.becomes(ctx, native, canonical.ServerPaused)
}

func (o outside) suspended(ctx context.Context, id canonical.ID) (func(context.Context) error, error) {
	native, domain := o.domain(id)
	if err := o.virsh(ctx, "managedsave", domain); err != nil {
		return nil, err
	}
	return nil, o.becomes(ctx, native, canonical.ServerSuspended)
}

// crashed kills the guest's QEMU.
func (o outside) crashed(ctx context.Context, id canonical.ID) (func(context.Context) error, error) {
	native, domain := o.domain(id)
	pid, err := qemuOf(domain)
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		return nil, err
	}
	return nil, o.becomes(ctx, native, canonical.ServerError)
}

// qemuOf is the process of a domain.
func qemuOf(domain string) (int, error) {
	all, err := os.ReadDir("/proc")
	for _, p := range all {
		pid, err := strconv.Atoi(p.Name())
		if err != nil {
			continue
		}
		line, err := os.ReadFile("/proc/" + p.Name() + "/cmdline")
		if err == nil && strings.Contains(string(line), "\x00guest="+domain+",") {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("no process runs domain %s: %w", domain, err)
}
