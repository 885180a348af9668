package nova

import (
	"io"
	"net/http"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
)

const computeLimits = `{"limits":{"rate":[],"absolute":{"maxTotalInstances":10,"totalInstancesUsed":1}}}`

// TestNetworkLimits: what Neutron tells is among the limits; that it tells nothing is no
// trouble, but that it fails is.
func TestNetworkLimits(t *testing.T) {
	const quota = `{"quota":{"network":{"limit":5,"used":2,"reserved":0},"port":{"limit":-1,"used":3,"reserved":0}}}`
	for name, tt := range map[string]struct {
		network  http.HandlerFunc
		networks int // -1: not known
		code     canonical.Code
	}{
		"Told": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/network/v2.0/quotas/p1/details.json" {
				t.Errorf("asked %s", r.URL.Path)
			}
			_, _ = io.WriteString(w, quota)
		}, 5, ""},
		"No extension": {http.NotFound, -1, ""},
		"Trouble":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, -1, canonical.Forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, answer(computeLimits))
			f.network = tt.network
			r, err := canonical.GetLimits.Do(t.Context(), f.openNova(), canonical.LimitsGet{})
			if canonical.CodeOf(err) != tt.code {
				t.Fatal(err)
			}
			l, got := r.Result, -1
			if l.Networks != nil {
				got = *l.Networks
			}
			if got != tt.networks || got > 0 && (*l.NetworksUsed != 2 || l.Ports != nil || *l.PortsUsed != 3 || *l.Servers != 10) {
				t.Errorf("%+v", l)
			}
		})
	}
}
