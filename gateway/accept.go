package gateway

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// ranges are the media ranges that hold our answers, the most precise first.
var ranges = [][]string{{jsonType, problemType}, {"application/*"}, {"*/*"}}

// acceptable refuses requests that want no JSON (RFC 9110 section 12.5.1: the most
// precise range that fits decides, and q=0 refuses). A content is sent to whoever asks
// for it.
func acceptable(op *canonical.Spec, h http.Header) error {
	if op.Result == contentShape {
		return nil
	}
	best, wanted := len(ranges), false
	lines := strings.Join(h.Values("Accept"), ",")
	for _, part := range strings.Split(lines, ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		at := slices.IndexFunc(ranges, func(r []string) bool { return slices.Contains(r, kind) })
		if at < 0 || at > best {
			continue
		}
		q, err := strconv.ParseFloat(params["q"], 64)
		some := err != nil || q > 0
		wanted = some || at == best && wanted
		best = at
	}
	if strings.TrimSpace(lines) == "" || wanted {
		return nil
	}
	return refuse(http.StatusNotAcceptable, "answers are %s only", jsonType)
}

// refuse is an InvalidRequest with a status of its own.
func refuse(status int, format string, args ...any) error {
	e := canonical.Errorf(canonical.InvalidRequest, format, args...)
	e.Status = status
	return e
}
