package nova

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

func TestStatusMapsAreTotal(t *testing.T) {
	for _, s := range canonical.ImageStatuses {
		if got := hearImageStatus(sayImageStatus(s, "")); got != s && s != canonical.ImageUnknown {
			t.Errorf("image status %s becomes %s", s, got)
		}
	}
	for _, s := range canonical.VolumeStatuses {
		if got := hearVolumeStatus(sayVolumeStatus(s, "")); got != s && s != canonical.VolumeUnknown {
			t.Errorf("volume status %s becomes %s", s, got)
		}
	}
	for _, s := range canonical.VolumeSnapshotStatuses {
		if got := hearSnapshotStatus(saySnapshotStatus(s, "")); got != s && s != canonical.SnapshotUnknown {
			t.Errorf("snapshot status %s becomes %s", s, got)
		}
	}
	for _, s := range canonical.NetworkStatuses {
		if got := hearNetworkStatus(sayNetworkStatus(s)); got != s && s != canonical.NetworkUnknown {
			t.Errorf("network status %s becomes %s", s, got)
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
		{403, `{"forbidden": {"code": 403, "message": "Policy doesn't allow os_compute_api:os-quota-sets:update to be performed."}}`, canonical.Forbidden},
		{404, `{"message": "x<br /><br />\n\n\n", "code": "404 Not Found", "title": "Not Found"}`, canonical.NotFound},
		{409, `{"conflictingRequest": {"code": 409, "message": "Cannot 'x' instance y while it is in vm_state active"}}`, canonical.FailedPrecondition},
		{409, `{"NeutronError": {"type": "OverQuota", "message": "Quota exceeded", "detail": ""}}`, canonical.QuotaExceeded},
		{409, `{"conflictingRequest": {"code": 409, "message": "Key pair 'k' already exists."}}`, canonical.AlreadyExists},
		{400, `{"badRequest": {"code": 400, "message": "Invalid volume: Volume status must be available"}}`, canonical.FailedPrecondition},
		{400, `{"badRequest": {"code": 400, "message": "Invalid input received: New size"}}`, canonical.InvalidRequest},
		{413, `{"overLimit": {"code": 413, "message": "VolumeSizeExceedsAvailableQuota: quota is 1G", "retryAfter": "0"}}`, canonical.QuotaExceeded},
		{403, `{"forbidden": {"code": 403, "message": "Cannot detach a root device volume"}}`, canonical.FailedPrecondition},
		{500, `<html>`, canonical.UpstreamError},
		{503, ``, canonical.Unavailable},
	} {
		if got := hearError(&translate.Response{Status: c.status, Header: http.Header{}, Body: []byte(c.body)}); got.Code != c.want {
			t.Errorf("%d %s is %s", c.status, c.body, got.Code)
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
	if _, ok := Table().Row(canonical.CreateServer.Spec(), canonical.ServerCreate{Count: 2}, translate.Window{}); ok {
		t.Error("the row carries one server only")
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

// TestFlavorsShown: operators see the public flavors unless they ask for others; others
// are not asked, and see what they may use.
func TestFlavorsShown(t *testing.T) {
	yes, no := true, false
	for _, tt := range []struct {
		role   canonical.Role
		public string
		want   *bool
		code   canonical.Code
	}{
		{canonical.Operator, "", &yes, ""},
		{canonical.Operator, "True", &yes, ""},
		{canonical.Operator, "False", &no, ""},
		{canonical.Operator, "None", nil, ""},
		{canonical.Operator, "maybe", nil, canonical.InvalidRequest},
		{canonical.Member, "", nil, ""},
		{canonical.Member, "False", nil, ""},
		{canonical.Member, "maybe", nil, ""},
	} {
		from := &translate.Request{Query: url.Values{}}
		if tt.public != "" {
			from.Query.Set("is_public", tt.public)
		}
		env := &translate.Env{Version: v(1), Role: tt.role, Facts: map[string]any{}}
		r, err := askFlavors.Hear(translate.NoBody{}, from, env)
		if diff := cmp.Diff(tt.want, r.Public); diff != "" || canonical.CodeOf(err) != tt.code {
			t.Errorf("%s, is_public=%q: %v %s", tt.role, tt.public, err, diff)
		}
	}
}
