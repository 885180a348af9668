package nova

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"

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
	id := requestID()
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

// requestID is a new id of the form req-<UUID>.
func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("req-%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
