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
