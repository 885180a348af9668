package kvm

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
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
		err := h.defineDomain(b.Context(), machine{VirtQEMU, "x86_64"}, spec, nil,
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
