package gateway

import (
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// goodKey is an Idempotency-Key: printable ASCII without blanks, at most 255.
var goodKey = regexp.MustCompile(`^[!-~]{1,255}$`)

// readOptions reads what every operation understands beside its own request.
func (r *reader) readOptions(req *http.Request, in *input) error {
	o := canonical.Options{
		Tenant: in.query.Get("tenant"), RequestID: recordOf(req.Context()).requestID,
		Trace: recordOf(req.Context()).trace, Fresh: wantsFresh(req.Header),
	}
	if in.query.Has("native") {
		if err := set(reflect.ValueOf(&o.Native).Elem(), in.query.Get("native")); err != nil {
			return canonical.Invalid("native", "%s", err.Error())
		}
	}
	if err := readClouds(in, &o); err != nil {
		return err
	}
	if keys := req.Header.Values("Idempotency-Key"); len(keys) > 0 {
		switch {
		case req.Method != http.MethodPost:
			return canonical.Errorf(canonical.InvalidRequest, "Idempotency-Key goes with POST only")
		case len(keys) > 1 || !goodKey.MatchString(keys[0]):
			return canonical.Errorf(canonical.InvalidRequest, "Idempotency-Key must be 1 to 255 printable characters")
		}
		o.IdempotencyKey = keys[0]
	}
	in.options = o
	return nil
}

// readClouds reads cloud=a,b, and lets the body of a create name the cloud too: the
// two must agree.
func readClouds(in *input, o *canonical.Options) error {
	if in.query.Has("cloud") {
		o.Clouds = strings.Split(in.query.Get("cloud"), ",")
		if slices.Contains(o.Clouds, "") {
			return canonical.Invalid("cloud", "must be names of clouds with commas between")
		}
	}
	f, ok := in.request.Type().FieldByName("Cloud")
	if !ok || !takesBody(f) || f.Type.Kind() != reflect.String {
		return nil
	}
	body := in.request.FieldByIndex(f.Index).String()
	switch {
	case body == "":
	case o.Clouds == nil:
		o.Clouds = []string{body}
	case len(o.Clouds) != 1 || o.Clouds[0] != body:
		return canonical.Invalid("cloud", "differs between query and body")
	}
	return nil
}

func wantsFresh(h http.Header) bool {
	for _, line := range h.Values("Cache-Control") {
		for _, d := range strings.Split(line, ",") {
			if strings.EqualFold(strings.TrimSpace(d), "no-cache") {
				return true
			}
		}
	}
	return false
}
