package kvm

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/guest"
)

// noCloud is a seed made by another program than ours.
func noCloud(t testing.TB, hostname string) Seed {
	t.Helper()
	iso := noCloudISO(t, hostname)
	info, err := os.Stat(iso)
	if err != nil {
		t.Fatal(err)
	}
	return Seed{SizeBytes: info.Size(), Open: func() (io.ReadCloser, error) { return os.Open(iso) }}
}

func noCloudISO(t testing.TB, hostname string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("meta-data", fmt.Sprintf("instance-id: %s\nlocal-hostname: %s\n", uuid.NewString(), hostname))
	write("user-data", "#!/bin/sh\necho user data of "+hostname+"\n")
	iso := filepath.Join(t.TempDir(), "seed.iso")
	out, err := exec.Command("genisoimage", "-quiet", "-V", "cidata", "-J", "-r", "-o", iso,
		filepath.Join(dir, "meta-data"), filepath.Join(dir, "user-data")).CombinedOutput()
	if err != nil {
		t.Skipf("needs genisoimage: %v: %s", err, out)
	}
	return iso
}

// says waits until a server's console has said all of it.
func says(t testing.TB, h *Host, id string, within time.Duration, words ...string) string {
	t.Helper()
	var text string
	deadline := time.Now().Add(within)
	for {
		b, err := h.Console(t.Context(), id, 64<<10)
		if err != nil {
			t.Fatal(err)
		}
		text = string(b)
		missing := ""
		for _, w := range words {
			if !strings.Contains(text, w) {
				missing = w
			}
		}
		if missing == "" {
			return text
		}
		if time.Now().After(deadline) {
			t.Fatalf("the console does not say %q within %v:\n%s", missing, within, text)
		}
		pause(t.Context(), 200*time.Millisecond)
	}
}

// readsOften reads a console many times at once: clients ask for what is new all the
// time. The libvirtd of Debian 12 dies when its streams are not ended in good order.
func readsOften(t *testing.T, h *Host, id string) {
	t.Helper()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 300 {
				if _, err := h.Console(t.Context(), id, 64<<10); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// bootTime is generous: guests are emulated, on machines that do other things too.
const bootTime = 2 * time.Minute

func TestRealGuest(t *testing.T) {
	h, d := realHost(t)
	network := d.RequireNetwork(t)
	image := guest.Image(t)
	ctx := t.Context()
	base, err := h.EnsureBase(ctx, canonical.ID(uuid.NewString()), fileSource(t, image, "qcow2"))
	if err != nil {
		t.Fatal(err)
	}
	spec := testSpec(base)
	*spec.Flavor.RAMMiB = 256
	spec.Seed = noCloud(t, "guest-one")
	spec.NICs = []NICSpec{{Network: network}}
	s, err := h.Define(ctx, spec)
	base.Release()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if _, err := h.Start(ctx, spec.ID); err != nil {
		t.Fatal(err)
	}
	ip := s.Networks[0].IP.String()
	text := says(t, h, spec.ID, bootTime, "seed sr0", "boot 1", "user data of guest-one", "ready guest-one "+ip,
		fmt.Sprintf("disk vda %d %s", 1<<30, spec.ID[:18]))
	t.Logf("ready %v after start, with the address that was reserved:\n%s", time.Since(begin), text[max(0, len(text)-700):])

	readsOften(t, h, spec.ID)
	if short, err := h.Console(ctx, spec.ID, 10); err != nil || len(short) != 10 {
		t.Errorf("the last 10 bytes: %q %v", short, err)
	}
	begin = time.Now()
	if s, err = h.Stop(ctx, spec.ID, false); err != nil || s.Status != canonical.ServerStopped {
		t.Fatalf("stop: %v %+v", err, s)
	}
	t.Logf("the stop took %v", time.Since(begin))
	if s, err = h.Start(ctx, spec.ID); err != nil || s.Status != canonical.ServerRunning {
		t.Fatalf("start: %v %+v", err, s)
	}
	says(t, h, spec.ID, bootTime, "boot 2", "ready guest-one")

	begin = time.Now()
	if s, err = h.Stop(ctx, spec.ID, false); err != nil || s.Status != canonical.ServerStopped || s.Power != canonical.PowerOff {
		t.Fatalf("stop: %v %+v", err, s)
	}
	if took := time.Since(begin); took >= h.opts.StopGrace {
		t.Errorf("the guest did not go by itself: %v", took)
	}
	says(t, h, spec.ID, time.Second, "power button")
	if err := h.Delete(ctx, spec.ID); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, h, d, spec.ID)
}

func TestRealStopOfGuestThatDoesNotListen(t *testing.T) {
	h, d := realHost(t, func(o *Options) { o.StopGrace = 2 * time.Second })
	spec := testSpec(ensureBase(t, h))
	if _, err := h.Define(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Start(t.Context(), spec.ID); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	s, err := h.Stop(t.Context(), spec.ID, false)
	if err != nil || s.Status != canonical.ServerStopped {
		t.Fatalf("stop: %v %+v", err, s)
	}
	if took := time.Since(begin); took < h.opts.StopGrace {
		t.Errorf("the power was cut after %v, before the grace of %v", took, h.opts.StopGrace)
	}
	if err := h.Delete(t.Context(), spec.ID); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, h, d, spec.ID)
}
