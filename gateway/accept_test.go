package gateway

import (
	"net/http"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func TestAcceptable(t *testing.T) {
	for accept, want := range map[string]bool{
		"": true, "*/*": true, "application/*": true, "application/json": true, "application/problem+json": true,
		"APPLICATION/JSON; charset=utf-8":       true,
		"text/html, application/json;q=0.1":     true,
		"text/html, */*;q=0.001":                true,
		"application/json;q=0, text/html":       false,
		"application/json;q=0.0":                false,
		"application/json;q=0, */*":             false, // the precise range decides
		"application/json, */*;q=0":             true,
		"application/json;q=0, application/*":   false,
		"text/html":                             false,
		"application/xml, text/*":               false,
		"nonsense":                              false,
		"application/jsonx":                     false,
		"application/json;q=high":               true, // what is not understood of a range does not refuse it
		"text/html, application/problem+json":   true,
		";;;,,,application/json":                true,
		"application/vnd.dragoman.v1+json;q=1.": false,
	} {
		h := http.Header{}
		if accept != "" {
			h.Set("Accept", accept)
		}
		if got := acceptable(canonical.ListServers.Spec(), h) == nil; got != want {
			t.Errorf("%q: %t, want %t", accept, got, want)
		}
	}
	if acceptable(canonical.ListServers.Spec(), http.Header{"Accept": {"text/html", "application/json"}}) != nil {
		t.Error("the second line does not count")
	}
}
