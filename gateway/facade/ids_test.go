package facade_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/facade"
	"github.com/dragoman-cloud/dragoman/translate"
)

const someUUID = "0b4d3a52-7f1e-4c1a-9d3c-2f6f1f0c9a11"

func twoClouds(o *facade.Options) {
	o.IDs = &facade.IDs{Clouds: func(name string) bool { return name == "os1" || name == "kvm1" }}
}

// TestIDs: what a client is shown, and what the cloud behind is asked for when the
// client gives it back.
func TestIDs(t *testing.T) {
	cases := map[string]struct{ reason, id, shown, asked string }{
		"UUID":        {"it is unique", "os1:" + someUUID, someUUID, someUUID},
		"Number":      {"every cloud has a 1", "os1:1", "os1.1", "os1:1"},
		"Dots":        {"only the first belongs to us", "kvm1:m1.small", "kvm1.m1.small", "kvm1:m1.small"},
		"Colons":      {"of a dragoman behind this one", "os1:far:7", "os1.far:7", "os1:far:7"},
		"NoSuchCloud": {"then it is all the cloud's", "x:1", "x:1", "x:1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var asked canonical.ID
			cloud := does(func(_ context.Context, call canonical.Call) (canonical.Reply, error) {
				if r, ok := call.Request.(canonical.ServerGet); ok {
					asked = r.ID
				}
				return canonical.Reply{Result: canonical.Server{ID: canonical.ID(c.id)}}, nil
			})
			f := toy(cloud, twoClouds)
			first := ask(t.Context(), t, f, "GET", "/servers/any", "")
			if want := `{"id":"` + c.shown + `","name":""}`; string(first.Body) != want {
				t.Errorf("%s: shown as %s, want %s", c.reason, first.Body, want)
			}
			ask(t.Context(), t, f, "GET", "/servers/"+url.PathEscape(c.shown), "")
			if string(asked) != c.asked {
				t.Errorf("%s: asked as %s, want %s", c.reason, asked, c.asked)
			}
		})
	}
}

// FuzzRequest: whatever comes, the facade answers, and never blames itself.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/servers/os1.1", "", "", "")
	f.Add("GET", "/servers", "os1.x", "1", "")
	f.Add("GET", "/servers", someUUID, "-1", "")
	f.Add("POST", "/servers", "", "", `{"make":{"name":"a","image":"kvm1.img"}}`)
	f.Fuzz(func(t *testing.T, method, path, marker, limit, body string) {
		resp := toy(does(echo), twoClouds).Handle(t.Context(), &translate.Request{
			Service: "s", Method: method, Path: path, Query: url.Values{"marker": {marker}, "limit": {limit}},
			Header: http.Header{}, Body: []byte(body),
		}, nil)
		if resp.Status < 200 || resp.Status >= 500 {
			t.Errorf("%d %s", resp.Status, resp.Body)
		}
	})
}
