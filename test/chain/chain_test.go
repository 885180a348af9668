// Package chain drives dialects through both engines: a facade over an adapter over
// a facade of the same dialect over memory.
package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/adapters/wire"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/facade"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/h3c"
	"github.com/dragoman-cloud/dragoman/translate/huawei"
)

// jobs does what the broker owes a facade: it gives every task a job, and does not
// tell a cloud of another dialect what is advisory (native).
type jobs struct {
	canonical.Cloud
	mu    sync.Mutex
	tasks map[canonical.ID]*canonical.Task
}

func (j *jobs) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	if get, ok := call.Request.(canonical.OperationGet); ok {
		return j.operation(ctx, get.ID)
	}
	if create, ok := call.Request.(canonical.ServerCreate); ok {
		create.Native = nil
		call.Request = create
	}
	reply, err := j.Cloud.Do(ctx, call)
	if err != nil || reply.Task == nil {
		return reply, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	id := canonical.ID(fmt.Sprintf("job-%d", len(j.tasks)))
	j.tasks[id] = reply.Task
	reply.Task = &canonical.Task{Job: id, Resources: reply.Task.Resources}
	return reply, nil
}

func (j *jobs) operation(ctx context.Context, id canonical.ID) (canonical.Reply, error) {
	j.mu.Lock()
	task := j.tasks[id]
	j.mu.Unlock()
	if task == nil {
		return canonical.Reply{}, canonical.Errorf(canonical.NotFound, "no such job")
	}
	p, err := task.Check(ctx, j.Cloud)
	o := canonical.Operation{ID: id, Operation: "server.create", Status: canonical.OperationRunning, Resources: p.Resources}
	if p.Verdict == canonical.TaskSucceeded {
		o.Status = canonical.OperationSucceeded
	}
	return canonical.Reply{Result: o}, err
}

// conn carries requests to a facade in this process.
type conn struct{ to *facade.Facade }

var bases = map[string]string{"compute": "http://c", "image": "http://i", "network": "http://n"}

func (c conn) Send(ctx context.Context, req *translate.Request) (*translate.Response, error) {
	copied := *req
	return c.to.Handle(ctx, &copied, bases), nil
}

func (conn) Session(context.Context, string) (wire.Session, error) {
	return wire.Session{Bases: bases, Project: "p1", User: "u1"}, nil
}

// chain is the outermost facade and the memory at the end.
func chain(t *testing.T, table *translate.Table) (*facade.Facade, canonical.Cloud) {
	t.Helper()
	end := memory.New(memory.Options{Delay: 20 * time.Millisecond})
	over := func(c canonical.Cloud) *facade.Facade {
		return facade.New(facade.Options{Table: table, Cloud: c, Authenticate: admin})
	}
	middle := wire.New(table, conn{over(&jobs{Cloud: end, tasks: map[canonical.ID]*canonical.Task{}})})
	return over(middle), end
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
	if s := inMemory(t, end, made.Server.ID); s.Name != "test" || s.Metadata["mine"] != "x" || len(s.Metadata) != 1 {
		t.Errorf("memory holds %+v", s)
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
	if call(t, f, huawei.Compute, "GET", job, "", 200, &j); j.Status != "SUCCESS" {
		t.Errorf("job ended as %+v", j)
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

// TestCreateSurvives: a canonical create is the same after it was said and heard,
// or is refused by field.
func TestCreateSurvives(t *testing.T) {
	yes := true
	base := canonical.ServerCreate{
		Name: "a", Flavor: "f", Image: "i", AvailabilityZone: "z", Description: "d", Keypair: "k", AdminPassword: "p", ServerGroup: "g",
		SecurityGroups: []canonical.Ref{"s"},
		Networks:       canonical.Networks{Mode: canonical.NetworksList, List: []canonical.NetworkChoice{{Network: "n", IP: "10.0.0.9"}}},
	}
	changes := map[string]func(*canonical.ServerCreate){
		"plain": func(*canonical.ServerCreate) {}, "host": func(r *canonical.ServerCreate) { r.Host = "h:cvk(1)" },
		"metadata": func(r *canonical.ServerCreate) { r.Metadata = map[string]string{"m": "v"} },
		"tags":     func(r *canonical.ServerCreate) { r.Tags = []string{"a.b"} }, "count": func(r *canonical.ServerCreate) { r.Count = 3 },
		"disk":    func(r *canonical.ServerCreate) { r.RootDiskGiB = 40 },
		"volumes": func(r *canonical.ServerCreate) { r.Volumes = []canonical.VolumeCreate{{SizeGiB: 1, Type: "SSD"}} },
		"drive":   func(r *canonical.ServerCreate) { r.ConfigDrive = &yes },
		"files":   func(r *canonical.ServerCreate) { r.Files = []canonical.File{{Path: "/a", Contents: "YQ=="}} },
	}
	for name, change := range changes {
		for _, table := range []*translate.Table{h3c.Table(), huawei.Table()} {
			t.Run(table.Dialect+"/"+name, func(t *testing.T) {
				req := base
				if table.Dialect == "huawei" {
					req.Native = map[string]any{"root_volume_type": "SAS"}
				}
				change(&req)
				survive(t, table, req)
			})
		}
	}
}

func survive(t *testing.T, table *translate.Table, req canonical.ServerCreate) {
	t.Helper()
	env := &translate.Env{Project: "p1", User: "u1", Facts: map[string]any{
		"vpc": "v", "zones": []canonical.AvailabilityZone{{ID: "zid", Name: "z"}},
	}}
	row, _ := table.Row(canonical.CreateServer.Spec(), req)
	said, err := table.Say(row, req, env, translate.Window{})
	if err != nil {
		if e := canonical.AsError(err); len(e.Fields) == 0 {
			t.Errorf("refused without a field: %v", err)
		}
		return
	}
	heard, err := row.HearRequest(said, env)
	if diff := cmp.Diff(req, heard); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

// TestExamples: every documented example of these rows is heard by its row.
func TestExamples(t *testing.T) {
	root := "../../../shared/vectors"
	if _, err := os.Stat(root); err != nil {
		t.Skip("the catalogue's examples are not here")
	}
	for pattern, c := range map[string]struct {
		table         *translate.Table
		method, path_ string
	}{
		"h3c/h3c.server.create.request.json":              {h3c.Table(), "POST", "/os/compute/v1/v2/p1/servers"},
		"huawei-ecs/hws.cloudserver.create*.request.json": {huawei.Table(), "POST", "/v1.1/p1/cloudservers"},
		"huawei-ecs/hws.server.rebuild.request.json":      {huawei.Table(), "POST", "/v2.1/p1/servers/s1/action"},
	} {
		files, _ := filepath.Glob(filepath.Join(root, pattern)) // the pattern is right
		for _, name := range files {
			body, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			req := &translate.Request{Service: "compute", Method: c.method, Path: c.path_, Body: body}
			rows, _ := c.table.Candidates(req)
			row, ok := translate.Pick(rows, req, &translate.Env{})
			if !ok || !strings.HasPrefix(filepath.Base(name), row.Row.ID) {
				t.Errorf("%s is not heard by its row", name)
			}
		}
	}
}

// FuzzHear: no body makes a decoder panic.
func FuzzHear(f *testing.F) {
	f.Add([]byte(`{"server": {"name": "a", "metadata": {"zone_uuid": "z"}, "availability_zone": "z:h:c"}}`))
	f.Add([]byte(`{"rebuild": {"imageRef": "http://x/y"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, table := range []*translate.Table{h3c.Table(), huawei.Table()} {
			for i := range table.Rows {
				r := &table.Rows[i]
				env := &translate.Env{Facts: map[string]any{"zones": []canonical.AvailabilityZone{{ID: "z", Name: "z"}}}}
				req := &translate.Request{Body: body, Params: map[string]string{}, Query: url.Values{}}
				if _, err := r.HearRequest(req, env); err != nil && canonical.CodeOf(err) == canonical.Internal {
					t.Errorf("%s: %v", r.ID, err)
				}
				if _, err := r.HearReply(&translate.Response{Status: 200, Body: body}, env); err != nil && canonical.CodeOf(err) == canonical.Internal {
					t.Errorf("%s: %v", r.ID, err)
				}
			}
		}
	})
}
