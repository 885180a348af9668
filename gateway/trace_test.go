package gateway

import (
	"net/http"
	"strings"
	"testing"
)

// A trace goes on with a parent of ours; what is no traceparent begins none.
func TestContinued(t *testing.T) {
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	good := "00-" + trace + "-" + parent + "-01"
	got := continued(http.Header{"Traceparent": {good}})
	if !strings.HasPrefix(got, "00-"+trace+"-") || !strings.HasSuffix(got, "-01") || strings.Contains(got, parent) || !traceParent.MatchString(got) {
		t.Error(got)
	}
	for _, bad := range []string{
		"", "x", strings.ToUpper(good), good + "-", "01" + good[2:],
		"00-" + noTrace + "-" + parent + "-01", "00-" + trace + "-" + noParent + "-01", good + "\r\nX: y",
	} {
		if got := continued(http.Header{"Traceparent": {bad}}); got != "" {
			t.Errorf("%q: %q", bad, got)
		}
	}
}
