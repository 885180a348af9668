package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/adapters/wire"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/facade"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/easystack"
	"github.com/dragoman-cloud/dragoman/translate/nova"
)

// project stands in the paths that most of EasyStack's document has.
const project = "/a335034a25e942c9b4dc9901b1604898"

// easyChain is two EasyStack facades with the adapter between them, over memory with a
// recycle bin; asked are the calls that the adapter sent.
func easyChain(t *testing.T) (outer *facade.Facade, end *memory.Cloud, asked *[]string) {
	t.Helper()
	end = memory.New(memory.Options{Recycle: time.Hour})
	inner := over(easystack.Table(), behind(t, map[string]canonical.Cloud{"m1": end}), "m1")
	window := translate.Window{Min: nova.MinVersion, Max: translate.Version{Major: 2, Minor: 88}}
	asked = &[]string{}
	return over(easystack.Table(), wire.New(easystack.Table(), logged{conn{inner, window}, asked})), end, asked
}

type easyServer struct {
	ID, Status  string
	Deleted     string
	EstimatedAt string   `json:"estimated_deleted"`
	MACs        []string `json:"addresses_labels_mac"`
	Flavor      struct {
		ID   string
		Name string `json:"original_name"`
	}
}

func easyList(t *testing.T, f *facade.Facade, query string) []easyServer {
	t.Helper()
	var page struct{ Servers []easyServer }
	call(t, f, "compute", "GET", project+"/servers/detail"+query, "", 200, &page)
	return page.Servers
}

// TestEasyStackServers: a server is made on a subnet, shown in full at the oldest
// version, resized while it runs, and goes through the recycle bin.
func TestEasyStackServers(t *testing.T) {
	f, end, asked := easyChain(t)
	flavor, image, network, zone, _ := stock(t, end)
	ctx := adminCtx(t)
	n, err := canonical.GetNetwork.Do(ctx, end, canonical.NetworkGet{ID: canonical.ID(network)})
	if err != nil || len(n.Result.Subnets) == 0 {
		t.Fatalf("%+v %v", n.Result, err)
	}
	body := fmt.Sprintf(`{"server": {"name": "web", "flavorRef": %q, "imageRef": %q, "availability_zone": %q,
		"networks": [{"uuid": %q, "subnet_id": [%q]}], "metadata": {"nodeinfo.com:bootorder": "{\"order\":[\"hd\"]}"}}}`,
		flavor, image, zone, network, n.Result.Subnets[0])
	var made, shown struct{ Server easyServer }
	call(t, f, "compute", "POST", "/servers", body, 202, &made)
	id := made.Server.ID
	settle(t, end, id)
	call(t, f, "compute", "GET", "/servers/"+id, "", 200, &shown)
	if s := shown.Server; s.Flavor.ID != flavor || s.Flavor.Name == "" || len(s.MACs) != 1 || s.Status != "ACTIVE" || s.EstimatedAt != "" {
		t.Errorf("shown as %+v", s)
	}
	if s := inMemory(t, end, id); s.Metadata["nodeinfo.com:bootorder"] == "" {
		t.Errorf("metadata %v", s.Metadata)
	}
	liveResize(t, f, end, id, flavor)
	throughTheBin(t, f, end, id)
	if all := strings.Join(*asked, "\n"); !strings.Contains(all, "2.67 POST /servers ") || !strings.Contains(all, "2.25 GET /servers/"+id) ||
		!strings.Contains(all, `{"live_resize":`) || !strings.Contains(all, "deleted=True") {
		t.Errorf("the adapter asked\n%s", all)
	}
}

// liveResize gives the server another flavor without a stop.
func liveResize(t *testing.T, f *facade.Facade, end canonical.Cloud, id, from string) {
	t.Helper()
	flavors, err := canonical.ListFlavors.Do(adminCtx(t), end, canonical.FlavorList{})
	if err != nil {
		t.Fatal(err)
	}
	to := ""
	for _, other := range flavors.Result.Items {
		if string(other.ID) != from && to == "" {
			to = string(other.ID)
		}
	}
	call(t, f, "compute", "POST", "/servers/"+id+"/action", fmt.Sprintf(`{"live_resize": {"flavorRef": %q}}`, to), 202, nil)
	settle(t, end, id)
	if s := inMemory(t, end, id); s.Flavor.ID == nil || string(*s.Flavor.ID) != to || s.Status != canonical.ServerRunning {
		t.Errorf("resized to %+v, %s", s.Flavor, s.Status)
	}
}

// throughTheBin deletes the server, restores it, deletes it again and purges it.
func throughTheBin(t *testing.T, f *facade.Facade, end canonical.Cloud, id string) {
	t.Helper()
	action := project + "/servers/" + id + "/action"
	call(t, f, "compute", "DELETE", "/servers/"+id, "", 204, nil)
	if left := easyList(t, f, ""); len(left) != 0 {
		t.Errorf("the list still has %+v", left)
	}
	bin := easyList(t, f, "?all_tenants=1&deleted=True")
	if len(bin) != 1 || bin[0].ID != id || bin[0].Deleted == "" || bin[0].EstimatedAt == "" {
		t.Fatalf("the bin has %+v", bin)
	}
	call(t, f, "compute", "POST", action, `{"restore": null}`, 202, nil)
	if s := inMemory(t, end, id); s.Status == canonical.ServerSoftDeleted {
		t.Errorf("restored it is %s", s.Status)
	}
	call(t, f, "compute", "DELETE", "/servers/"+id, "", 204, nil)
	call(t, f, "compute", "POST", action, `{"forceDelete": null}`, 202, nil)
	if bin := easyList(t, f, "?deleted=True"); len(bin) != 0 {
		t.Errorf("purged it is in the bin: %+v", bin)
	}
}

// TestEasyStackRest: what stands beside servers in the document works through the chain.
func TestEasyStackRest(t *testing.T) {
	f, _, asked := easyChain(t)
	var group struct {
		Group struct {
			ID, Policy string
			Policies   []string
		} `json:"server_group"`
	}
	call(t, f, "compute", "POST", project+"/os-server-groups", `{"server_group": {"name": "g", "policies": ["affinity"]}}`, 200, &group)
	if group.Group.Policy != "affinity" || len(group.Group.Policies) != 1 {
		t.Errorf("group %+v", group)
	}
	if all := strings.Join(*asked, "\n"); !strings.Contains(all, `2.15 POST /os-server-groups {"server_group":{"name":"g","policies":["affinity"]}}`) {
		t.Errorf("the adapter asked\n%s", all)
	}
	var flavors struct {
		Flavors []map[string]json.RawMessage
	}
	call(t, f, "compute", "GET", project+"/flavors", "", 200, &flavors)
	if len(flavors.Flavors) == 0 || flavors.Flavors[0]["ram"] == nil || flavors.Flavors[0]["extra_specs"] == nil {
		t.Errorf("flavors %+v", flavors)
	}
	for _, path := range []string{"/os-keypairs", "/os-aggregates", "/os-availability-zone/detail", "/os-hypervisors/detail", "/os-server-groups"} {
		call(t, f, "compute", "GET", project+path, "", 200, nil)
	}
	var images struct{ Images []struct{ ID string } }
	call(t, f, "image", "GET", "/v2/images", "", 200, &images)
	if len(images.Images) == 0 {
		t.Error("no images")
	}
	call(t, f, "compute", "POST", project+"/os-keypairs", `{"keypair": {"name": "k", "type": "ssh"}}`, 200, nil)
}

// TestNovaLacksIt: what EasyStack adds is no part of Nova's facade.
func TestNovaLacksIt(t *testing.T) {
	end := memory.New(memory.Options{})
	f := over(nova.Table(), behind(t, map[string]canonical.Cloud{"m1": end}), "m1")
	flavor, image, network, _, _ := stock(t, end)
	body := fmt.Sprintf(`{"server": {"name": "web", "flavorRef": %q, "imageRef": %q, "networks": [{"uuid": %q, "subnet_id": ["x"]}]}}`, flavor, image, network)
	call(t, f, "compute", "POST", "/servers", body, http.StatusBadRequest, nil)
	var made struct{ Server struct{ ID string } }
	call(t, f, "compute", "POST", project+"/servers", strings.Replace(body, `, "subnet_id": ["x"]`, "", 1), 202, &made)
	call(t, f, "compute", "POST", "/servers/"+made.Server.ID+"/action", `{"live_resize": {"flavorRef": "x"}}`, http.StatusBadRequest, nil)
	var shown struct{ Server map[string]json.RawMessage }
	call(t, f, "compute", "GET", "/servers/"+made.Server.ID, "", 200, &shown)
	for _, key := range []string{"deleted", "estimated_deleted", "addresses_labels_mac", "tags"} {
		if shown.Server[key] != nil {
			t.Errorf("Nova tells %s at 2.1", key)
		}
	}
}

// logged keeps what a conn is asked.
type logged struct {
	conn
	asked *[]string
}

func (l logged) Send(ctx context.Context, req *translate.Request) (*translate.Response, error) {
	*l.asked = append(*l.asked, fmt.Sprintf("%s %s %s%s %s",
		req.Header.Get("X-OpenStack-Nova-API-Version"), req.Method, req.Path, query(req), req.Body))
	return l.conn.Send(ctx, req)
}

func query(req *translate.Request) string {
	if len(req.Query) == 0 {
		return ""
	}
	return "?" + req.Query.Encode()
}
