package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/gin-gonic/gin"
)

// maxDepth is how deep a body may nest; no request needs more than six.
const maxDepth = 32

func init() {
	// Names of fields are compared as they are: NAME is not name. huma has this as
	// a variable of its package only, and this package is huma's only user.
	huma.ValidateStrictCasing = true
}

// readBody reads the body into the request by the operation's schema.
func (r *reader) readBody(c *gin.Context, in *input) error {
	data, err := r.bytes(c)
	if err != nil {
		return err
	}
	in.digest = sha256.Sum256(nil)
	if len(bytes.TrimSpace(data)) == 0 {
		if r.required {
			return canonical.Errorf(canonical.InvalidRequest, "a body is required")
		}
		return nil
	}
	if err := r.contentType(c.Request); err != nil {
		return err
	}
	tree, err := parse(data)
	if err != nil {
		return err
	}
	if err := r.check(tree); err != nil {
		return err
	}
	if in.digest, err = digest(tree); err != nil {
		return err
	}
	if r.body == nil {
		return nil
	}
	return decodeError(json.Unmarshal(data, in.request.FieldByIndex(r.whole).Addr().Interface()))
}

// bytes reads the whole body, up to the limit.
func (r *reader) bytes(c *gin.Context) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, r.maxBody))
	var over *http.MaxBytesError
	var slow net.Error
	switch {
	case err == nil:
		return data, nil
	case errors.As(err, &over):
		return nil, canonical.Errorf(canonical.TooLarge, "the body is over %d bytes", r.maxBody)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return nil, refuse(http.StatusRequestTimeout, "the body did not arrive in time")
	default:
		return nil, canonical.Errorf(canonical.InvalidRequest, "the body ended early")
	}
}

// contentType refuses what is not JSON in UTF-8, plain.
func (r *reader) contentType(req *http.Request) error {
	kind, params, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	charset := params["charset"]
	ok := err == nil && (kind == jsonType || kind == patchType && req.Method == http.MethodPatch) &&
		(charset == "" || strings.EqualFold(charset, "utf-8")) && req.Header.Get("Content-Encoding") == ""
	if ok {
		return nil
	}
	return refuse(http.StatusUnsupportedMediaType, "bodies are %s in UTF-8, not compressed", jsonType)
}

// parse reads one JSON value strictly: UTF-8, no key twice, nothing after it.
func parse(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, canonical.Errorf(canonical.InvalidRequest, "the body is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	tree, err := parseValue(dec, "", 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, canonical.Errorf(canonical.InvalidRequest, "something follows the JSON value of the body")
	}
	return tree, nil
}

func parseValue(dec *json.Decoder, path string, depth int) (any, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, canonical.Errorf(canonical.InvalidRequest, "the body is not JSON, at byte %d", dec.InputOffset())
	}
	d, nests := tok.(json.Delim)
	switch {
	case nests && depth == maxDepth:
		return nil, canonical.Errorf(canonical.InvalidRequest, "the body nests deeper than %d", maxDepth)
	case nests && d == '{':
		return parseObject(dec, path, depth)
	case nests:
		return parseArray(dec, path, depth)
	default:
		return tok, nil
	}
}

func parseObject(dec *json.Decoder, path string, depth int) (any, error) {
	out := make(map[string]any)
	for dec.More() {
		key, err := parseValue(dec, path, depth+1)
		if err != nil {
			return nil, err
		}
		name, _ := key.(string) // the decoder lets only strings be keys
		at := join(path, name)
		if _, twice := out[name]; twice {
			return nil, canonical.Invalid(at, "is given more than once")
		}
		if out[name], err = parseValue(dec, at, depth+1); err != nil {
			return nil, err
		}
	}
	return out, end(dec)
}

func parseArray(dec *json.Decoder, path string, depth int) (any, error) {
	out := []any{}
	for dec.More() {
		v, err := parseValue(dec, join(path, strconv.Itoa(len(out))), depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, end(dec)
}

// end reads the bracket that closes an object or array.
func end(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return canonical.Errorf(canonical.InvalidRequest, "the body is not JSON, at byte %d", dec.InputOffset())
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// check holds a body against the operation's schema.
func (r *reader) check(tree any) error {
	object, ok := tree.(map[string]any)
	if !ok {
		return canonical.Errorf(canonical.InvalidRequest, "the body must be a JSON object")
	}
	if r.body == nil {
		var wrong []canonical.FieldError
		for name := range object {
			wrong = append(wrong, canonical.FieldError{Field: name, Reason: "is not a field of " + r.op.Name})
		}
		return invalid(wrong)
	}
	return invalid(r.violations(r.body, nil, object))
}

// violations are what huma finds wrong with v at path.
func (r *reader) violations(s *huma.Schema, path []string, v any) []canonical.FieldError {
	var res huma.ValidateResult
	at := huma.NewPathBuffer(nil, 0)
	for _, p := range path {
		at.Push(p)
	}
	huma.Validate(r.registry, s, at, huma.ModeWriteToServer, v, &res)
	var wrong []canonical.FieldError
	for _, err := range res.Errors {
		var d *huma.ErrorDetail
		if !errors.As(err, &d) {
			wrong = append(wrong, canonical.FieldError{Reason: err.Error()})
			continue
		}
		if branch, sub := r.branch(d); branch != nil {
			wrong = append(wrong, r.violations(branch, []string{d.Location}, sub)...)
			continue
		}
		wrong = append(wrong, fieldError(d))
	}
	return wrong
}

// branch is the alternative of a oneOf that has the value's own JSON type: its
// complaints say more than that none fits.
func (r *reader) branch(d *huma.ErrorDetail) (*huma.Schema, any) {
	if d.Message != validation.MsgExpectedMatchExactlyOneSchema && d.Message != validation.MsgExpectedMatchAtLeastOneSchema {
		return nil, nil
	}
	s := r.registry.SchemaFromRef(r.body.Ref).Properties[d.Location]
	if s == nil {
		return nil, nil
	}
	want := huma.TypeString
	if _, ok := d.Value.([]any); ok {
		want = huma.TypeArray
	}
	for _, alt := range s.OneOf {
		if alt.Type == want {
			return alt, d.Value
		}
	}
	return nil, nil
}

// fieldError is huma's complaint as the contract words it; a missing property is
// told by its own path, not by that of what lacks it.
func fieldError(d *huma.ErrorDetail) canonical.FieldError {
	path := strings.NewReplacer("[", ".", "]", "").Replace(d.Location)
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	if name, ok := strings.CutPrefix(d.Message, before); ok && strings.HasSuffix(name, after) {
		return canonical.FieldError{Field: join(path, strings.TrimSuffix(name, after)), Reason: "is required"}
	}
	if d.Message == validation.MsgUnexpectedProperty {
		return canonical.FieldError{Field: path, Reason: "is not a known field"}
	}
	return canonical.FieldError{Field: path, Reason: d.Message}
}

// decodeError is what encoding/json found that the schema let pass.
func decodeError(err error) error {
	var kind *json.UnmarshalTypeError
	var ours *canonical.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &kind) && kind.Field != "":
		return canonical.Invalid(kind.Field, "must not be %s", kind.Value)
	default:
		return canonical.Errorf(canonical.InvalidRequest, "the body does not fit the operation")
	}
}

// digest is the same for bodies that are the same JSON.
func digest(tree any) (sum [sha256.Size]byte, err error) {
	b, err := json.Marshal(tree) // sorts keys
	return sha256.Sum256(b), err
}
