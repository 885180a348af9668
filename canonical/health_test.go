package canonical

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sick is a cloud that tells how it is.
type sick struct{ Mux }

func (*sick) Health() Health {
	return Health{Status: CloudDown, Breaker: "open", Detail: "broken", Versions: map[string]string{"compute": "2.1"}}
}

func TestHealthPassesThroughQualify(t *testing.T) {
	want := (&sick{}).Health()
	for name, c := range map[string]Cloud{"bare": &sick{}, "qualified": Qualify("c1", &sick{})} {
		if diff := cmp.Diff(want, HealthOf(c)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name, c := range map[string]Cloud{"bare": &Mux{}, "qualified": Qualify("c1", &Mux{})} {
		h := HealthOf(c)
		if h.Status != CloudUp || h.Breaker != "closed" || h.Versions == nil {
			t.Errorf("a cloud that does not tell, %s: %+v", name, h)
		}
	}
}
