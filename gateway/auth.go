package gateway

import (
	"net/http"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// authenticate says who sent r, by its bearer text.
func (g *Gateway) authenticate(r *http.Request) (canonical.Caller, error) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return canonical.Caller{}, canonical.Errorf(canonical.Unauthenticated, "one Authorization header with a bearer key is needed")
	}
	scheme, bearer, ok := strings.Cut(values[0], " ")
	bearer = strings.TrimSpace(bearer)
	if !ok || !strings.EqualFold(scheme, "Bearer") || bearer == "" {
		return canonical.Caller{}, canonical.Errorf(canonical.Unauthenticated, "the Authorization header holds no bearer key")
	}
	return g.opts.Authenticate(r.Context(), bearer)
}
