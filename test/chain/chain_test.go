// Package chain drives dialects through both engines: a facade over an adapter over
// a facade of the same dialect over memory.
package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/adapters/wire"
	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/facade"
	"github.com/dragoman-cloud/dragoman/store"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/h3c"
	"github.com/dragoman-cloud/dragoman/translate/huawei"
)

// conn carries requests to a facade in this process.
type conn struct {
	to     *facade.Facade
	window translate.Window // of compute
}

var bases = map[string]string{"compute": "http://c", "image": "http://i", "network": "http://n"}

func (c conn) Send(ctx context.Context, req *translate.Request) (*translate.Response, error) {
	copied := *req
	return c.to.Handle(ctx, &copied, bases), nil
}

func (c conn) Session(_ context.Context, service string) (wire.Session, error) {
	s := wire.Session{Bases: bases, Project: "p1", User: "u1"}
	if service == "compute" {
		s.Window = c.window
	}
	return s, nil
}

// behind is a broker over memory clouds: what a facade stands before.
func behind(t *testing.T, clouds map[string]canonical.Cloud) canonical.Cloud {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	var members []broker.Member
	for _, name := range slices.Sorted(maps.Keys(clouds)) {
		members = append(members, broker.Member{
			Name: name, Dialect: "memory", Timeout: 5 * time.Second,
			Open: func(string) (broker.Account, error) { return broker.Account{Cloud: clouds[name]}, nil },
		})
	}
	b, err := broker.New(broker.Options{Members: members, Store: s, PollFirst: time.Millisecond, PollMost: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(b.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return b
}

// over is the facade of a dialect over a cloud.
func over(table *translate.Table, c canonical.Cloud, names ...string) *facade.Facade {
	ids := &facade.IDs{Clouds: func(name string) bool { return slices.Contains(names, name) }, Zones: len(names) > 1}
	return facade.New(facade.Options{Table: table, Cloud: c, Authenticate: admin, IDs: ids})
}

// chain is the outermost facade and the memory at the end: a facade, the adapter of
// the same dialect, a facade, a broker, a cloud.
func chain(t *testing.T, table *translate.Table) (*facade.Facade, canonical.Cloud) {
	t.Helper()
	end := memory.New(memory.Options{Delay: 20 * time.Millisecond})
	inner := over(table, behind(t, map[string]canonical.Cloud{"m1": end}), "m1")
	return over(table, wire.New(table, conn{to: inner})), end
}

func admin(context.Context, *translate.Request) (facade.Principal, error) {
	return facade.Principal{Caller: canonical.Caller{Tenant: "t", Role: canonical.Admin}, Project: "p1", User: "u1"}, nil
}

// call asks the facade and wants that status; the answer is read into out.
func call(t *testing.T, f *facade.Facade, service, method, path, body string, status int, out any) {
	t.Helper()
	path, query, _ := strings.Cut(path, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	resp := f.Handle(adminCtx(t), &translate.Request{
		Service: service, Method: method, Path: path, Query: q, Header: http.Header{}, Body: []byte(body),
	}, bases)
	if resp.Status != status {
		t.Fatalf("%s %s: %d %s, want %d", method, path, resp.Status, resp.Body, status)
	}
	if out != nil {
		if err := json.Unmarshal(resp.Body, out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, resp.Body)
		}
	}
}

func adminCtx(t *testing.T) context.Context {
	t.Helper()
	return canonical.WithCaller(t.Context(), canonical.Caller{Tenant: "t", Role: canonical.Admin})
}

// stock is what memory has to make servers of.
func stock(t *testing.T, c canonical.Cloud) (flavor, image, network, zone string, zoneID string) {
	t.Helper()
	ctx := adminCtx(t)
	f, e1 := canonical.ListFlavors.Do(ctx, c, canonical.FlavorList{})
	i, e2 := canonical.ListImages.Do(ctx, c, canonical.ImageList{})
	n, e3 := canonical.ListNetworks.Do(ctx, c, canonical.NetworkList{})
	z, e4 := canonical.ListAvailabilityZones.Do(ctx, c, canonical.AvailabilityZoneList{})
	for _, err := range []error{e1, e2, e3, e4} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return string(f.Result.Items[0].ID), string(i.Result.Items[0].ID), string(n.Result.Items[0].ID),
		z.Result.Items[0].Name, string(z.Result.Items[0].ID)
}

func inMemory(t *testing.T, c canonical.Cloud, id string) canonical.Server {
	t.Helper()
	got, err := canonical.GetServer.Do(adminCtx(t), c, canonical.ServerGet{ID: canonical.ID(id)})
	if err != nil {
		t.Fatal(err)
	}
	return got.Result
}

func settle(t *testing.T, c canonical.Cloud, id string) {
	t.Helper()
	task := canonical.WaitStatus(canonical.ID(id), canonical.ServerRunning)
	if p, err := task.Await(adminCtx(t), c, time.Millisecond, 20*time.Millisecond); err != nil || p.Verdict != canonical.TaskSucceeded {
		t.Fatalf("%s: %+v %v", id, p, err)
	}
}

func TestH3C(t *testing.T) {
	f, end := chain(t, h3c.Table())
	flavor, image, network, zone, _ := stock(t, end)
	var zones []struct{ ID, Zone string }
	call(t, f, h3c.Compute, "GET", "/os/compute/v1/cloudos/azones", "", 200, &zones)
	body := fmt.Sprintf(`{"server": {"name": "test", "imageRef": %q, "flavorRef": %q, "availability_zone": %q,
		"networks": [{"uuid": %q, "enable_gateway": "true"}], "adminPass": "123", "security_groups": [],
		"metadata": {"user_name": "admin", "alias": "a", "description": "d", "zone_uuid": %q, "enableAdminPass": "1", "mine": "x"},
		"config_drive": false}}`, image, flavor, zone, network, zones[0].ID)
	var made, shown struct {
		Server struct{ ID, Name, Status string }
	}
	call(t, f, h3c.Compute, "POST", "/os/compute/v1/v2/p1/servers", body, 202, &made)
	s := inMemory(t, end, made.Server.ID)
	if _, vendors := s.Metadata["user_name"]; s.Name != "test" || s.Metadata["mine"] != "x" || vendors {
		t.Errorf("memory holds %q with metadata %v", s.Name, s.Metadata)
	}
	settle(t, end, made.Server.ID)
	call(t, f, h3c.Compute, "GET", "/os/compute/v1/v2/p1/servers/"+made.Server.ID, "", 200, &shown)
	if shown.Server.Status != "ACTIVE" || shown.Server.Name != "test" {
		t.Errorf("shown as %+v", shown)
	}
	var listed struct{ Servers []struct{ ID string } }
	call(t, f, h3c.Compute, "GET", "/os/compute/v1/v2/p1/servers/detail?limit=5", "", 200, &listed)
	if len(listed.Servers) != 1 {
		t.Errorf("listed %+v", listed)
	}
	for _, wrong := range [][2]string{{`"enable_gateway": "true"`, `"enable_gateway": "false"`}, {`"zone_uuid": "`, `"zone_uuid": "x`}} {
		bad := strings.Replace(body, wrong[0], wrong[1], 1)
		status := 400
		if strings.Contains(wrong[1], "gateway") {
			status = 501
		}
		call(t, f, h3c.Compute, "POST", "/os/compute/v1/v2/p1/servers", bad, status, nil)
	}
}

func TestHuawei(t *testing.T) {
	f, end := chain(t, huawei.Table())
	flavor, image, network, zone, _ := stock(t, end)
	var ids []string
	for i := range 3 {
		body := fmt.Sprintf(`{"server": {"availability_zone": %q, "name": "ecs-%d", "imageRef": %q, "flavorRef": %q, "vpcid": "v",
			"root_volume": {"volumetype": "SATA"}, "nics": [{"subnet_id": %q}], "tags": ["a.b"], "power_on": true,
			"metadata": {"admin_pass": "password"}}}`, zone, i, image, flavor, network)
		ids = append(ids, createECS(t, f, end, body))
	}
	var page struct {
		Count   int
		Servers []struct{ ID string }
	}
	list := "/v1/p1/cloudservers/detail"
	call(t, f, huawei.Compute, "GET", list, "", 200, &page)
	if page.Count != 3 || page.Servers != nil {
		t.Errorf("without offset: %+v", page)
	}
	call(t, f, huawei.Compute, "GET", list+"?offset=2&limit=2", "", 200, &page)
	if page.Count != 3 || len(page.Servers) != 1 {
		t.Errorf("second page: %+v", page)
	}
	rebuildAndRollBack(t, f, end, ids[0], image)
}

func createECS(t *testing.T, f *facade.Facade, end canonical.Cloud, body string) string {
	t.Helper()
	var j struct {
		JobID    string `json:"job_id"`
		Status   string
		Entities struct {
			SubJobs []struct {
				Entities struct {
					ServerID string `json:"server_id"`
				}
			} `json:"sub_jobs"`
		}
	}
	call(t, f, huawei.Compute, "POST", "/v1.1/p1/cloudservers", body, 200, &j)
	job := "/v1/p1/jobs/" + j.JobID
	call(t, f, huawei.Compute, "GET", job, "", 200, &j)
	id := j.Entities.SubJobs[0].Entities.ServerID
	settle(t, end, id)
	for end := time.Now().Add(10 * time.Second); j.Status != "SUCCESS"; { // the broker looks now and then
		if call(t, f, huawei.Compute, "GET", job, "", 200, &j); j.Status == "FAIL" || time.Now().After(end) {
			t.Fatalf("job ended as %+v", j)
		}
	}
	return id
}

func rebuildAndRollBack(t *testing.T, f *facade.Facade, end canonical.Cloud, id, image string) {
	t.Helper()
	action := "/v2.1/p1/servers/" + id + "/action"
	call(t, f, huawei.Compute, "POST", action, fmt.Sprintf(`{"rebuild": {"imageRef": %q, "name": "anew"}}`, image), 202, nil)
	settle(t, end, id)
	if s := inMemory(t, end, id); s.Name != "anew" {
		t.Errorf("after the rebuild it is %q", s.Name)
	}
	made, err := canonical.CreateServerSnapshot.Do(adminCtx(t), end, canonical.ServerSnapshotCreate{ID: canonical.ID(id), Name: "then"})
	if err != nil {
		t.Fatal(err)
	}
	settle(t, end, id)
	snapshot := snapshotOf(t, end, id, made)
	call(t, f, huawei.Compute, "POST", action, fmt.Sprintf(`{"rebuild": {"imageRef": %q, "name": "no"}}`, snapshot), 501, nil)
	call(t, f, huawei.Compute, "POST", action, fmt.Sprintf(`{"rebuild": {"imageRef": %q}}`, snapshot), 202, nil)
	settle(t, end, id)
	if s := inMemory(t, end, id); s.Name != "anew" {
		t.Errorf("after the roll back it is %q", s.Name)
	}
}

func snapshotOf(t *testing.T, c canonical.Cloud, id string, made canonical.TypedReply[canonical.ServerSnapshot]) canonical.ID {
	t.Helper()
	if made.Result.ID != "" {
		return made.Result.ID
	}
	all, err := canonical.ListServerSnapshots.Do(adminCtx(t), c, canonical.ServerSnapshotList{ID: canonical.ID(id)})
	if err != nil || len(all.Result.Items) == 0 {
		t.Fatalf("no snapshot: %v", err)
	}
	return all.Result.Items[0].ID
}
