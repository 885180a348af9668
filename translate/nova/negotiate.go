package nova

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// The microversions that this table speaks.
var (
	MinVersion = v(1)
	MaxVersion = v(93)
)

const (
	headerVersion     = "OpenStack-API-Version"
	headerNovaVersion = "X-OpenStack-Nova-API-Version"
)

// windows are the microversions of the services that have some.
var windows = map[string]translate.Window{
	"compute": {Min: MinVersion, Max: MaxVersion}, "volume": {Min: MinVolumeVersion, Max: MaxVolumeVersion},
}

// negotiate finds the microversion that a request asks for. Without a header it is the
// oldest.
func negotiate(req *translate.Request) (translate.Version, error) {
	w, versioned := windows[req.Service]
	if !versioned {
		return translate.Version{}, nil
	}
	asked := askedVersion(req.Header, req.Service)
	switch asked {
	case "":
		return w.Min, nil
	case "latest":
		return w.Max, nil
	}
	got, err := translate.ParseVersion(asked)
	if err != nil {
		return translate.Version{}, canonical.Errorf(canonical.InvalidRequest,
			"API Version String %s is of invalid format. Must be of format MajorNum.MinorNum.", asked)
	}
	if !got.AtLeast(w.Min) || !w.Max.AtLeast(got) {
		e := canonical.Errorf(canonical.Unsupported,
			"Version %s is not supported by the API. Minimum is %s and maximum is %s.", got, w.Min, w.Max)
		e.Status = http.StatusNotAcceptable
		return translate.Version{}, e
	}
	return got, nil
}

func askedVersion(h http.Header, of string) string {
	for _, line := range h.Values(headerVersion) {
		for _, part := range strings.Split(line, ",") {
			if service, version, ok := strings.Cut(strings.TrimSpace(part), " "); ok && strings.EqualFold(service, of) {
				return strings.TrimSpace(version)
			}
		}
	}
	if of != "compute" {
		return ""
	}
	return strings.TrimSpace(h.Get(headerNovaVersion))
}

// setVersion puts the microversion on a request; compute's in both headers.
func setVersion(req *translate.Request, version translate.Version) {
	if _, versioned := windows[req.Service]; !versioned {
		return
	}
	req.Header.Set(headerVersion, req.Service+" "+version.String())
	if req.Service == "compute" {
		req.Header.Set(headerNovaVersion, version.String())
	}
}

// setHeaders sets what every answer carries.
func setHeaders(h http.Header, req *translate.Request, env *translate.Env) {
	id := requestID(env.RequestID)
	h.Set("X-OpenStack-Request-Id", id)
	if req == nil || windows[req.Service].Max.IsZero() {
		return
	}
	h.Set("X-Compute-Request-Id", id) // Cinder's, too
	version := env.Version
	if version.IsZero() {
		version = windows[req.Service].Min
	}
	h.Set(headerVersion, req.Service+" "+version.String())
	h["Vary"] = []string{headerVersion}
	if req.Service == "compute" {
		h.Set(headerNovaVersion, version.String())
		h["Vary"] = []string{headerVersion, headerNovaVersion}
	}
}

// requests is the name space of OpenStack's request ids, which must be UUIDs: ours
// may be any text. adapters/nova tells clouds the same ids.
var requests = uuid.NewSHA1(uuid.NameSpaceDNS, []byte("dragoman"))

// requestID is the id of a request in OpenStack's form; a new one where it has none.
func requestID(id string) string {
	if id == "" {
		return "req-" + uuid.NewString()
	}
	return "req-" + uuid.NewSHA1(requests, []byte(id)).String()
}
