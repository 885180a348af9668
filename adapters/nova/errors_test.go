package nova

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func TestBlame(t *testing.T) {
	several := canonical.ServerCreate{Networks: canonical.Networks{List: []canonical.NetworkChoice{{Network: "a"}, {Network: "b"}}}}
	one := canonical.ServerCreate{Networks: canonical.Networks{List: []canonical.NetworkChoice{{Network: "by-name"}}}}
	for _, tt := range []struct {
		says string
		req  any
		want string
	}{
		{"Flavor 7 could not be found.", one, "flavor"},
		{"Can not find requested image", one, "image"},
		{"Invalid imageRef provided.", one, "image"},
		{"Invalid key_name provided.", one, "keypair"},
		{"Network b could not be found.", several, "networks.1.network"},
		{"Network c could not be found.", several, "networks"},
		{"Network c could not be found.", one, "networks.0.network"},
		{"The requested availability zone is not available", one, "availability_zone"},
		{"An invalid 'name' value was provided. The name must be: printable characters.", one, "name"},
		{"Invalid input for field/attribute tags. Value: None. None is not of type 'array'", one, "tags"},
		{"Keypair data is invalid: failed to generate fingerprint", canonical.KeypairCreate{}, "public_key"},
		{"Something else", one, ""},
		{"Invalid input for field/attribute unheard. Value: 1.", one, ""},
	} {
		err := blame(&canonical.Error{Code: canonical.InvalidRequest, Upstream: &canonical.Upstream{Message: tt.says}}, tt.req)
		var got string
		for _, f := range canonical.AsError(err).Fields {
			got += f.Field
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.says, got, tt.want)
		}
	}
	known := canonical.Invalid("name", "is bad")
	if err := blame(known, one); !errors.Is(err, known) || blame(nil, one) != nil {
		t.Errorf("changed what was clear: %v", err)
	}
}

// A server that has no host yet is shown, and denied to whoever would act on it.
func TestActionsComeTooEarly(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, `{"id":"s1","name":"web","status":"`+strings.TrimPrefix(r.URL.Path, "/v2.1/servers/")+`"}`)
	})
	for id, want := range map[canonical.ID]canonical.Code{"building": canonical.FailedPrecondition, "running": canonical.NotFound} {
		_, err := canonical.UpdateServer.Do(t.Context(), f.open(), canonical.ServerUpdate{ID: id, Name: canonical.Some("x")})
		if got := canonical.CodeOf(err); got != want {
			t.Errorf("%s: %s (%v), want %s", id, got, err, want)
		}
	}
}

func TestABadGatewayLeavesWritesInDoubt(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	c := f.openNova()
	_, err := canonical.DeleteServer.Do(t.Context(), c, canonical.ServerDelete{ID: "s1"})
	if got := canonical.CodeOf(err); got != canonical.UpstreamError || len(f.calls()) != 1 {
		t.Errorf("%s (%v) after %d calls", got, err, len(f.calls()))
	}
}
