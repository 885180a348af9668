package nova

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

func TestStatusMapsAreTotal(t *testing.T) {
	for _, s := range canonical.ServerStatuses {
		if _, ok := statusFacts[s]; !ok || hearStatus(sayStatus(s, "")) != s {
			t.Errorf("status %s does not come back: %s", s, sayStatus(s, ""))
		}
	}
	for word, s := range statusWords {
		if sayStatus(s, word) != word {
			t.Errorf("word %s becomes %s", word, sayStatus(s, word))
		}
	}
	for _, p := range canonical.Powers {
		if hearPower(sayPower(p)) != p {
			t.Errorf("power %s becomes %s", p, hearPower(sayPower(p)))
		}
	}
	for _, s := range canonical.ImageStatuses {
		if got := hearImageStatus(sayImageStatus(s, "")); got != s && s != canonical.ImageUnknown {
			t.Errorf("image status %s becomes %s", s, got)
		}
	}
	for _, s := range canonical.NetworkStatuses {
		if got := hearNetworkStatus(sayNetworkStatus(s)); got != s && s != canonical.NetworkUnknown {
			t.Errorf("network status %s becomes %s", s, got)
		}
	}
}

func TestNegotiate(t *testing.T) {
	for _, c := range []struct {
		both, nova string
		want       translate.Version
		status     int
	}{
		{"", "", v(1), 0},
		{"compute 2.53", "2.1", v(53), 0},
		{"", "2.79", v(79), 0},
		{"volume 3.1, compute 2.7", "", v(7), 0},
		{"compute latest", "", v(93), 0},
		{"compute abc", "", translate.Version{}, 400},
		{"", "2.999", translate.Version{}, 406},
		{"compute 1.0", "", translate.Version{}, 406},
	} {
		req := &translate.Request{Service: "compute", Header: http.Header{}}
		req.Header.Set(headerVersion, c.both)
		req.Header.Set(headerNovaVersion, c.nova)
		got, err := negotiate(req)
		status := 0
		if err != nil {
			status = sayError(canonical.AsError(err), req, &translate.Env{}).Status
		}
		if got != c.want || status != c.status {
			t.Errorf("%q %q: %v, status %d", c.both, c.nova, got, status)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   canonical.Code
	}{
		{403, `{"forbidden": {"code": 403, "message": "Quota exceeded for instances"}}`, canonical.QuotaExceeded},
		{403, `{"forbidden": {"code": 403, "message": "Policy doesn't allow it"}}`, canonical.Forbidden},
		{404, `{"message": "x<br /><br />\n\n\n", "code": "404 Not Found", "title": "Not Found"}`, canonical.NotFound},
		{409, `{"conflictingRequest": {"code": 409, "message": "Cannot 'x' instance y while it is in vm_state active"}}`, canonical.FailedPrecondition},
		{409, `{"NeutronError": {"type": "OverQuota", "message": "Quota exceeded", "detail": ""}}`, canonical.QuotaExceeded},
		{409, `{"conflictingRequest": {"code": 409, "message": "Key pair 'k' already exists."}}`, canonical.AlreadyExists},
		{500, `<html>`, canonical.UpstreamError},
		{503, ``, canonical.Unavailable},
	} {
		if got := hearError(&translate.Response{Status: c.status, Header: http.Header{}, Body: []byte(c.body)}); got.Code != c.want {
			t.Errorf("%d %s is %s", c.status, c.body, got.Code)
		}
	}
	req := &translate.Request{Service: "compute", Method: "POST", Path: "/servers/x/action", Body: []byte(`{"nope":null}`)}
	got := sayError(canonical.Errorf(canonical.NotFound, "no such call"), req, &translate.Env{})
	if want := `{"badRequest":{"code":400,"message":"There is no such action: nope"}}`; string(got.Body) != want {
		t.Error(string(got.Body))
	}
}

func creates() []canonical.ServerCreate {
	zero, yes := 0, true
	base := canonical.ServerCreate{Name: "a", Flavor: "f", Image: "i"}
	change := func(f func(*canonical.ServerCreate)) canonical.ServerCreate { c := base; f(&c); return c }
	return []canonical.ServerCreate{
		base,
		change(func(c *canonical.ServerCreate) { c.Description = "d"; c.Tags = []string{"t"} }),
		change(func(c *canonical.ServerCreate) { c.Networks.Mode = canonical.NetworksNone }),
		change(func(c *canonical.ServerCreate) { c.Networks.Mode = canonical.NetworksAuto }),
		change(func(c *canonical.ServerCreate) {
			c.Networks = canonical.Networks{Mode: canonical.NetworksList, List: []canonical.NetworkChoice{{Network: "n", IP: "10.0.0.1"}, {Interface: "p"}}}
		}),
		change(func(c *canonical.ServerCreate) { c.Files = []canonical.File{{Path: "/a", Contents: "QQ=="}} }),
		change(func(c *canonical.ServerCreate) { c.AvailabilityZone, c.Host = "z", "h" }),
		change(func(c *canonical.ServerCreate) {
			c.ServerGroup, c.SchedulerHints = "g", map[string]any{"query": "[]"}
			c.ConfigDrive, c.SecurityGroups = &yes, []canonical.Ref{"default"}
		}),
		change(func(c *canonical.ServerCreate) { c.Volumes = []canonical.VolumeCreate{{SizeGiB: 2, Type: "ssd"}} }),
		change(func(c *canonical.ServerCreate) {
			c.Image = ""
			c.Volumes = []canonical.VolumeCreate{{Volume: "v", BootIndex: &zero, DeleteWithServer: true}}
		}),
		change(func(c *canonical.ServerCreate) {
			c.Keypair, c.AdminPassword, c.UserData, c.Metadata = "k", "p", "QQ==", map[string]string{"a": "b"}
			c.AccessIPv4, c.AccessIPv6 = "1.2.3.4", "::1"
		}),
	}
}

// TestCreateSurvives: what is said is heard again unchanged, on clouds of several
// ages, or is refused.
func TestCreateSurvives(t *testing.T) {
	table := Table()
	for i, want := range creates() {
		for _, newest := range []int{1, 36, 53, 67, 93} {
			env := &translate.Env{Facts: map[string]any{}}
			row, ok := table.Row(canonical.CreateServer.Spec(), want)
			if !ok {
				t.Fatal("no row")
			}
			to, err := table.Say(row, want, env, translate.Window{Min: v(1), Max: v(newest)})
			if err != nil {
				if canonical.CodeOf(err) != canonical.Unsupported {
					t.Errorf("create %d on 2.%d: %v", i, newest, err)
				}
				continue
			}
			got, err := row.HearRequest(to, &translate.Env{Version: env.Version, Facts: map[string]any{}})
			if err != nil {
				t.Fatalf("create %d on 2.%d: %v\n%s", i, newest, err, to.Body)
			}
			expect := want
			if env.Version.AtLeast(v(37)) && want.Networks.Mode == canonical.NetworksUnset {
				expect.Networks.Mode = canonical.NetworksAuto // said aloud where the version wants it
			}
			if !env.Version.AtLeast(v(37)) && want.Networks.Mode == canonical.NetworksAuto {
				expect.Networks.Mode = canonical.NetworksUnset
			}
			if diff := cmp.Diff(expect, got); diff != "" {
				t.Errorf("create %d on 2.%d (-want +got):\n%s", i, newest, diff)
			}
		}
	}
}

func TestRefusedCreates(t *testing.T) {
	env := &translate.Env{Version: v(93)}
	for _, c := range []canonical.ServerCreate{
		{Name: "a", RootDiskGiB: 10},
		{Name: "a", Networks: canonical.Networks{Mode: canonical.NetworksList, List: []canonical.NetworkChoice{{Network: "n", Subnet: "s"}}}},
	} {
		if _, err := sayCreate(c, env, nil); canonical.CodeOf(err) != canonical.Unsupported {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, ok := Table().Row(canonical.CreateServer.Spec(), canonical.ServerCreate{Count: 2}); ok {
		t.Error("the row carries one server only")
	}
}

func TestRowIDsAreUnique(t *testing.T) {
	var ids []string
	for _, row := range Table().Rows {
		if slices.Contains(ids, row.ID) {
			t.Errorf("%s twice", row.ID)
		}
		ids = append(ids, row.ID)
	}
}

func TestServerListQuery(t *testing.T) {
	env := &translate.Env{Version: v(1), Role: canonical.Member}
	from := &translate.Request{Path: "/servers/detail", Query: map[string][]string{"name": {"^we"}, "status": {"ACTIVE"}, "limit": {"5"}, "bogus": {"x"}}}
	r, err := hearServerList(translate.NoBody{}, from, env)
	if err != nil || r.Status != canonical.ServerRunning || r.Limit != 5 {
		t.Fatalf("%+v %v", r, err)
	}
	if s := (&canonical.Server{Name: "other", Status: canonical.ServerRunning}); keepBy(s, env) {
		t.Error("the pattern does not match")
	}
	env.Version = v(75)
	if _, err := hearServerList(translate.NoBody{}, from, env); canonical.CodeOf(err) != canonical.InvalidRequest {
		t.Errorf("unknown query from 2.75: %v", err)
	}
	from.Query = map[string][]string{"all_tenants": {"True"}}
	if _, err := hearServerList(translate.NoBody{}, from, env); canonical.CodeOf(err) != canonical.Forbidden {
		t.Errorf("all_tenants of a member: %v", err)
	}
	from.Query = map[string][]string{"marker": {"gone"}}
	if _, err := hearServerList(translate.NoBody{}, from, env); canonical.CodeOf(err) != canonical.InvalidRequest {
		t.Errorf("marker that is gone: %v", err)
	}
}
