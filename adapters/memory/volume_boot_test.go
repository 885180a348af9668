package memory_test

import (
	"testing"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// TestManyVolumes: a server with more volumes than it has places for is refused.
func TestManyVolumes(t *testing.T) {
	c := memory.New(memory.Options{})
	r := canonical.ServerCreate{Name: "web", Flavor: "small", Image: "cirros"}
	for range 26 {
		r.Volumes = append(r.Volumes, canonical.ServerVolumeCreate{SizeGiB: 1})
	}
	_, err := canonical.CreateServer.Do(t.Context(), c, r)
	if e := canonical.AsError(err); e == nil || e.Code != canonical.InvalidRequest || len(e.Fields) != 1 || e.Fields[0].Field != "volumes" {
		t.Errorf("26 volumes: %v", err)
	}
	r.Volumes = r.Volumes[:25]
	if _, err := canonical.CreateServer.Do(t.Context(), c, r); err != nil {
		t.Errorf("25 volumes: %v", err)
	}
}
