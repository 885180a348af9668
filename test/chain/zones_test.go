package chain

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/facade"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/nova"
)

// post asks the facade for something new in that zone.
func post(t *testing.T, f *facade.Facade, service, path, body string, out any) (status int, answer string) {
	t.Helper()
	resp := f.Handle(adminCtx(t), &translate.Request{
		Service: service, Method: "POST", Path: path, Header: http.Header{}, Body: []byte(body),
	}, bases)
	if resp.Status < 300 && out != nil {
		decode(t, resp, out)
	}
	return resp.Status, string(resp.Body)
}

// TestZonesOfSeveralClouds: behind one facade a zone is named with its cloud, in lists and
// of servers and volumes, and a create goes where its zone is.
func TestZonesOfSeveralClouds(t *testing.T) {
	f, ends := twoClouds(t)
	flavor, image, network, _, _ := stock(t, ends["m1"])
	cases := map[string]struct {
		zone   string
		status int
		cloud  string // that then has the server
		says   string
	}{
		"CloudAndZone":   {"m2:az1", 202, "m2", ""},
		"TheOther":       {"m1:az1", 202, "m1", ""},
		"AnyZoneOf":      {"m2", 202, "m2", ""},
		"WithHost":       {"m2:az1:memory-2", 202, "m2", ""},
		"WithHostNoZone": {"m2::memory-2", 202, "m2", ""},
		"WithNode":       {"m2:az1:memory-2:memory-2", 202, "m2", ""},
		"Ambiguous":      {"az1", 409, "", "m1, m2"},
		"AmbiguousHost":  {"az1:memory-1", 409, "", "m1, m2"},
		"None":           {"", 409, "", "m1, m2"},
		"NoSuchZone":     {"m1:nowhere", 400, "", "nowhere"},
		"NoSuchHost":     {"m1:az1:nobody", 400, "", "nobody"},
		"NowhereAtAll":   {"nowhere", 400, "", "nowhere"},
		"NoSuchCloud":    {"m3:az1", 400, "", "m3"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			body := fmt.Sprintf(`{"server": {"name": "z", "flavorRef": %q, "imageRef": %q, "networks": [{"uuid": %q}], "availability_zone": %q}}`,
				flavor, image, network, c.zone)
			var made struct{ Server struct{ ID string } }
			status, answer := post(t, f, "compute", "/servers", body, &made)
			if status != c.status || !strings.Contains(answer, c.says) {
				t.Fatalf("%d %s", status, answer)
			}
			if status != 202 {
				return
			}
			s := inMemory(t, ends[c.cloud], made.Server.ID)
			if host := strings.HasSuffix(c.zone, "memory-2"); host && *s.Host != "memory-2" {
				t.Errorf("it is on %s", *s.Host)
			}
			var shown struct {
				Server struct {
					Zone string `json:"OS-EXT-AZ:availability_zone"`
				}
			}
			if decode(t, get(t, f, "/servers/"+made.Server.ID), &shown); shown.Server.Zone != c.cloud+":az1" {
				t.Errorf("its zone is shown as %q", shown.Server.Zone)
			}
		})
	}
}

// TestZonesAreShown: what lists of zones tell, and what filters by zone find.
func TestZonesAreShown(t *testing.T) {
	f, ends := twoClouds(t)
	for _, path := range []string{"/os-availability-zone", "/os-availability-zone/detail"} {
		var zones struct {
			Zones []struct {
				Name string `json:"zoneName"`
			} `json:"availabilityZoneInfo"`
		}
		decode(t, get(t, f, path), &zones)
		var names []string
		for _, z := range zones.Zones {
			names = append(names, z.Name)
		}
		if slices.Sort(names); !slices.Equal(names, []string{"m1:az1", "m2:az1"}) {
			t.Errorf("%s: %v", path, names)
		}
	}
	for filter, cloud := range map[string]string{"m2:az1": "m2", "m1": "m1", "az1": "", "m1:nowhere": "-", "nowhere": "-"} {
		want := map[string]bool{}
		for name, end := range ends {
			if cloud == "" || cloud == name {
				all, err := canonical.ListServers.Do(adminCtx(t), end, canonical.ServerList{})
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range all.Result.Items {
					want[string(s.ID)] = true
				}
			}
		}
		got := map[string]bool{}
		status, _ := listed(t, f, "/servers/detail?limit=2&availability_zone="+filter)
		for id := range status {
			got[id] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("servers of zone %s: %s", filter, diff)
		}
	}
	one := over(nova.Table(), behind(t, map[string]canonical.Cloud{"m1": ends["m1"]}), "m1")
	if answer := string(get(t, one, "/os-availability-zone").Body); !strings.Contains(answer, `"zoneName":"az1"`) {
		t.Errorf("of one cloud: %s", answer)
	}
}

// TestVolumesOfZones: volumes are made in the zone of the cloud that is named.
func TestVolumesOfZones(t *testing.T) {
	f, ends := twoClouds(t)
	var made struct {
		Volume struct {
			ID   string
			Zone string `json:"availability_zone"`
		}
	}
	status, answer := post(t, f, "volume", "/volumes", `{"volume": {"size": 1, "availability_zone": "m2:az1"}}`, &made)
	if status != 202 || made.Volume.Zone != "m2:az1" {
		t.Fatalf("%d %s", status, answer)
	}
	if _, err := canonical.GetVolume.Do(adminCtx(t), ends["m2"], canonical.VolumeGet{ID: canonical.ID(made.Volume.ID)}); err != nil {
		t.Error(err)
	}
	if status, answer := post(t, f, "volume", "/volumes", `{"volume": {"size": 1, "availability_zone": "az1"}}`, nil); status != 409 && status != 400 {
		t.Errorf("ambiguous: %d %s", status, answer)
	}
}

// TestZoneThatOneCloudHas: a name that is one cloud's alone needs no cloud before it, and
// while that cloud is away it is not said to be nowhere.
func TestZoneThatOneCloudHas(t *testing.T) {
	has := memory.New(memory.Options{})
	ends := map[string]canonical.Cloud{
		"m1": without{memory.New(memory.Options{}), canonical.ListAvailabilityZones.Spec()}, "m2": has,
	}
	f := over(nova.Table(), behind(t, ends), "m1", "m2")
	flavor, image, network, _, _ := stock(t, ends["m2"])
	body := fmt.Sprintf(`{"server": {"name": "z", "flavorRef": %q, "imageRef": %q, "networks": [{"uuid": %q}], "availability_zone": "az1"}}`,
		flavor, image, network)
	var made struct{ Server struct{ ID string } }
	if status, answer := post(t, f, "compute", "/servers", body, &made); status != 202 {
		t.Fatalf("%d %s", status, answer)
	}
	inMemory(t, ends["m2"], made.Server.ID)
	has.SetFaults(func(context.Context, *canonical.Spec) error {
		return canonical.Errorf(canonical.Unavailable, "the cloud cannot be reached")
	})
	if status, answer := post(t, f, "compute", "/servers", body, nil); status != 503 {
		t.Errorf("while it is away: %d %s", status, answer)
	}
}
