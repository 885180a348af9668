package translate

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Request is a call of a dialect, without its transport.
type Request struct {
	Service string // which endpoint of the cloud: compute, image, network
	Method  string
	Path    string            // below the service's base, starts with a slash; escaped
	Params  map[string]string // the braces of the row's path, unescaped
	Query   url.Values
	Header  http.Header
	Body    []byte
	// Content is a body that is passed on as it comes, instead of Body.
	Content *canonical.Content
	// Streams: the answer of success has its body in Content.
	Streams bool
}

// Response is the answer to a Request.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	// Content is a body that is passed on as it comes, instead of Body; who has the
	// Response closes it.
	Content *canonical.Content
}

// NoBody is the wire struct of calls and answers without one.
type NoBody struct{}

// match says whether an escaped path fits a row's path, and what its braces hold.
func match(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	params := map[string]string{}
	for i, w := range want {
		name, isParam := strings.CutPrefix(w, "{")
		if !isParam {
			if w != got[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(got[i])
		if err != nil || value == "" {
			return nil, false
		}
		params[strings.TrimSuffix(name, "}")] = value
	}
	return params, true
}

// expand fills the braces of a row's path.
func expand(pattern string, params map[string]string) string {
	parts := strings.Split(pattern, "/")
	for i, p := range parts {
		if name, ok := strings.CutPrefix(p, "{"); ok {
			parts[i] = url.PathEscape(params[strings.TrimSuffix(name, "}")])
		}
	}
	return strings.Join(parts, "/")
}
