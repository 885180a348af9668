package nova

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/transport"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	dialect "github.com/dragoman-cloud/dragoman/translate/nova"
)

// openNova is the adapter of the fake in OpenStack's own dialect.
func (f *fake) openNova() *Cloud {
	f.t.Helper()
	c, err := Open(Options{
		Endpoint: f.url, Region: "r1", Auth: Auth{Username: "demo", Password: "secret", Project: "demo"},
		Transport: transport.Options{Name: "c1", Timeout: 2 * time.Second, Backoff: time.Millisecond},
	}, dialect.Table())
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(c.Close)
	return c
}

// withFlavors answers what creates and lists must know first.
func withFlavors(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v2.1/flavors") {
			_, _ = io.WriteString(w, `{"flavors":[{"id":"1","name":"tiny","ram":64,"vcpus":1,"disk":1,"links":[]}]}`)
			return
		}
		h(w, r)
	}
}

// creates counts the creates that the fake got.
func (f *fake) creates() (n int) {
	for _, call := range f.calls() {
		if call.call == "POST /servers" {
			n++
		}
	}
	return n
}

func createNova(c canonical.Cloud, t *testing.T) (created, error) {
	t.Helper()
	return canonical.CreateServer.Do(t.Context(), c, canonical.ServerCreate{
		Name: "web", Flavor: "1", Image: "00000000-0000-4000-8000-000000000001", Networks: canonical.Networks{Mode: canonical.NetworksNone},
	})
}

// A create is sent once, whatever becomes of it, and its code says whether the cloud
// may have begun.
func TestACreateIsNeverRepeatedBlindly(t *testing.T) {
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    canonical.Code
	}{
		"reset":          {reset, canonical.UpstreamError},
		"hang":           {hang, canonical.Timeout},
		"web page":       {page, canonical.UpstreamError},
		"truncated JSON": {answer(`{"server":{"id":"s`), canonical.UpstreamError},
		"500":            {status(500, ""), canonical.UpstreamError},
		"502":            {status(502, ""), canonical.UpstreamError},
		"504":            {status(504, ""), canonical.Timeout},
		"503":            {status(503, ""), canonical.Unavailable},
		"409":            {status(409, ""), canonical.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, withFlavors(test.handler))
			_, err := createNova(f.openNova(), t)
			if got := canonical.CodeOf(err); got != test.want {
				t.Errorf("%s (%v), want %s", got, err, test.want)
			}
			if got := f.creates(); got != 1 {
				t.Errorf("sent %d times", got)
			}
		})
	}
}

// What fails before the create is sent leaves no doubt.
func TestACreateThatWasNotSentWasNotBegun(t *testing.T) {
	for name, keystone := range map[string]http.HandlerFunc{
		"refused account": status(401, ""), "web page": page, "broken": status(500, ""), "reset": reset, "hang": hang,
	} {
		f := newFake(t, withFlavors(answer(`{}`)))
		f.logIn = keystone
		_, err := createNova(f.openNova(), t)
		if got := canonical.CodeOf(err); got != canonical.Unavailable || f.creates() != 0 {
			t.Errorf("%s: %s (%v) after %d creates", name, got, err, f.creates())
		}
	}
}

// A cloud that says when to come back has not begun: that create is sent again.
func TestACreateThatWasTurnedAwayIsSentAgain(t *testing.T) {
	turned := false
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if !turned {
			turned = true
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		answer(`{"id":"s1","name":"web"}`)(w, r)
	})
	if r, err := create(t.Context(), f.open(), 1); err != nil || len(r.Result.Servers) != 1 || len(f.calls()) != 2 {
		t.Errorf("%+v, %v after %d calls", r, err, len(f.calls()))
	}
}

// The token ends between two pages: the list is whole, and no page is in it twice.
func TestTokenEndsInTheMiddleOfAList(t *testing.T) {
	var f *fake
	f = newFake(t, withFlavors(func(w http.ResponseWriter, r *http.Request) {
		marker := r.URL.Query().Get("marker")
		item := func(id string) string {
			return fmt.Sprintf(`{"id":%q,"name":%q,"status":"ACTIVE","created":"2026-01-02T03:04:05Z","flavor":{"id":"1"},"image":"","metadata":{},"addresses":{}}`, id, id)
		}
		next := func(id string) string {
			return fmt.Sprintf(`,"servers_links":[{"rel":"next","href":"%s/v2.1/servers/detail?marker=%s"}]`, f.url, id)
		}
		switch marker {
		case "":
			_, _ = io.WriteString(w, `{"servers":[`+item("a")+`]`+next("a")+`}`)
			f.expire()
		case "a":
			_, _ = io.WriteString(w, `{"servers":[`+item("b")+`]`+next("b")+`}`)
			f.expire()
		default:
			_, _ = io.WriteString(w, `{"servers":[`+item("c")+`]}`)
		}
	}))
	r, err := canonical.ListServers.Do(t.Context(), f.openNova(), canonical.ServerList{ListOptions: canonical.ListOptions{Sort: canonical.ByName}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range r.Result.Items {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, ""); got != "abc" || f.loginCount() != 3 {
		t.Errorf("listed %q after %d log-ins", got, f.loginCount())
	}
}

// A region that leaves the catalog is missed by name once the token is renewed, and
// found again when it comes back.
func TestRegionVanishes(t *testing.T) {
	f := newFake(t, answer(`{"id":"s1","name":"web"}`))
	c := f.open()
	catalog := func(text string) {
		f.mu.Lock()
		f.catalog = text
		f.mu.Unlock()
		f.expire()
	}
	if _, err := get(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	catalog(strings.ReplaceAll(fullCatalog, `"r1"`, `"r2"`))
	for range 2 {
		_, err := get(t.Context(), c)
		if e := canonical.AsError(err); canonical.CodeOf(err) != canonical.UpstreamError || !strings.Contains(e.Detail, "r1") {
			t.Errorf("without the region: %v", err)
		}
	}
	logins := f.loginCount()
	if _, err := get(t.Context(), c); err == nil || f.loginCount() != logins {
		t.Errorf("a catalog that lacks the region is asked for again at once: %v", err)
	}
	catalog(fullCatalog)
	c.conn.catalogAge = 0
	if _, err := get(t.Context(), c); err != nil {
		t.Errorf("with it again: %v", err)
	}
}

// Each call says the lowest version that carries what it needs.
func TestLowestVersion(t *testing.T) {
	versions := map[string]string{}
	f := newFake(t, withFlavors(func(w http.ResponseWriter, r *http.Request) {
		versions[r.Method+" "+r.URL.Path] = strings.TrimPrefix(r.Header.Get("Openstack-Api-Version"), "compute ")
		w.WriteHeader(http.StatusAccepted)
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/servers") {
			_, _ = io.WriteString(w, `{"server":{"id":"s1","links":[],"adminPass":"x"}}`)
		}
	}))
	c := f.openNova()
	base := canonical.ServerCreate{
		Name: "web", Flavor: "1", Image: "00000000-0000-4000-8000-000000000001",
		Networks: canonical.Networks{Mode: canonical.NetworksList, List: []canonical.NetworkChoice{{Network: "00000000-0000-4000-8000-000000000002"}}},
	}
	noNetworks, described, tagged := base, base, base
	noNetworks.Networks = canonical.Networks{Mode: canonical.NetworksNone}
	described.Description, tagged.Tags = "text", []string{"a"}
	for want, r := range map[string]canonical.ServerCreate{"2.1": base, "2.37": noNetworks, "2.19": described, "2.52": tagged} {
		if _, err := canonical.CreateServer.Do(t.Context(), c, r); err != nil {
			t.Error(err)
		}
		if got := versions["POST /v2.1/servers"]; got != want {
			t.Errorf("%+v goes at %s, want %s", r, got, want)
		}
	}
}

// TestVersionsShrink: a cloud that is taken back to an older release refuses the version
// that it spoke before. It is asked again at once, and hears what it can.
func TestVersionsShrink(t *testing.T) {
	var f *fake
	f = newFake(t, withFlavors(func(w http.ResponseWriter, r *http.Request) {
		asked, err := translate.ParseVersion(strings.TrimPrefix(r.Header.Get("Openstack-Api-Version"), "compute "))
		most, _ := translate.ParseVersion(f.newestVersion())
		switch {
		case err != nil:
			t.Errorf("version %q", r.Header.Get("Openstack-Api-Version"))
		case asked.Compare(most) > 0:
			w.WriteHeader(http.StatusNotAcceptable)
			_, _ = fmt.Fprintf(w, `{"computeFault":{"code":406,"message":"Version %s is not supported by the API. Minimum is 2.1 and maximum is %s."}}`, asked, most)
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"server":{"id":"s1","links":[],"adminPass":"x"}}`)
		default:
			_, _ = io.WriteString(w, `{"server":{"id":"s1","name":"web","status":"ACTIVE","flavor":{"id":"1"}}}`)
		}
	}))
	c := f.openNova()
	look := func() error {
		_, err := canonical.GetServer.Do(t.Context(), c, canonical.ServerGet{ID: "s1"})
		return err
	}
	if err := look(); err != nil {
		t.Fatal(err)
	}
	f.speak("2.30")
	if err := look(); err != nil {
		t.Errorf("a read in a version of before: %v", err)
	}
	tagged := canonical.ServerCreate{
		Name: "web", Flavor: "1", Image: "00000000-0000-4000-8000-000000000001", Tags: []string{"a"},
		Networks: canonical.Networks{Mode: canonical.NetworksList, List: []canonical.NetworkChoice{{Network: "00000000-0000-4000-8000-000000000002"}}},
	}
	_, err := canonical.CreateServer.Do(t.Context(), c, tagged)
	if e := canonical.AsError(err); canonical.CodeOf(err) != canonical.Unsupported || !strings.Contains(e.Detail, "2.52") {
		t.Errorf("tags on an old cloud: %v, want the version that lacks", err)
	}
}

// TestServicesOfOldClouds: before 2.53 services are changed by host and program, which
// are looked up.
func TestServicesOfOldClouds(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `{"services":[{"id":3,"binary":"nova-scheduler","host":"h1","zone":"internal","status":"enabled","state":"up","updated_at":null},
				{"id":7,"binary":"nova-compute","host":"h2","zone":"nova","status":"enabled","state":"up","updated_at":null}]}`)
			return
		}
		_, _ = io.WriteString(w, `{"service":{"host":"h2","binary":"nova-compute","status":"disabled","disabled_reason":"x"}}`)
	})
	f.speak("2.52")
	c := f.openNova()
	if _, err := canonical.DisableComputeService.Do(t.Context(), c, canonical.ComputeServiceDisable{ID: "7", Reason: "x"}); err != nil {
		t.Fatal(err)
	}
	calls := f.calls()
	last := calls[len(calls)-1]
	if want := `{"host":"h2","binary":"nova-compute","disabled_reason":"x"}`; last.call != "PUT /os-services/disable-log-reason" || last.body != want {
		t.Errorf("%s %s, want %s", last.call, last.body, want)
	}
	_, err := canonical.EnableComputeService.Do(t.Context(), c, canonical.ComputeServiceEnable{ID: "8"})
	if canonical.CodeOf(err) != canonical.NotFound {
		t.Errorf("a service that is not there: %v", err)
	}
}

// What Nova answers to actions that come at the wrong moment is the caller's affair,
// not a failure of the cloud.
func TestActionsAtTheWrongMoment(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   canonical.Code
	}{
		"another state": {409, `{"conflictingRequest":{"code":409,"message":"Cannot 'stop' instance s1 while it is in vm_state stopped"}}`, canonical.FailedPrecondition},
		"no host yet":   {409, `{"conflictingRequest":{"code":409,"message":"Instance s1 is not ready"}}`, canonical.FailedPrecondition},
		"locked":        {409, `{"conflictingRequest":{"code":409,"message":"Instance s1 is locked"}}`, canonical.FailedPrecondition},
		"at once with another": {
			500, `{"computeFault":{"code":500,"message":"Unexpected API Error. <class 'nova.exception.UnexpectedTaskStateError'>"}}`, canonical.Conflict,
		},
	} {
		f := newFake(t, status(test.status, test.body))
		_, err := canonical.StopServer.Do(t.Context(), f.openNova(), canonical.ServerStop{ID: "s1"})
		if got := canonical.CodeOf(err); got != test.want {
			t.Errorf("%s: %s (%v), want %s", name, got, err, test.want)
		}
	}
}

// A stopped server runs for a moment in its rebuild: that is not the end.
func TestARebuildEndsAsItBegan(t *testing.T) {
	for word, want := range map[string]canonical.ServerStatus{"SHUTOFF": canonical.ServerStopped, "ACTIVE": canonical.ServerRunning, "ERROR": canonical.ServerRunning} {
		server := fmt.Sprintf(`{"server":{"id":"s1","name":"web","status":%q,"created":"2026-01-02T03:04:05Z","flavor":{"id":"1"},"image":"","metadata":{},"addresses":{}}}`, word)
		f := newFake(t, withFlavors(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				w.WriteHeader(http.StatusAccepted)
			}
			_, _ = io.WriteString(w, server)
		}))
		r, err := canonical.RebuildServer.Do(t.Context(), f.openNova(), canonical.ServerRebuild{ID: "s1", Image: "00000000-0000-4000-8000-000000000001"})
		if err != nil {
			t.Errorf("%s: %v", word, err)
			continue
		}
		if r.Task == nil || r.Task.Status == nil || len(r.Task.Status.Done) != 1 || r.Task.Status.Done[0] != want {
			t.Errorf("%s: %+v, want %s", word, r.Task, want)
		}
	}
}
