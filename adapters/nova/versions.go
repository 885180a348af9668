package nova

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// versionDocuments are the services with microversions, and the service at whose root
// each tells them.
var versionDocuments = map[string]string{"compute": "compute", "volume": "volume-root"}

// windows remembers the microversions of services.
type windows struct {
	mu    sync.Mutex
	known map[string]knownWindow
}

type knownWindow struct {
	translate.Window
	until time.Time
}

// keepWindow is how long they are remembered: an upgrade of the cloud is noticed
// within this time.
const keepWindow = 10 * time.Minute

func (w *windows) get(service string) (translate.Window, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.known[service]
	return k.Window, time.Now().Before(k.until)
}

// ForgetVersions implements wire.Forgetter.
func (c *conn) ForgetVersions(service string) {
	c.windows.mu.Lock()
	defer c.windows.mu.Unlock()
	if k, known := c.windows.known[service]; known {
		k.until = time.Time{}
		c.windows.known[service] = k
	}
}

// last is what was known last, be it old.
func (w *windows) last(service string) translate.Window {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known[service].Window
}

func (w *windows) put(service string, known translate.Window) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.known == nil {
		w.known = map[string]knownWindow{}
	}
	w.known[service] = knownWindow{known, time.Now().Add(keepWindow)}
}

// window is the microversions that a service speaks, as its root tells. Of the first
// calls several may ask for it at once, which does no harm.
func (c *conn) window(ctx context.Context, service, root string) (translate.Window, error) {
	if w, ok := c.windows.get(service); ok {
		return w, nil
	}
	resp, err := c.Send(ctx, &translate.Request{Service: root, Method: http.MethodGet, Path: "/"})
	if err != nil {
		return translate.Window{}, err
	}
	w, err := readWindow(resp, service)
	if err == nil {
		c.windows.put(service, w)
	}
	return w, err
}

// readWindow reads the version document of /v2.1/, or Cinder's, which is a list of one.
// A service before microversions has empty texts there.
func readWindow(resp *translate.Response, service string) (translate.Window, error) {
	type version struct {
		Max string `json:"version"`
		Min string `json:"min_version"`
	}
	var doc struct {
		Version  *version  `json:"version"`
		Versions []version `json:"versions"`
	}
	if resp.Status != http.StatusOK {
		return translate.Window{}, statusError(resp.Status, "the "+service+" service does not tell its versions")
	}
	err := json.Unmarshal(resp.Body, &doc)
	if doc.Version == nil && len(doc.Versions) == 1 {
		doc.Version = &doc.Versions[0]
	}
	if err != nil || doc.Version == nil {
		return translate.Window{}, canonical.Errorf(canonical.UpstreamError, "what the %s service says of its versions cannot be read", service)
	}
	if doc.Version.Max == "" {
		return translate.Window{}, nil
	}
	hi, errHi := translate.ParseVersion(doc.Version.Max)
	lo, errLo := translate.ParseVersion(doc.Version.Min)
	if errHi != nil || errLo != nil {
		return translate.Window{}, canonical.Errorf(canonical.UpstreamError, "the %s service has versions of an unknown form", service)
	}
	return translate.Window{Min: lo, Max: hi}, nil
}

func statusError(status int, detail string) error {
	code := canonical.UpstreamError
	if status == http.StatusServiceUnavailable || status == http.StatusBadGateway || status == http.StatusGatewayTimeout {
		code = canonical.Unavailable
	}
	return &canonical.Error{Code: code, Detail: detail, Upstream: &canonical.Upstream{Status: status}}
}
