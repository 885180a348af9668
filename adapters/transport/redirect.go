package transport

import (
	"net/http"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// checkRedirect is for http.Client. Credentials go with every request, so a
// redirect may not lead to another host or down to plain HTTP.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case !repeatable(first):
		return http.ErrUseLastResponse
	case len(via) > maxRedirects:
		return canonical.Errorf(canonical.UpstreamError, "the cloud redirects without end")
	case req.URL.Host != first.URL.Host || first.URL.Scheme == "https" && req.URL.Scheme != "https":
		return canonical.Errorf(canonical.UpstreamError, "the cloud redirects to another host")
	default:
		return nil
	}
}
