package nova

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func TestHealth(t *testing.T) {
	f := newFake(t, answer(`{"id":"s1","name":"web"}`))
	c := f.open()
	if h := canonical.HealthOf(c); h.Status != canonical.CloudUp || h.Breaker != "closed" || h.Latency != 0 || len(h.Versions) != 0 {
		t.Errorf("before any call: %+v", h)
	}
	if f.loginCount() != 0 {
		t.Error("the question was sent to the cloud")
	}
	if _, err := get(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	h := canonical.HealthOf(c)
	if h.Status != canonical.CloudUp || h.Latency <= 0 || h.Detail != "" {
		t.Errorf("after a call: %+v", h)
	}
	want := map[string]string{"identity": "3", "compute": "2.1-2.93", "image": "2", "network": "2.0"}
	if diff := cmp.Diff(want, h.Versions); diff != "" {
		t.Error(diff)
	}
}

func TestAnAccountThatIsRefusedIsDown(t *testing.T) {
	f := newFake(t, answer(`{"id":"s1","name":"web"}`))
	f.logIn = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	c := f.open()
	for range 2 {
		if _, err := get(t.Context(), c); err == nil {
			t.Fatal("logged in")
		}
	}
	h := canonical.HealthOf(c)
	if h.Status != canonical.CloudDown || h.Detail == "" || h.Since.IsZero() {
		t.Errorf("%+v", h)
	}
	f.mu.Lock()
	f.logIn = nil
	f.mu.Unlock()
	if _, err := get(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if h := canonical.HealthOf(c); h.Status != canonical.CloudUp || h.Detail != "" {
		t.Errorf("after a log-in: %+v", h)
	}
}
