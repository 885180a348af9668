package nova_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/adapters/wire"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/facade"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/nova"
)

// loop is a connection that ends in a facade of the same table.
type loop struct {
	t *testing.T
	f *facade.Facade
}

var bases = map[string]string{"compute": "http://x/compute/v2.1", "image": "http://x/image", "network": "http://x/network"}

func (l loop) Send(ctx context.Context, req *translate.Request) (*translate.Response, error) {
	copied := *req
	resp := l.f.Handle(ctx, &copied, bases)
	l.t.Logf("%s %s?%s %s %s -> %d", req.Method, req.Path, req.Query.Encode(), req.Header.Get("OpenStack-API-Version"), req.Body, resp.Status)
	return resp, nil
}

func (l loop) Session(_ context.Context, service string) (wire.Session, error) {
	s := wire.Session{Bases: bases, Project: "p"}
	if service == "compute" {
		s.Window = translate.Window{Min: nova.MinVersion, Max: nova.MaxVersion}
	}
	return s, nil
}

func newFacade(c canonical.Cloud, change ...func(*translate.Table)) *facade.Facade {
	table := nova.Table()
	for _, f := range change {
		f(table)
	}
	return facade.New(facade.Options{
		Table: table, Cloud: c,
		Authenticate: func(context.Context, *translate.Request) (facade.Principal, error) {
			return facade.Principal{Caller: canonical.Caller{Role: canonical.Operator}, Project: "p"}, nil
		},
	})
}

// TestChain drives facade -> adapter -> facade -> memory.
func TestChain(t *testing.T) {
	ctx := canonical.WithCaller(t.Context(), canonical.Caller{Role: canonical.Operator})
	cloud := wire.New(nova.Table(), loop{t, newFacade(memory.New(memory.Options{}))})
	flavors, err := canonical.ListFlavors.Do(ctx, cloud, canonical.FlavorList{})
	if err != nil || len(flavors.Result.Items) == 0 {
		t.Fatalf("%+v %v", flavors.Result, err)
	}
	images, err := canonical.ListImages.Do(ctx, cloud, canonical.ImageList{})
	if err != nil || len(images.Result.Items) == 0 {
		t.Fatalf("%+v %v", images.Result, err)
	}
	outer := newFacade(cloud)
	header := http.Header{}
	header.Set("OpenStack-API-Version", "compute 2.52")
	do := func(method, path, body string) *translate.Response {
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		return outer.Handle(ctx, &translate.Request{
			Service: "compute", Method: method, Path: u.Path, Query: u.Query(), Header: header, Body: []byte(body),
		}, bases)
	}
	for range 2 {
		made := do("POST", "/servers", `{"server":{"name":"web","flavorRef":"`+string(flavors.Result.Items[0].ID)+`","imageRef":"`+
			string(images.Result.Items[0].ID)+`","networks":"none","description":"d","metadata":{"a":"b"}}}`)
		if made.Status != 202 {
			t.Fatalf("%d %s", made.Status, made.Body)
		}
	}
	first := do("GET", "/servers/detail?limit=1&name=^we", "")
	if first.Status != 200 || !strings.Contains(string(first.Body), `"name":"web"`) {
		t.Fatalf("%d %s", first.Status, first.Body)
	}
	_, after, ok := strings.Cut(string(first.Body), "marker=")
	if !ok {
		t.Fatalf("no next link: %s", first.Body)
	}
	marker, _, _ := strings.Cut(strings.ReplaceAll(after, `\u0026`, `&`), "&")
	second := do("GET", "/servers/detail?limit=1&name=^we&marker="+marker, "")
	if second.Status != 200 || strings.Count(string(second.Body), `"name":"web"`) != 1 || strings.Contains(string(second.Body), "marker=") {
		t.Fatalf("%d %s", second.Status, second.Body)
	}
	if r := do("GET", "/servers/nobody", ""); r.Status != 404 || !strings.Contains(string(r.Body), "Instance nobody could not be found.") {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	if r := do("GET", "/servers?marker=nobody", ""); r.Status != 400 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	if r := do("GET", "/nosuch", ""); r.Status != 404 || !strings.Contains(string(r.Body), "<br />") {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
}
