package nova

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// faultNames are the keys of compute's error bodies (clients/openstack.md, 6).
var faultNames = map[int]string{
	400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
	409: "conflictingRequest", 413: "overLimit", 415: "badMediaType", 429: "overLimit",
	501: "notImplemented", 503: "serviceUnavailable",
}

type novaFault struct {
	Code       int    `json:"code"`
	Message    string `json:"message"`
	RetryAfter string `json:"retryAfter,omitempty"`
}

// plainFault is the framework's own body, and Glance's.
type plainFault struct {
	Message string `json:"message"`
	Code    string `json:"code"`
	Title   string `json:"title"`
}

const notFound = "The resource could not be found."

const breaks = "<br /><br />\n\n\n"

type neutronFault struct {
	NeutronError struct {
		Type    string `json:"type"`
		Message string `json:"message"`
		Detail  string `json:"detail"`
	} `json:"NeutronError"`
}

type keystoneFault struct {
	Error struct {
		Code    int    `json:"code"`
		Title   string `json:"title"`
		Message string `json:"message"`
	} `json:"error"`
}

// said is what the body of an error says.
type said struct{ code, message string }

// readFault reads any of the four shapes; text that is none of them is no message.
func readFault(body []byte) said {
	var m map[string]json.RawMessage
	if json.Unmarshal(body, &m) != nil {
		return said{}
	}
	var plain plainFault
	if json.Unmarshal(body, &plain) == nil && plain.Message != "" {
		return said{"", strings.TrimSpace(strings.ReplaceAll(plain.Message, "<br /><br />", ""))}
	}
	for name, raw := range m {
		var f struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		}
		if json.Unmarshal(raw, &f) == nil && f.Message != "" {
			if f.Type != "" {
				name = f.Type
			}
			return said{name, f.Message}
		}
	}
	return said{}
}

// hearError makes an error of an answer of any of the services.
func hearError(resp *translate.Response) *canonical.Error {
	what := readFault(resp.Body)
	if len(what.message) > 1024 {
		what.message = strings.ToValidUTF8(what.message[:1024], "")
	}
	e := &canonical.Error{
		Code: classify(resp, what), Detail: what.message, RetryAfter: retryAfter(resp.Header),
		Upstream: &canonical.Upstream{
			Status: resp.Status, Code: what.code, Message: what.message,
			RequestID: resp.Header.Get("X-OpenStack-Request-Id"),
		},
	}
	if e.Detail == "" {
		e.Detail = "the cloud answered " + strconv.Itoa(resp.Status)
	}
	return e
}

func classify(resp *translate.Response, what said) canonical.Code {
	has := func(word string) bool { return strings.Contains(strings.ToLower(what.message), word) }
	switch resp.Status {
	case 400:
		if strings.HasPrefix(what.message, "Invalid volume: ") || strings.HasPrefix(what.message, "Invalid snapshot: ") {
			return canonical.FailedPrecondition // Cinder's word for what the state forbids
		}
		return canonical.InvalidRequest
	case 401:
		return canonical.Unauthenticated
	case 403:
		if has("is protected") || has("cannot detach a root device") {
			return canonical.FailedPrecondition
		}
		if !has("policy doesn't allow") && (has("quota") || has("maximum number of")) {
			return canonical.QuotaExceeded
		}
		return canonical.Forbidden
	case 404, 410:
		return canonical.NotFound
	case 405, 406, 501:
		return canonical.Unsupported
	case 409:
		return classifyConflict(what, has)
	case 413:
		switch {
		case has("quota"):
			return canonical.QuotaExceeded
		case resp.Header.Get("Retry-After") != "": // releases before 2.1 limited rates so
			return canonical.RateLimited
		}
		return canonical.TooLarge
	case 429:
		return canonical.RateLimited
	case 502, 503:
		return canonical.Unavailable
	case 504:
		return canonical.Timeout
	case 500: // two actions on one server at the same moment: Nova's API does not catch it
		if has("unexpectedtaskstateerror") {
			return canonical.Conflict
		}
	}
	return canonical.UpstreamError
}

func classifyConflict(what said, has func(string) bool) canonical.Code {
	switch {
	case what.code == "OverQuota":
		return canonical.QuotaExceeded
	case has("already exists"):
		return canonical.AlreadyExists
	case strings.HasSuffix(what.code, "AlreadyAllocated"), strings.HasSuffix(what.code, "Exists"):
		return canonical.AlreadyExists
	case neutronStates[what.code]:
		return canonical.FailedPrecondition
	case has("while it is in"), has("in an invalid state for"), has("is locked"), has("is not ready"), strings.HasSuffix(what.code, "InUse"), has("in use"):
		return canonical.FailedPrecondition
	}
	return canonical.Conflict
}

func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil && n > 0 && n < 1<<31 {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// sayError makes the answer that a real service would give.
func sayError(err *canonical.Error, req *translate.Request, env *translate.Env) *translate.Response {
	service := "compute"
	if req != nil {
		service = req.Service
	}
	status := statusOf(err, service)
	if status == http.StatusNoContent {
		return &translate.Response{Status: status, Header: http.Header{}}
	}
	to := &translate.Response{Status: status, Header: http.Header{"Content-Type": {"application/json"}}}
	if status == http.StatusUnauthorized {
		to.Header.Set("WWW-Authenticate", `Keystone uri="`+env.Base("identity")+`"`)
	}
	if err.RetryAfter > 0 {
		to.Header.Set("Retry-After", seconds(err.RetryAfter))
	}
	var body any
	switch {
	case service == "image", status == http.StatusRequestEntityTooLarge && err.Code == canonical.TooLarge:
		body = framework(status, messageOf(err))
	case status == http.StatusUnauthorized:
		f := keystoneFault{}
		f.Error.Code, f.Error.Title = status, "Unauthorized"
		f.Error.Message = "The request you have made requires authentication."
		body = f
	case service == "network":
		f := neutronFault{}
		f.NeutronError.Type, f.NeutronError.Message = neutronType(err, req), neutronMessage(err, req)
		body = f
	case unrouted(err, req):
		body = framework(status, notFound)
	default:
		body = computeFault(to, err, req)
	}
	to.Body = encode(body)
	return to
}

func encode(body any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)                 // the framework's messages hold tags, as they are
	if err := enc.Encode(body); err != nil { // only texts and numbers
		panic(err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }

// statusOf is the HTTP status that the service gives.
func statusOf(err *canonical.Error, service string) int {
	switch {
	case err.Status == http.StatusMethodNotAllowed && service == "compute":
		return http.StatusNotFound
	case err.Status != 0:
		return err.Status
	case service == "image":
		return imageStatus(err)
	case err.Code == canonical.QuotaExceeded && service == "network":
		return http.StatusConflict
	case err.Code == canonical.QuotaExceeded && service == "volume":
		return http.StatusRequestEntityTooLarge
	case ofVolume(err, service):
		return http.StatusBadRequest
	case missingVolume(err):
		return http.StatusNotFound
	}
	return commonStatus(err)
}

// commonStatus is the HTTP status that all services give.
func commonStatus(err *canonical.Error) int {
	switch {
	case err.Code == canonical.Unsupported && len(err.Fields) > 0, missingReference(err):
		return http.StatusBadRequest
	case err.Code == canonical.Timeout:
		return http.StatusServiceUnavailable
	case err.Code == canonical.UpstreamError, err.Code == canonical.Canceled:
		return http.StatusInternalServerError
	}
	return err.HTTPStatus()
}

// imageStatus is the HTTP status that Glance gives.
func imageStatus(err *canonical.Error) int {
	switch {
	case err.Code == canonical.QuotaExceeded:
		return http.StatusRequestEntityTooLarge
	case err.Code == canonical.FailedPrecondition && err.Operation == canonical.DownloadImage.Spec().Name:
		return http.StatusNoContent // there is nothing to download yet
	case err.Code == canonical.FailedPrecondition && strings.Contains(err.Detail, "protected"):
		return http.StatusForbidden
	}
	return commonStatus(err)
}

// missingReference says whether what a create or rebuild points to is not there.
func missingReference(err *canonical.Error) bool {
	return err.Code == canonical.NotFound && (err.Operation == "server.create" || len(err.Fields) > 0)
}

// ofVolume says whether it is the state of a volume that forbids a call: Cinder, and
// Nova for it, call that a bad request.
func ofVolume(err *canonical.Error, service string) bool {
	attaches := err.Operation == canonical.AttachVolume.Spec().Name || err.Operation == canonical.DetachVolume.Spec().Name
	return err.Code == canonical.FailedPrecondition && (service == "volume" || attaches && err.Hindrance == nil)
}

// missingVolume says whether what a volume, a snapshot or an attachment is made of is
// not there: Cinder, and Nova for it, answer as for a path.
func missingVolume(err *canonical.Error) bool {
	if err.Code != canonical.InvalidRequest || len(err.Fields) != 1 || !strings.HasPrefix(err.Fields[0].Reason, "there is no") {
		return false
	}
	switch err.Operation {
	case canonical.CreateVolume.Spec().Name:
		return slices.Contains([]string{"type", "snapshot", "source"}, err.Fields[0].Field)
	case canonical.AttachVolume.Spec().Name, canonical.CreateVolumeSnapshot.Spec().Name:
		return err.Fields[0].Field == "volume"
	}
	return false
}

// unrouted says whether the facade found no row: no operation was begun.
func unrouted(err *canonical.Error, req *translate.Request) bool {
	return req != nil && err.Code == canonical.NotFound && err.Operation == "" && err.Cloud == "" && len(err.Fields) == 0
}

func framework(status int, message string) plainFault {
	title := http.StatusText(status)
	return plainFault{message + breaks, strconv.Itoa(status) + " " + title, title}
}

func computeFault(to *translate.Response, err *canonical.Error, req *translate.Request) any {
	to.Header.Set("Content-Type", "application/json; charset=UTF-8")
	name, ok := faultNames[to.Status]
	if !ok {
		name = "computeFault"
	}
	f := novaFault{Code: to.Status, Message: messageOf(err)}
	switch {
	case err.Code == canonical.Unsupported && to.Status == http.StatusNotFound: // of another version
		f.Message = notFound
	case to.Status == http.StatusNotFound:
		f.Message = missing(err, req)
	case err.Hindrance != nil && err.Upstream == nil && req != nil:
		f.Message = hindered(*err.Hindrance, req)
	}
	if to.Status == http.StatusRequestEntityTooLarge { // Cinder's quotas
		to.Header.Set("Retry-After", "0")
		f.RetryAfter = "0"
	}
	if err.RetryAfter > 0 && name == "overLimit" {
		f.RetryAfter = seconds(err.RetryAfter)
	}
	return map[string]novaFault{name: f}
}

// messageOf is what the cloud behind said where it found fault with the request,
// else our own sentence.
func messageOf(err *canonical.Error) string {
	switch {
	case err.Code == canonical.Internal:
		return "Unexpected API Error."
	case err.Upstream != nil && err.Upstream.Message != "" && err.HTTPStatus() < 500:
		return err.Upstream.Message
	case err.Code == canonical.QuotaExceeded && !strings.Contains(strings.ToLower(err.Detail), "quota"):
		return "Quota exceeded: " + err.Detail
	case err.Detail == "":
		return err.Code.Title()
	}
	return err.Detail
}

// missing is Nova's sentence on what a path points to and is not there.
func missing(err *canonical.Error, req *translate.Request) string {
	if req == nil || req.Params["id"] == "" {
		return messageOf(err)
	}
	id := req.Params["id"]
	switch {
	case strings.Count(req.Path, "/") > 3: // of a thing of a thing it is not known which is missing
		return messageOf(err)
	case strings.HasPrefix(req.Path, "/servers/"):
		return "Instance " + id + " could not be found."
	case strings.HasPrefix(req.Path, "/flavors/"):
		return "Flavor " + id + " could not be found."
	case req.Service == "volume" && strings.HasPrefix(req.Path, "/volumes/"):
		return "Volume " + id + " could not be found."
	case req.Service == "volume" && strings.HasPrefix(req.Path, "/snapshots/"):
		return "Snapshot " + id + " could not be found."
	case req.Service == "volume" && strings.HasPrefix(req.Path, "/types/"):
		return "Volume type " + id + " could not be found."
	case strings.HasPrefix(req.Path, "/os-keypairs/"):
		return "Keypair " + id + " not found"
	}
	return messageOf(err)
}
