package nova

import (
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// A cloud whose catalog has no volume service says so, and does all else.
func TestCloudWithoutVolumes(t *testing.T) {
	c := newFake(t, withFlavors(answer(`{}`))).openNova()
	for _, op := range []*canonical.Spec{canonical.ListVolumes.Spec(), canonical.CreateVolume.Spec(), canonical.UpdateVolume.Spec(), canonical.ListVolumeTypes.Spec()} {
		if s := c.Support(t.Context(), op); s.Level != canonical.No || !strings.Contains(s.Reason, "volume service") {
			t.Errorf("%s: %+v", op.Name, s)
		}
	}
	_, err := canonical.CreateVolume.Do(t.Context(), c, canonical.VolumeCreate{SizeGiB: 1})
	if canonical.CodeOf(err) != canonical.Unsupported {
		t.Errorf("volume.create: %v", err)
	}
	if s := c.Support(t.Context(), canonical.ListServers.Spec()); s.Level != canonical.Native {
		t.Errorf("server.list: %+v", s)
	}
}

// The paths of rows go below /v3, or the project behind it in older catalogs.
func TestVolumeBases(t *testing.T) {
	for url, want := range map[string][2]string{
		"http://c/volume/v3":       {"http://c/volume/v3", "http://c/volume/v3"},
		"http://c/volume/v3/p1":    {"http://c/volume/v3/p1", "http://c/volume/v3"},
		"http://c/volume":          {"http://c/volume/v3", "http://c/volume/v3"},
		"http://v3.c:8776/v3/p1x2": {"http://v3.c:8776/v3/p1x2", "http://v3.c:8776/v3"},
	} {
		if got := [2]string{services["volume"](url, "p1"), services["volume-root"](url, "p1")}; got != want {
			t.Errorf("%s: %v, want %v", url, got, want)
		}
	}
}
