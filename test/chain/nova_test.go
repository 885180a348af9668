package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/adapters/wire"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/facade"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/nova"
)

// twoClouds is the Nova facade over a broker of two clouds with three servers each,
// all of the same age.
func twoClouds(t *testing.T, given ...*memory.FakeClock) (*facade.Facade, map[string]*memory.Cloud) {
	t.Helper()
	clock := memory.NewFakeClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	if len(given) > 0 {
		clock = given[0]
	}
	ends := map[string]*memory.Cloud{
		"m1": memory.New(memory.Options{Clock: clock}), "m2": memory.New(memory.Options{Clock: clock}),
	}
	b := behind(t, map[string]canonical.Cloud{"m1": ends["m1"], "m2": ends["m2"]})
	for _, end := range ends {
		flavor, image, _, _, _ := stock(t, end)
		for i := range 3 {
			_, err := canonical.CreateServer.Do(adminCtx(t), end, canonical.ServerCreate{
				Name: fmt.Sprintf("web-%d", i), Flavor: canonical.Ref(flavor), Image: canonical.Ref(image),
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return over(nova.Table(), b, "m1", "m2"), ends
}

func get(t *testing.T, f *facade.Facade, target string, version ...string) *translate.Response {
	t.Helper()
	header := http.Header{}
	for _, v := range version {
		header.Set("OpenStack-API-Version", "compute "+v)
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return f.Handle(t.Context(), &translate.Request{
		Service: "compute", Method: "GET", Path: u.EscapedPath(), Query: u.Query(), Header: header,
	}, bases)
}

type novaPage struct {
	Servers []struct{ ID, Name string }
	Links   []struct{ Rel, Href string } `json:"servers_links"`
}

// TestMarkersAcrossClouds: pages by marker tell of every server of every cloud once,
// in every order, also where a filter stands between.
func TestMarkersAcrossClouds(t *testing.T) {
	f, _ := twoClouds(t)
	for _, query := range []string{"", "&name=web", "&sort_key=display_name&sort_dir=asc", "&sort_key=display_name&sort_dir=desc", "&sort_key=created_at&sort_dir=asc"} {
		for limit := 1; limit <= 7; limit++ {
			target, seen := fmt.Sprintf("/servers?limit=%d%s", limit, query), []string{}
			for target != "" && len(seen) < 20 {
				var page novaPage
				resp := get(t, f, target)
				if err := json.Unmarshal(resp.Body, &page); err != nil || resp.Status != 200 {
					t.Fatalf("%s: %d %s", target, resp.Status, resp.Body)
				}
				for _, s := range page.Servers {
					seen = append(seen, s.ID)
				}
				target = ""
				if len(page.Links) > 0 {
					target = strings.TrimPrefix(page.Links[0].Href, bases["compute"])
				}
			}
			if slices.Sort(seen); len(seen) != 6 || len(slices.Compact(seen)) != 6 {
				t.Errorf("limit %d%s: %d servers on all pages: %v", limit, query, len(seen), seen)
			}
		}
	}
}

// decode reads the body of an answer that is one.
func decode(t *testing.T, resp *translate.Response, out any) {
	t.Helper()
	if err := json.Unmarshal(resp.Body, out); err != nil || resp.Status >= 300 {
		t.Fatalf("%d %s: %v", resp.Status, resp.Body, err)
	}
}

// listed follows the links of a list to its end: the status of each server by its id, and
// how often it was told.
func listed(t *testing.T, f *facade.Facade, target string, version ...string) (status map[string]string, told int) {
	t.Helper()
	status = map[string]string{}
	for target != "" && told < 50 {
		var page struct {
			Servers []struct{ ID, Status string }
			Links   []struct{ Rel, Href string } `json:"servers_links"`
		}
		resp := get(t, f, target, version...)
		if err := json.Unmarshal(resp.Body, &page); err != nil || resp.Status != 200 {
			t.Fatalf("%s: %d %s", target, resp.Status, resp.Body)
		}
		for _, s := range page.Servers {
			status[s.ID] = s.Status
			told++
		}
		target = ""
		if len(page.Links) > 0 {
			target = strings.TrimPrefix(page.Links[0].Href, bases["compute"])
		}
	}
	return status, told
}

// TestChangesAcrossClouds: changes-since tells what changed on every cloud, the deleted
// servers too, page by page.
func TestChangesAcrossClouds(t *testing.T) {
	clock := memory.NewFakeClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	f, ends := twoClouds(t, clock)
	clock.Advance(time.Hour)
	since, before := clock.Now().Format(time.RFC3339), clock.Now().Add(-time.Minute).Format(time.RFC3339)
	want := map[string]string{}
	for _, name := range []string{"m1", "m2"} {
		all, err := canonical.ListServers.Do(adminCtx(t), ends[name], canonical.ServerList{})
		if err != nil {
			t.Fatal(err)
		}
		gone, stopped := all.Result.Items[0].ID, all.Result.Items[1].ID
		if _, err := canonical.DeleteServer.Do(adminCtx(t), ends[name], canonical.ServerDelete{ID: gone}); err != nil {
			t.Fatal(err)
		}
		if _, err := canonical.StopServer.Do(adminCtx(t), ends[name], canonical.ServerStop{ID: stopped}); err != nil {
			t.Fatal(err)
		}
		want[string(gone)], want[string(stopped)] = "DELETED", "SHUTOFF"
	}
	for limit := 1; limit <= 5; limit++ {
		page := fmt.Sprintf("/servers/detail?limit=%d&", limit)
		got, told := listed(t, f, page+"changes-since="+since)
		if diff := cmp.Diff(want, got); diff != "" || told != len(want) {
			t.Errorf("limit %d: %d servers told: %s", limit, told, diff)
		}
		if got, told := listed(t, f, page+"deleted=true"); told != 2 || len(got) != 2 {
			t.Errorf("limit %d: deleted servers: %v", limit, got)
		}
		if got, told := listed(t, f, page+"changes-before="+before, "2.66"); told != 2 || len(got) != 2 {
			t.Errorf("limit %d: servers that did not change: %v", limit, got)
		}
		if got, _ := listed(t, f, page+"changes-since="+since+"&deleted=false"); len(got) != 2 {
			t.Errorf("limit %d: changed and there: %v", limit, got)
		}
	}
	if got, _ := listed(t, f, "/servers/detail"); len(got) != 4 {
		t.Errorf("servers that are there: %v", got)
	}
	clock.Advance(time.Hour)
	if got, told := listed(t, f, "/servers/detail?changes-since="+clock.Now().Format(time.RFC3339)); told != 0 {
		t.Errorf("nothing has changed, but %v", got)
	}
	for target, status := range map[string]int{
		"/servers?changes-since=soon": 400, "/servers?changes-since=" + since + "&changes-before=2020-01-01": 400,
		"/servers?marker=nobody&changes-since=" + since: 400,
	} {
		if r := get(t, f, target); r.Status != status {
			t.Errorf("%s: %d %s", target, r.Status, r.Body)
		}
	}
	ends["m2"].SetFaults(func(context.Context, *canonical.Spec) error {
		return canonical.Errorf(canonical.Unavailable, "the cloud cannot be reached")
	})
	if r := get(t, f, "/servers/detail?changes-since="+since); r.Status != 503 {
		t.Errorf("with a cloud away: %d %s", r.Status, r.Body)
	}
}

// TestListWithoutTheUnable: a cloud that has none of a kind takes nothing from a list of
// it, and is not away.
func TestListWithoutTheUnable(t *testing.T) {
	f := over(nova.Table(), behind(t, map[string]canonical.Cloud{
		"m1": memory.New(memory.Options{}), "m2": without{memory.New(memory.Options{}), canonical.ListServers.Spec()},
	}), "m1", "m2")
	if r := get(t, f, "/servers/detail"); r.Status != 200 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	f = over(nova.Table(), behind(t, map[string]canonical.Cloud{
		"m1": without{memory.New(memory.Options{}), canonical.ListServers.Spec()},
	}), "m1")
	if r := get(t, f, "/servers/detail"); r.Status == 200 || r.Status == 503 {
		t.Errorf("a list that nobody offers: %d %s", r.Status, r.Body)
	}
}

// without is a cloud that lacks an operation.
type without struct {
	canonical.Cloud
	op *canonical.Spec
}

func (w without) Support(ctx context.Context, op *canonical.Spec) canonical.Support {
	if op == w.op {
		return canonical.Unsupportedf("there are none here")
	}
	return w.Cloud.Support(ctx, op)
}

func (w without) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	if call.Op == w.op {
		return canonical.Reply{}, canonical.Errorf(canonical.Unsupported, "there are none here")
	}
	return w.Cloud.Do(ctx, call)
}

// TestOneCloudAway: with one of two clouds unreachable nothing is said to be missing
// that may be there, and what is on the other cloud is reached by its id.
func TestOneCloudAway(t *testing.T) {
	f, ends := twoClouds(t)
	var page novaPage
	if err := json.Unmarshal(get(t, f, "/servers").Body, &page); err != nil {
		t.Fatal(err)
	}
	ends["m2"].SetFaults(func(context.Context, *canonical.Spec) error {
		return canonical.Errorf(canonical.Unavailable, "the cloud cannot be reached")
	})
	reached := 0
	for _, s := range page.Servers {
		switch r := get(t, f, "/servers/"+s.ID); r.Status {
		case 200:
			reached++
		case 503:
			if !strings.Contains(string(r.Body), `"serviceUnavailable"`) {
				t.Errorf("not Nova's own body: %s", r.Body)
			}
		default:
			t.Errorf("%s: %d %s", s.ID, r.Status, r.Body)
		}
	}
	if reached != 3 {
		t.Errorf("%d servers of the cloud that answers are reached", reached)
	}
	for _, target := range []string{"/servers/web-1", "/servers?name=web-1", "/servers?name=nobody", "/servers/detail", "/flavors", "/os-keypairs"} {
		if r := get(t, f, target); r.Status != 503 || r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v %.200s", target, r.Status, r.Header, r.Body)
		}
	}
}

// TestNovaChain: at every version a client sees through two dragomans what it sees
// through one.
func TestNovaChain(t *testing.T) {
	end := memory.New(memory.Options{})
	inner := over(nova.Table(), behind(t, map[string]canonical.Cloud{"m1": end}), "m1")
	window := translate.Window{Min: nova.MinVersion, Max: nova.MaxVersion}
	outer := over(nova.Table(), wire.New(nova.Table(), conn{inner, window}))
	flavor, image, network, zone, _ := stock(t, end)
	body := fmt.Sprintf(`{"server": {"name": "web", "flavorRef": %q, "imageRef": %q, "networks": [{"uuid": %q}],
		"availability_zone": %q, "metadata": {"a": "b"}, "adminPass": "x"}}`, flavor, image, network, zone)
	var made struct {
		Server struct{ ID, AdminPass string }
	}
	call(t, outer, "compute", "POST", "/servers", body, 202, &made)
	if made.Server.AdminPass != "x" {
		t.Errorf("made %+v", made)
	}
	settle(t, end, made.Server.ID)
	for _, version := range []string{"2.1", "2.25", "2.53", "2.67", "2.79", "2.93"} {
		for _, target := range []string{"/servers", "/servers/detail", "/servers/" + made.Server.ID, "/flavors", "/flavors/detail", "/os-keypairs", "/os-availability-zone"} {
			near, far := get(t, inner, target, version), get(t, outer, target, version)
			if near.Status != 200 || far.Status != 200 {
				t.Fatalf("%s at %s: %d %d %s", target, version, near.Status, far.Status, far.Body)
			}
			if diff := cmp.Diff(tree(t, near.Body), tree(t, far.Body)); diff != "" {
				t.Errorf("%s at %s (-near +far): %s", target, version, diff)
			}
		}
	}
	for _, step := range []struct {
		body string
		done canonical.ServerStatus
	}{
		{`{"os-stop": null}`, canonical.ServerStopped},
		{`{"os-start": null}`, canonical.ServerRunning},
		{`{"reboot": {"type": "HARD"}}`, canonical.ServerRunning},
		{fmt.Sprintf(`{"rebuild": {"imageRef": %q, "name": "anew"}}`, image), canonical.ServerRunning},
	} {
		call(t, outer, "compute", "POST", "/servers/"+made.Server.ID+"/action", step.body, 202, nil)
		if s := inMemory(t, end, made.Server.ID); s.Status != step.done {
			t.Errorf("after %s it is %s", step.body, s.Status)
		}
	}
	call(t, outer, "compute", "POST", "/servers/"+made.Server.ID+"/action", `{"os-start": null}`, 409, nil)
	call(t, outer, "compute", "PUT", "/servers/"+made.Server.ID, `{"server": {"name": "last"}}`, 200, nil)
	if s := inMemory(t, end, made.Server.ID); s.Name != "last" {
		t.Errorf("it is named %s", s.Name)
	}
	call(t, outer, "compute", "DELETE", "/servers/"+made.Server.ID, "", 204, nil)
	call(t, outer, "compute", "GET", "/servers/"+made.Server.ID, "", 404, nil)
}

func tree(t *testing.T, body []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}

// TestThrottledCloud: a cloud that limits its rate for a moment makes calls late; the
// client is told neither of it nor of a server that is not there.
func TestThrottledCloud(t *testing.T) {
	f, ends := twoClouds(t)
	var page novaPage
	if err := json.Unmarshal(get(t, f, "/servers").Body, &page); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/servers", "/servers/" + page.Servers[0].ID, "/servers/detail?limit=2", "/servers/" + page.Servers[5].ID} {
		for _, end := range ends {
			var refused atomic.Int32
			end.SetFaults(func(context.Context, *canonical.Spec) error {
				if refused.Add(1) > 2 {
					return nil
				}
				return &canonical.Error{Code: canonical.RateLimited, RetryAfter: 10 * time.Millisecond, Upstream: &canonical.Upstream{Status: 429}}
			})
		}
		if r := get(t, f, target); r.Status != 200 {
			t.Errorf("%s: %d %s", target, r.Status, r.Body)
		}
	}
}
