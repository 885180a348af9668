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
func twoClouds(t *testing.T) (*facade.Facade, map[string]*memory.Cloud) {
	t.Helper()
	clock := memory.NewFakeClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
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
