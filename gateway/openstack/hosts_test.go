package openstack_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
)

// at makes a read at a microversion of compute.
func at(t *testing.T, url, token, version string, into any) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", token)
	r.Header.Set("OpenStack-API-Version", "compute "+version)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// TestHypervisors: they have numbers at first and UUIDs later, and are found by both;
// what they have is not told any more in the end.
func TestHypervisors(t *testing.T) {
	base := serveCloud(t, "", memory.New(memory.Options{Capacity: memory.Capacity{VCPUs: 9}}))
	token := login(t, base)
	hosts := base + "/compute/v2.1/os-hypervisors"
	for version, tt := range map[string]struct {
		id      func(any) bool
		vcpus   any
		unknown int
	}{
		"2.1":  {func(id any) bool { _, ok := id.(float64); return ok }, 5.0, 404},
		"2.53": {func(id any) bool { s, ok := id.(string); return ok && len(s) == 36 }, 5.0, 400},
		"2.88": {func(id any) bool { s, ok := id.(string); return ok && len(s) == 36 }, nil, 400},
	} {
		var list struct{ Hypervisors []map[string]any }
		if s := at(t, hosts+"/detail", token, version, &list); s != 200 || len(list.Hypervisors) != 2 {
			t.Fatalf("%s: %d %v", version, s, list)
		}
		first := list.Hypervisors[0]
		if !tt.id(first["id"]) || first["vcpus"] != tt.vcpus || first["hypervisor_hostname"] != "memory-1" {
			t.Errorf("%s: %v", version, first)
		}
		id, err := json.Marshal(first["id"])
		if err != nil {
			t.Fatal(err)
		}
		var text string
		if json.Unmarshal(id, &text) != nil {
			text = string(id)
		}
		var one struct{ Hypervisor map[string]any }
		if s := at(t, hosts+"/"+text, token, version, &one); s != 200 || one.Hypervisor["hypervisor_hostname"] != "memory-1" {
			t.Errorf("%s: %s: %d %v", version, text, s, one)
		}
		var fault map[string]any
		if s := at(t, hosts+"/memory-1", token, version, &fault); s != tt.unknown {
			t.Errorf("%s: by name: %d %v", version, s, fault)
		}
	}
}

// TestHypervisorUptime: it is not known of a hypervisor that is there, and of another
// there is none.
func TestHypervisorUptime(t *testing.T) {
	base := serveCloud(t, "", memory.New(memory.Options{}))
	token := login(t, base)
	for id, want := range map[string]int{"": 501, "11111111-2222-4333-8444-555555555555": 404} {
		var list struct{ Hypervisors []struct{ ID string } }
		if at(t, base+"/compute/v2.1/os-hypervisors", token, "2.53", &list); id == "" {
			id = list.Hypervisors[0].ID
		}
		var fault map[string]any
		if s := at(t, base+"/compute/v2.1/os-hypervisors/"+id+"/uptime", token, "2.53", &fault); s != want {
			t.Errorf("%s: %d %v", id, s, fault)
		}
	}
}

// TestServersOfHypervisor: hypervisors tell what runs on them, up to 2.52.
func TestServersOfHypervisor(t *testing.T) {
	base := serveCloud(t, "", memory.New(memory.Options{}))
	token := login(t, base)
	var made struct{ Server struct{ ID string } }
	call(t, "POST", base+"/compute/v2.1/servers", token, newServer, &made)
	var got struct {
		Hypervisors []struct {
			Servers []struct{ UUID string }
		}
	}
	if s := at(t, base+"/compute/v2.1/os-hypervisors/memory/servers", token, "2.52", &got); s != 200 || len(got.Hypervisors) != 2 {
		t.Fatalf("%d %+v", s, got)
	}
	found := 0
	for _, h := range got.Hypervisors {
		for _, s := range h.Servers {
			if s.UUID == made.Server.ID {
				found++
			}
		}
	}
	if found != 1 {
		t.Errorf("the server is on %d hypervisors: %+v", found, got)
	}
	var fault map[string]any
	for path, version := range map[string]string{"nothing/servers": "2.1", "memory/servers": "2.53"} {
		if s := at(t, base+"/compute/v2.1/os-hypervisors/"+path, token, version, &fault); s != 404 {
			t.Errorf("%s at %s: %d %v", path, version, s, fault)
		}
	}
}

// TestNetworkQuota: the limits of networks are told of the own project alone.
func TestNetworkQuota(t *testing.T) {
	base := serveCloud(t, "", memory.New(memory.Options{}))
	token := login(t, base)
	var list struct{ Networks []struct{ ID string } }
	var own struct {
		Token struct{ Project struct{ ID string } }
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/identity/v3/auth/tokens", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", token)
	r.Header.Set("X-Subject-Token", token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(resp.Body).Decode(&own); err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	at(t, base+"/network/v2.0/networks", token, "2.1", &list)
	var got struct{ Quota map[string]int }
	if s := at(t, base+"/network/v2.0/quotas/"+own.Token.Project.ID, token, "2.1", &got); s != 200 || got.Quota["network"] != -1 || len(got.Quota) != 9 {
		t.Errorf("%d %v", s, got)
	}
	var use struct {
		Quota map[string]struct{ Limit, Used int }
	}
	for _, form := range []string{"/details", "/details.json"} {
		if s := at(t, base+"/network/v2.0/quotas/"+own.Token.Project.ID+form, token, "2.1", &use); s != 200 || use.Quota["network"].Used != len(list.Networks) {
			t.Errorf("%s: %d %v beside %d networks", form, s, use, len(list.Networks))
		}
	}
	var fault map[string]any
	if s := at(t, base+"/network/v2.0/quotas/other", token, "2.1", &fault); s != 404 {
		t.Errorf("of another project: %d %v", s, fault)
	}
}

// TestLimits: what has no limit is -1, and old clients are told of more.
func TestLimits(t *testing.T) {
	base := serveCloud(t, "", memory.New(memory.Options{Capacity: memory.Capacity{Servers: 3}}))
	token := login(t, base)
	for version, images := range map[string]bool{"2.1": true, "2.93": false} {
		var got struct {
			Limits struct{ Absolute map[string]int }
		}
		s := at(t, base+"/compute/v2.1/limits", token, version, &got)
		a := got.Limits.Absolute
		_, old := a["maxImageMeta"]
		if s != 200 || a["maxTotalInstances"] != 3 || a["maxTotalCores"] != -1 || a["totalInstancesUsed"] != 0 || old != images {
			t.Errorf("%s: %d %v", version, s, a)
		}
	}
}

// TestConsoleOutput: a server tells what it wrote, as many lines as are asked for.
func TestConsoleOutput(t *testing.T) {
	base := serveCloud(t, "", memory.New(memory.Options{}))
	token := login(t, base)
	var made struct{ Server struct{ ID string } }
	call(t, "POST", base+"/compute/v2.1/servers", token, newServer, &made)
	for body, want := range map[string]string{
		`{"os-getConsoleOutput":{"length":1}}`:   "web login:",
		`{"os-getConsoleOutput":{"length":"1"}}`: "web login:",
	} {
		var got struct{ Output string }
		if r := call(t, "POST", base+"/compute/v2.1/servers/"+made.Server.ID+"/action", token, body, &got); r.StatusCode != 200 || got.Output != want {
			t.Errorf("%s: %d %q", body, r.StatusCode, got.Output)
		}
	}
	for _, body := range []string{`{"os-getConsoleOutput":{}}`, `{"os-getConsoleOutput":{"length":-1}}`, `{"os-getConsoleOutput":{"length":null}}`} {
		var got struct{ Output string }
		if r := call(t, "POST", base+"/compute/v2.1/servers/"+made.Server.ID+"/action", token, body, &got); r.StatusCode != 200 || len(got.Output) < 50 {
			t.Errorf("%s: %d %q", body, r.StatusCode, got.Output)
		}
	}
}
