package wire

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

var newest = translate.Window{Min: at(1), Max: at(9)}

func TestListsAreReadWhole(t *testing.T) {
	cases := map[string]struct {
		reason string
		h      http.HandlerFunc
		req    canonical.ServerList
		items  int
		more   bool
		code   canonical.Code
		asks   int
	}{
		"Pages":      {"three pages", pages(25, 10), canonical.ServerList{}, 25, false, "", 3},
		"Cut":        {"all are read, for the order is ours", pages(25, 10), list(5), 5, true, "", 3},
		"Filtered":   {"by what the cloud cannot", pages(25, 10), canonical.ServerList{Name: "7"}, 1, false, "", 3},
		"Empty":      {"none is an answer", pages(0, 10), canonical.ServerList{}, 0, false, "", 1},
		"TooMany":    {"to be filtered", pages(canonical.MaxWhole+1, 1000), canonical.ServerList{}, 0, false, canonical.InvalidRequest, 11},
		"NoProgress": {"the cloud does not know markers", says(200, `{"servers":[{"id":"a","name":"a"}],"next":"a"}`), canonical.ServerList{}, 1, false, "", 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cloud, asked := cloudAt(t, newest, c.h)
			r, err := canonical.ListServers.Do(t.Context(), cloud, c.req)
			if canonical.CodeOf(err) != c.code || len(r.Result.Items) != c.items || (r.Result.NextCursor != "") != c.more {
				t.Errorf("%s: %d items, more %q, %v", c.reason, len(r.Result.Items), r.Result.NextCursor, err)
			}
			if n := len(asked()); n != c.asks {
				t.Errorf("%s: asked %d times, want %d", c.reason, n, c.asks)
			}
		})
	}
}

func list(limit int) canonical.ServerList {
	return canonical.ServerList{ListOptions: canonical.ListOptions{Limit: limit, Sort: canonical.ByName}}
}

// TestPagesShift: things that come while pages are read are told of once.
func TestPagesShift(t *testing.T) {
	bodies := []string{
		`{"servers":[{"id":"a","name":"a"},{"id":"b","name":"b"}],"next":"2"}`,
		`{"servers":[{"id":"b","name":"b"},{"id":"c","name":"c"}]}`,
	}
	cloud, _ := cloudAt(t, newest, func(w http.ResponseWriter, r *http.Request) {
		i := 0
		if r.URL.Query().Get("marker") != "" {
			i = 1
		}
		says(200, bodies[i])(w, r)
	})
	r, err := canonical.ListServers.Do(t.Context(), cloud, list(0))
	if err != nil {
		t.Fatal(err)
	}
	var ids []canonical.ID
	for _, s := range r.Result.Items {
		ids = append(ids, s.ID)
	}
	if diff := cmp.Diff([]canonical.ID{"a", "b", "c"}, ids); diff != "" {
		t.Error(diff)
	}
}

// TestCursorsSurvive: the pages of a list by cursor hold every item once, though the
// cloud itself cannot seek.
func TestCursorsSurvive(t *testing.T) {
	cloud, _ := cloudAt(t, newest, pages(25, 10))
	var names []string
	for req := list(4); ; {
		r, err := canonical.ListServers.Do(t.Context(), cloud, req)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Result.Items {
			names = append(names, s.Name)
		}
		if req.Cursor = r.Result.NextCursor; req.Cursor == "" {
			break
		}
	}
	if len(names) != 25 || !slices.IsSorted(names) {
		t.Errorf("%d: %v", len(names), names)
	}
}

// TestVersions: the lowest version that carries the request, or a refusal.
func TestVersions(t *testing.T) {
	cases := map[string]struct {
		reason string
		window translate.Window
		req    canonical.ServerCreate
		want   string
		code   canonical.Code
	}{
		"Lowest": {"2.1 does", newest, canonical.ServerCreate{Name: "a"}, "2.1", ""},
		"Needed": {"notes came with 2.5", newest, canonical.ServerCreate{Name: "a", Description: "d"}, "2.5", ""},
		"TooOld": {"a note must not get lost", translate.Window{Min: at(1), Max: at(4)}, canonical.ServerCreate{Name: "a", Description: "d"}, "", canonical.Unsupported},
		"NoRow":  {"the dialect has no batches", newest, canonical.ServerCreate{Name: "a", Count: 2}, "", canonical.Unsupported},
		"Plain":  {"a service without versions", translate.Window{}, canonical.ServerCreate{Name: "a", Description: "d"}, "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := "not sent"
			cloud, _ := cloudAt(t, c.window, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					got = r.Header.Get("Version")
					says(202, `{"job":"j"}`)(w, r)
					return
				}
				says(200, `["z"]`)(w, r)
			})
			c.req.Flavor, c.req.Image = "f", "i"
			r, err := canonical.CreateServer.Do(t.Context(), cloud, c.req)
			if canonical.CodeOf(err) != c.code || err == nil && (got != c.want || r.Task == nil || r.Task.Job != "j") {
				t.Errorf("%s: version %q, %+v, %v; want %q", c.reason, got, r.Task, err, c.want)
			}
		})
	}
	cloud, _ := cloudAt(t, translate.Window{Min: at(1), Max: at(6)}, pages(0, 1))
	if s := cloud.Support(t.Context(), canonical.StartServer.Spec()); s.Level != canonical.No || s.Reason == "" {
		t.Errorf("a call of 2.7 on a cloud of 2.6: %+v", s)
	}
	if s := cloud.Support(t.Context(), canonical.DeleteServer.Spec()); s.Level != canonical.No {
		t.Errorf("a call that no row has: %+v", s)
	}
}

// TestFacts: zones are asked for once a minute, snapshots each time.
func TestFacts(t *testing.T) {
	cloud, asked := cloudAt(t, newest, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			says(202, `{"job":"j"}`)(w, r)
			return
		}
		says(200, `["z"]`)(w, r)
	})
	now := time.Now()
	cloud.facts.now = func() time.Time { return now }
	create := func() {
		if _, err := canonical.CreateServer.Do(t.Context(), cloud, canonical.ServerCreate{Name: "a", Flavor: "f", Image: "i"}); err != nil {
			t.Fatal(err)
		}
	}
	create()
	create()
	want := []string{"GET /zones", "GET /snapshots", "POST /servers", "GET /snapshots", "POST /servers"}
	if diff := cmp.Diff(want, asked()); diff != "" {
		t.Error(diff)
	}
	now = now.Add(cloud.facts.keep)
	create()
	if diff := cmp.Diff(append(want, "GET /zones", "GET /snapshots", "POST /servers"), asked()); diff != "" {
		t.Errorf("a minute later: %s", diff)
	}
}

// TestFactsThatCannotBeHad: a write that would need them is not begun.
func TestFactsThatCannotBeHad(t *testing.T) {
	cloud, asked := cloudAt(t, newest, says(500, ""))
	_, err := canonical.CreateServer.Do(t.Context(), cloud, canonical.ServerCreate{Name: "a", Flavor: "f", Image: "i"})
	if canonical.CodeOf(err) != canonical.Unavailable || slices.Contains(asked(), "POST /servers") {
		t.Errorf("%v, asked %v", err, asked())
	}
}

// TestHostileAnswers: whatever a cloud answers, there is an error with a code, soon,
// and nothing that looks like a result.
func TestHostileAnswers(t *testing.T) {
	reset := func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil { //nolint:forcetypeassert // HTTP/1
			_ = c.Close()
		}
	}
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"server":{"id":"a"`) // see says
	}
	html := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html>Log in</html>") // see says
	}
	huge := says(500, `{"error":"`+strings.Repeat("x", 10<<20)+`"}`)
	cases := map[string]struct {
		h         http.HandlerFunc
		get, list canonical.Code
	}{
		"HTML":           {html, canonical.UpstreamError, canonical.UpstreamError},
		"HTMLAsJSON":     {says(200, "<html>"), canonical.UpstreamError, canonical.UpstreamError},
		"Nothing":        {says(200, ""), canonical.UpstreamError, canonical.UpstreamError},
		"Truncated":      {says(200, `{"servers":[{"id":"a"}`), canonical.UpstreamError, canonical.UpstreamError},
		"CutOff":         {cut, canonical.UpstreamError, canonical.UpstreamError},
		"WrongTypes":     {says(200, `{"server":[],"servers":{}}`), canonical.UpstreamError, canonical.UpstreamError},
		"WrongTypesDeep": {says(200, `{"server":{"id":7},"servers":[{"id":{}}]}`), canonical.UpstreamError, canonical.UpstreamError},
		"Nulls":          {says(200, `{"server":null,"servers":null}`), canonical.UpstreamError, canonical.UpstreamError},
		"NullItems":      {says(200, `{"server":{},"servers":[null]}`), canonical.UpstreamError, canonical.UpstreamError},
		"ErrorInside":    {says(200, `{"error":{"code":500,"message":"no"}}`), canonical.UpstreamError, canonical.UpstreamError},
		"NotAnObject":    {says(200, `"fine"`), canonical.UpstreamError, canonical.UpstreamError},
		"Trailing":       {says(200, `{"server":{"id":"a"},"servers":[]} {}`), canonical.UpstreamError, canonical.UpstreamError},
		"Deep":           {says(200, strings.Repeat(`[`, 100_000)), canonical.UpstreamError, canonical.UpstreamError},
		"HugeError":      {huge, canonical.UpstreamError, canonical.UpstreamError},
		"NoAccount":      {says(401, `{}`), canonical.UpstreamError, canonical.UpstreamError},
		"Moved":          {says(302, ``), canonical.UpstreamError, canonical.UpstreamError},
		"Missing":        {says(404, `{}`), canonical.NotFound, canonical.NotFound},
		"Reset":          {reset, canonical.Unavailable, canonical.Unavailable},
		"Hang":           {hang, canonical.Timeout, canonical.Timeout},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud, _ := cloudAt(t, newest, c.h)
			if r, err := canonical.GetServer.Do(t.Context(), cloud, canonical.ServerGet{ID: "a"}); canonical.CodeOf(err) != c.get {
				t.Errorf("get: %+v %v, want %s", r.Result, err, c.get)
			}
			if r, err := canonical.ListServers.Do(t.Context(), cloud, canonical.ServerList{}); canonical.CodeOf(err) != c.list {
				t.Errorf("list: %+v %v, want %s", r.Result, err, c.list)
			}
		})
	}
}

// TestCallersWhoLeave: the end of the context ends the call, on any page.
func TestCallersWhoLeave(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	second := make(chan struct{})
	cloud, _ := cloudAt(t, newest, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("marker") == "" {
			pages(25, 10)(w, r)
			return
		}
		close(second)
		<-r.Context().Done()
	})
	go func() {
		<-second
		leave()
	}()
	if _, err := canonical.ListServers.Do(ctx, cloud, list(0)); canonical.CodeOf(err) != canonical.Canceled {
		t.Error(err)
	}
}
