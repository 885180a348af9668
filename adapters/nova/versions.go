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

// windows remembers the microversions of the compute service.
type windows struct {
	mu    sync.Mutex
	known translate.Window
	until time.Time
}

// keepWindow is how long they are remembered: an upgrade of the cloud is noticed
// within this time.
const keepWindow = 10 * time.Minute

func (w *windows) get() (translate.Window, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known, time.Now().Before(w.until)
}

// last is what was known last, be it old.
func (w *windows) last() translate.Window {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known
}

func (w *windows) put(known translate.Window) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known, w.until = known, time.Now().Add(keepWindow)
}

// window is the microversions that the compute service speaks. Of the first calls
// several may ask for it at once, which does no harm.
func (c *conn) window(ctx context.Context) (translate.Window, error) {
	if w, ok := c.windows.get(); ok {
		return w, nil
	}
	resp, err := c.Send(ctx, &translate.Request{Service: "compute", Method: http.MethodGet, Path: "/"})
	if err != nil {
		return translate.Window{}, err
	}
	w, err := readWindow(resp)
	if err == nil {
		c.windows.put(w)
	}
	return w, err
}

// readWindow reads the version document of /v2.1/. A service before microversions
// has empty texts there.
func readWindow(resp *translate.Response) (translate.Window, error) {
	var doc struct {
		Version *struct {
			Max string `json:"version"`
			Min string `json:"min_version"`
		} `json:"version"`
	}
	if resp.Status != http.StatusOK {
		return translate.Window{}, statusError(resp.Status, "the compute service does not tell its versions")
	}
	if err := json.Unmarshal(resp.Body, &doc); err != nil || doc.Version == nil {
		return translate.Window{}, canonical.Errorf(canonical.UpstreamError, "what the compute service says of its versions cannot be read")
	}
	if doc.Version.Max == "" {
		return translate.Window{}, nil
	}
	hi, errHi := translate.ParseVersion(doc.Version.Max)
	lo, errLo := translate.ParseVersion(doc.Version.Min)
	if errHi != nil || errLo != nil {
		return translate.Window{}, canonical.Errorf(canonical.UpstreamError, "the compute service has versions of an unknown form")
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
