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

// negotiate finds the microversion that a request to compute asks for; the other
// services have none. Without a header it is 2.1.
func negotiate(req *translate.Request) (translate.Version, error) {
	if req.Service != "compute" {
		return translate.Version{}, nil
	}
	asked := askedVersion(req.Header)
	switch asked {
	case "":
		return MinVersion, nil
	case "latest":
		return MaxVersion, nil
	}
	got, err := translate.ParseVersion(asked)
	if err != nil {
		return translate.Version{}, canonical.Errorf(canonical.InvalidRequest,
			"API Version String %s is of invalid format. Must be of format MajorNum.MinorNum.", asked)
	}
	if !got.AtLeast(MinVersion) || !MaxVersion.AtLeast(got) {
		e := canonical.Errorf(canonical.Unsupported,
			"Version %s is not supported by the API. Minimum is %s and maximum is %s.", got, MinVersion, MaxVersion)
		e.Status = http.StatusNotAcceptable
		return translate.Version{}, e
	}
	return got, nil
}

func askedVersion(h http.Header) string {
	for _, line := range h.Values(headerVersion) {
		for _, part := range strings.Split(line, ",") {
			if service, version, ok := strings.Cut(strings.TrimSpace(part), " "); ok && strings.EqualFold(service, "compute") {
				return strings.TrimSpace(version)
			}
		}
	}
	return strings.TrimSpace(h.Get(headerNovaVersion))
}

// setVersion puts the microversion on a request, in both headers.
func setVersion(req *translate.Request, version translate.Version) {
	if req.Service != "compute" {
		return
	}
	req.Header.Set(headerVersion, "compute "+version.String())
	req.Header.Set(headerNovaVersion, version.String())
}

// setHeaders sets what every answer carries.
func setHeaders(h http.Header, req *translate.Request, env *translate.Env) {
	id := requestID(env.RequestID)
	h.Set("X-OpenStack-Request-Id", id)
	if req == nil || req.Service != "compute" {
		return
	}
	h.Set("X-Compute-Request-Id", id)
	version := env.Version
	if version.IsZero() {
		version = MinVersion
	}
	h.Set(headerVersion, "compute "+version.String())
	h.Set(headerNovaVersion, version.String())
	h["Vary"] = []string{headerVersion, headerNovaVersion}
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
