package kvm

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/guest"
)

// BenchmarkReconcile1000 lists 1,000 defined domains on a real libvirtd: first with
// every record, as after connecting, then with states alone, as every
// Options.ReconcileEvery.
func BenchmarkReconcile1000(b *testing.B) {
	h, _ := realHost(b)
	const servers = 1000
	ids := defineMany(b, h, servers)
	b.Cleanup(func() { undefineMany(b, h, ids) })
	for name, records := range map[string]bool{"Records": true, "States": false} {
		b.Run(name, func(b *testing.B) {
			s, err := h.session(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if err := h.reconcile(s, records); err != nil {
					b.Fatal(err)
				}
			}
			if n := len(h.List()); n != servers {
				b.Errorf("%d servers of %d", n, servers)
			}
		})
	}
	b.Run("List", func(b *testing.B) {
		for b.Loop() {
			if n := len(h.List()); n != servers {
				b.Fatalf("%d servers of %d", n, servers)
			}
		}
	})
}

// defineMany defines domains without disks: they are never started.
func defineMany(b *testing.B, h *Host, n int) []string {
	base := &Base{ImageID: canonical.ID(uuid.NewString()), path: "/nowhere", format: "qcow2"}
	var ids []string
	for i := range n {
		spec := testSpec(base)
		spec.Name = fmt.Sprintf("server %d", i)
		err := h.defineDomain(b.Context(), machine{VirtQEMU, "x86_64"}, spec, spec.record(nil),
			parts{disk: "/nowhere/" + diskName(spec.ID), console: "/nowhere/" + logName(spec.ID)})
		if err != nil {
			b.Fatal(err)
		}
		ids = append(ids, spec.ID)
	}
	return ids
}

func undefineMany(b *testing.B, h *Host, ids []string) {
	for _, id := range ids {
		if err := h.undefine(context.Background(), id); err != nil {
			b.Log(err)
		}
	}
}

// BenchmarkUpload brings 256 MiB of a raw image to the host.
func BenchmarkUpload(b *testing.B) {
	h, _ := realHost(b)
	data := make([]byte, 256<<20)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		id := canonical.ID(uuid.NewString())
		base, err := h.EnsureBase(b.Context(), id, BaseSource{Format: "raw", SizeBytes: int64(len(data)), Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(data)), nil
		}})
		if err != nil {
			b.Fatal(err)
		}
		base.Release()
		if err := h.EvictBase(b.Context(), id); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDefine makes servers without starting them.
func BenchmarkDefine(b *testing.B) {
	h, _ := realHost(b)
	base := ensureBase(b, h)
	var ids []string
	b.Cleanup(func() { undefineMany(b, h, ids) })
	for b.Loop() {
		spec := testSpec(base)
		if _, err := h.Define(b.Context(), spec); err != nil {
			b.Fatal(err)
		}
		ids = append(ids, spec.ID)
	}
}

// BenchmarkBoot is from the start to the guest's first own line on the console, beside
// plain QEMU with the same disk and seed.
func BenchmarkBoot(b *testing.B) {
	h, _ := realHost(b)
	disk := guest.Image(b)
	const line = "dragoman-guest: seed"
	b.Run("Plain", func(b *testing.B) {
		iso := noCloudISO(b, "plain")
		for b.Loop() {
			m := guest.Boot(b, guest.Options{Disk: disk, Seed: iso})
			m.Expect(b, line, bootTime)
			b.StopTimer()
			m.Expect(b, "ready plain", bootTime) // before that it does not listen
			m.PowerButton(b)
			m.Wait(b, bootTime)
			b.StartTimer()
		}
	})
	b.Run("Host", func(b *testing.B) {
		base, err := h.EnsureBase(b.Context(), canonical.ID(uuid.NewString()), fileSource(b, disk, "qcow2"))
		if err != nil {
			b.Fatal(err)
		}
		defer base.Release()
		for b.Loop() {
			spec := testSpec(base)
			*spec.Flavor.RAMMiB = 256
			spec.Seed = noCloud(b, "host")
			if _, err := h.Define(b.Context(), spec); err != nil {
				b.Fatal(err)
			}
			if _, err := h.Start(b.Context(), spec.ID); err != nil {
				b.Fatal(err)
			}
			says(b, h, spec.ID, bootTime, line)
			b.StopTimer()
			if err := h.Delete(b.Context(), spec.ID); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	})
}
