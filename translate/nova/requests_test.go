package nova_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/facade"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/nova"
)

// asked is one request of a client; version is the header line OpenStack-API-Version
// without its first word, legacy the other header.
type asked struct {
	service, method, target, version, legacy, body string
}

func (a asked) of(ctx context.Context, t *testing.T, f *facade.Facade) *translate.Response {
	t.Helper()
	u, err := url.Parse(a.target)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	if a.version != "" {
		h.Set("OpenStack-API-Version", a.version)
	}
	if a.legacy != "" {
		h.Set("X-OpenStack-Nova-API-Version", a.legacy)
	}
	if a.service == "" {
		a.service = "compute"
	}
	return f.Handle(ctx, &translate.Request{
		Service: a.service, Method: a.method, Path: u.EscapedPath(), Query: u.Query(), Header: h, Body: []byte(a.body),
	}, bases)
}

func same(t *testing.T, resp *translate.Response, status int, body string) {
	t.Helper()
	var want, got any
	if err := json.Unmarshal([]byte(body), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(resp.Body, &got); err != nil {
		t.Fatalf("%d %s: %v", resp.Status, resp.Body, err)
	}
	if diff := cmp.Diff(want, got); diff != "" || resp.Status != status {
		t.Errorf("status %d, want %d (-want +got): %s", resp.Status, status, diff)
	}
}

// TestBadRequests: what a client does wrong gets Nova's own answer
// (clients/openstack.md, 6).
func TestBadRequests(t *testing.T) {
	action := "/servers/x/action"
	fault := func(name, code, message string) string {
		return `{"` + name + `":{"code":` + code + `,"message":"` + message + `"}}`
	}
	malformed := fault("badRequest", "400", "Malformed request body")
	unrouted := `{"message":"The resource could not be found.<br /><br />\n\n\n","code":"404 Not Found","title":"Not Found"}`
	cases := map[string]struct {
		req    asked
		status int
		body   string
	}{
		"VersionMalformed": {
			asked{method: "GET", target: "/servers", version: "compute abc"},
			400,
			fault("badRequest", "400", "API Version String abc is of invalid format. Must be of format MajorNum.MinorNum."),
		},
		"VersionMalformedLegacy": {
			asked{method: "GET", target: "/servers", legacy: "2.01"},
			400,
			fault("badRequest", "400", "API Version String 2.01 is of invalid format. Must be of format MajorNum.MinorNum."),
		},
		"VersionTooNew": {
			asked{method: "GET", target: "/servers", version: "compute 2.999"},
			406,
			fault("computeFault", "406", "Version 2.999 is not supported by the API. Minimum is 2.1 and maximum is 2.93."),
		},
		"VersionTooOld": {
			asked{method: "GET", target: "/servers", legacy: "2.0"},
			406,
			fault("computeFault", "406", "Version 2.0 is not supported by the API. Minimum is 2.1 and maximum is 2.93."),
		},
		"CallOfALaterVersion": {
			asked{method: "GET", target: "/servers/x/tags", version: "compute 2.25"},
			404,
			fault("itemNotFound", "404", "The resource could not be found."),
		},
		"NoSuchCall":      {asked{method: "GET", target: "/nosuch"}, 404, unrouted},
		"NoSuchMethod":    {asked{method: "PATCH", target: "/servers/x"}, 404, unrouted},
		"NoSuchAction":    {asked{method: "POST", target: action, body: `{"nope":null}`}, 400, fault("badRequest", "400", "There is no such action: nope")},
		"TwoActions":      {asked{method: "POST", target: action, body: `{"os-stop":null,"os-start":null}`}, 400, malformed},
		"NoActionKey":     {asked{method: "POST", target: action, body: `{}`}, 400, malformed},
		"ActionIsAList":   {asked{method: "POST", target: action, body: `["os-stop"]`}, 400, malformed},
		"ActionNotJSON":   {asked{method: "POST", target: action, body: `{"os-stop":`}, 400, malformed},
		"CreateNotJSON":   {asked{method: "POST", target: "/servers", body: `{"server":`}, 400, malformed},
		"CreateWithoutIt": {asked{method: "POST", target: "/servers"}, 400, malformed},
		"UnknownField": {
			asked{method: "POST", target: "/servers", body: `{"server":{"name":"a","flavorRef":"1","colour":"red"}}`},
			400,
			fault("badRequest", "400", "Invalid input for field/attribute server. Additional properties are not allowed ('colour' was unexpected)"),
		},
		"FieldOfALaterVersion": {
			asked{method: "POST", target: "/servers", version: "compute 2.51", body: `{"server":{"name":"a","flavorRef":"1","networks":"auto","tags":[]}}`},
			400,
			fault("badRequest", "400", "Invalid input for field/attribute server. Additional properties are not allowed ('tags' was unexpected)"),
		},
		"UnknownQuery": {
			asked{method: "GET", target: "/servers?colour=red", version: "compute 2.75"},
			400,
			fault("badRequest", "400", "Additional properties are not allowed ('colour' was unexpected)"),
		},
		"BadLimit": {
			asked{method: "GET", target: "/servers?limit=x"},
			400,
			fault("badRequest", "400", "Invalid input for query parameters limit. Value: x. 'x' does not match '^[0-9]*$'"),
		},
		"BadChangesSince": {
			asked{method: "GET", target: "/servers?changes-since=2011/01/01"},
			400,
			fault("badRequest", "400", "Invalid input for query parameters changes-since. Value: 2011/01/01. '2011/01/01' is not a 'date-time'"),
		},
		"NoServersAtLeast": {
			asked{method: "POST", target: "/servers", body: `{"server":{"name":"a","flavorRef":"1","min_count":0}}`},
			400,
			fault("badRequest", "400", "Invalid input for field/attribute min_count. Value: 0. 0 is less than the minimum of 1"),
		},
		"NoServersAtMost": {
			asked{method: "POST", target: "/servers", body: `{"server":{"name":"a","flavorRef":"1","max_count":"0"}}`},
			400,
			fault("badRequest", "400", "Invalid input for field/attribute max_count. Value: 0. 0 is less than the minimum of 1"),
		},
		"FewerAtMost": {
			asked{method: "POST", target: "/servers", body: `{"server":{"name":"a","flavorRef":"1","min_count":3,"max_count":2}}`},
			400,
			fault("badRequest", "400", "min_count must be <= max_count"),
		},
		"KeypairName": {
			asked{method: "POST", target: "/os-keypairs", body: `{"keypair":{"name":"a@b"}}`},
			400,
			fault("badRequest", "400", "An invalid 'name' value was provided. The name must be: Only expected characters: [_- 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ]"),
		},
		"KeypairNameWithSpace": {
			asked{method: "POST", target: "/os-keypairs", body: `{"keypair":{"name":" a"}}`},
			400,
			fault("badRequest", "400", "An invalid 'name' value was provided. The name must be: printable characters. Can not start or end with whitespace."),
		},
		"LimitOfNone":   {asked{method: "GET", target: "/flavors?limit=0"}, 200, `{"flavors":[]}`},
		"BadMarker":     {asked{method: "GET", target: "/servers?marker=nobody"}, 400, fault("badRequest", "400", "marker [nobody] not found")},
		"MissingServer": {asked{method: "GET", target: "/servers/x"}, 404, fault("itemNotFound", "404", "Instance x could not be found.")},
		"MissingFlavor": {asked{method: "GET", target: "/flavors/x"}, 404, fault("itemNotFound", "404", "Flavor x could not be found.")},
	}
	f := newFacade(memory.New(memory.Options{}))
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { same(t, c.req.of(t.Context(), t, f), c.status, c.body) })
	}
}

// TestVersionsAreChosen: each way to ask for a microversion, and the headers that say
// which one was used.
func TestVersionsAreChosen(t *testing.T) {
	f := newFacade(memory.New(memory.Options{}))
	for name, c := range map[string]struct {
		req  asked
		used string
	}{
		"None":           {asked{}, "2.1"},
		"Header":         {asked{version: "compute 2.53"}, "2.53"},
		"Legacy":         {asked{legacy: "2.79"}, "2.79"},
		"HeaderWins":     {asked{version: "compute 2.53", legacy: "2.1"}, "2.53"},
		"Latest":         {asked{version: "compute latest"}, "2.93"},
		"LegacyLatest":   {asked{legacy: "latest"}, "2.93"},
		"OtherServices":  {asked{version: "volume 3.1, compute 2.7"}, "2.7"},
		"OnlyAnother":    {asked{version: "volume 3.1"}, "2.1"},
		"AfterAMistake":  {asked{version: "compute abc"}, "2.1"},
		"AfterARefusal":  {asked{version: "compute 2.999"}, "2.1"},
		"OfAnErrorToo":   {asked{target: "/servers/x", version: "compute 2.60"}, "2.60"},
		"OfTheOpenCalls": {asked{target: "/"}, "2.1"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.req.method = "GET"; c.req.target == "" {
				c.req.target = "/servers"
			}
			h := c.req.of(t.Context(), t, f).Header
			if h.Get("OpenStack-API-Version") != "compute "+c.used || h.Get("X-OpenStack-Nova-API-Version") != c.used || len(h["Vary"]) != 2 {
				t.Errorf("%v", h)
			}
		})
	}
}

// TestRequestIDs: every answer has one, and it is derived from ours.
func TestRequestIDs(t *testing.T) {
	f := newFacade(memory.New(memory.Options{}))
	ctx := canonical.WithOptions(t.Context(), canonical.Options{RequestID: "any text"})
	first, second := asked{method: "GET", target: "/servers"}.of(ctx, t, f).Header, asked{method: "GET", target: "/x"}.of(ctx, t, f).Header
	id := first.Get("X-OpenStack-Request-Id")
	if !regexp.MustCompile(`^req-[0-9a-f-]{36}$`).MatchString(id) || second.Get("X-OpenStack-Request-Id") != id || first.Get("X-Compute-Request-Id") != id {
		t.Errorf("%v %v", first, second)
	}
	if other := (asked{method: "GET", target: "/servers"}).of(t.Context(), t, f).Header.Get("X-OpenStack-Request-Id"); other == id || other == "" {
		t.Errorf("%q without an id of ours", other)
	}
}

// TestVersionDocuments: what clients read before they have a token.
func TestVersionDocuments(t *testing.T) {
	f := facade.New(facade.Options{
		Table: nova.Table(), Cloud: memory.New(memory.Options{}),
		Authenticate: func(context.Context, *translate.Request) (facade.Principal, error) {
			return facade.Principal{}, canonical.Errorf(canonical.Unauthenticated, "no token")
		},
	})
	list := `{"versions":[{"id":"v2.1","status":"CURRENT","version":"2.93","min_version":"2.1","updated":"2013-07-23T11:33:21Z",
		"links":[{"rel":"self","href":"http://x/compute/v2.1/"}]}]}`
	one := `{"version":{"id":"v2.1","status":"CURRENT","version":"2.93","min_version":"2.1","updated":"2013-07-23T11:33:21Z",
		"links":[{"rel":"self","href":"http://x/compute/v2.1/"},{"rel":"describedby","type":"text/html","href":"http://docs.openstack.org/"}],
		"media-types":[{"base":"application/json","type":"application/vnd.openstack.compute+json;version=2.1"}]}}`
	for _, slash := range []string{"", "/"} {
		same(t, asked{service: "compute-root", method: "GET", target: slash}.of(t.Context(), t, f), 200, list)
		same(t, asked{method: "GET", target: slash}.of(t.Context(), t, f), 200, one)
		if r := (asked{service: "image", method: "GET", target: slash}).of(t.Context(), t, f); r.Status != 300 || !strings.Contains(string(r.Body), "http://x/image/v2/") {
			t.Errorf("image: %d %s", r.Status, r.Body)
		}
		if r := (asked{service: "network", method: "GET", target: slash}).of(t.Context(), t, f); r.Status != 200 || !strings.Contains(string(r.Body), "http://x/network/v2.0/") {
			t.Errorf("network: %d %s", r.Status, r.Body)
		}
	}
	for _, service := range []string{"compute", "compute-root", "image", "network"} {
		if r := (asked{service: service, method: "GET", target: "/v2/images"}).of(t.Context(), t, f); r.Status != 401 || r.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s without a token: %d %v", service, r.Status, r.Header)
		}
	}
}
