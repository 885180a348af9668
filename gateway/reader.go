package gateway

import (
	"crypto/sha256"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/gin-gonic/gin"
)

// reader turns HTTP requests into requests of one operation. It is made once, by
// the tags of the request's fields.
type reader struct {
	op       *canonical.Spec
	path     []param
	query    []param
	body     *huma.Schema // nil: the operation takes none
	whole    []int        // the field that is the whole body; nil: the body has the request's fields
	required bool         // the body
	registry huma.Registry
	maxBody  int64
	patience time.Duration // with a content that does not go on
}

// param is a field that comes from the path or the query.
type param struct {
	name  string
	index []int
	field reflect.StructField
	enum  []string
}

// input is a request as it was read.
type input struct {
	request reflect.Value // addressable struct of type op.Request
	options canonical.Options
	wait    time.Duration
	query   url.Values
	route   string            // the operation and the parameters of its path
	gone    <-chan struct{}   // closed when the client is
	digest  [sha256.Size]byte // of the body as JSON
}

// commonKeys are the query keys of every operation.
var commonKeys = []string{"cloud", "tenant", "native"}

func newReader(registry huma.Registry, op *canonical.Spec, maxBody int64, patience time.Duration) (*reader, error) {
	r := &reader{op: op, registry: registry, maxBody: maxBody, patience: patience}
	for _, f := range reflect.VisibleFields(op.Request) {
		if name := f.Tag.Get("path"); name != "" {
			r.path = append(r.path, paramOf(name, f))
		}
		if name := f.Tag.Get("query"); name != "" {
			r.query = append(r.query, paramOf(name, f))
		}
		if takesBody(f) {
			r.body = &huma.Schema{}
		}
		if f.Tag.Get("body") != "" {
			r.whole, r.required = f.Index, true
			r.body = component(registry, f.Type, op.Request.Name())
		}
	}
	if r.body != nil && r.whole == nil {
		r.body = registry.Schema(op.Request, true, op.Request.Name())
		r.required = len(registry.SchemaFromRef(r.body.Ref).Required) > 0
	}
	for _, p := range append(slices.Clone(r.path), r.query...) {
		if err := settable(p.field.Type); err != nil {
			return nil, canonical.Errorf(canonical.Internal, "gateway: %s: parameter %s: %w", op.Name, p.name, err)
		}
	}
	return r, nil
}

func paramOf(name string, f reflect.StructField) param {
	p := param{name: name, index: f.Index, field: f}
	if e := f.Tag.Get("enum"); e != "" {
		p.enum = strings.Split(e, ",")
	}
	return p
}

func takesBody(f reflect.StructField) bool {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return f.IsExported() && !f.Anonymous && name != "-" && name != ""
}

// read is the whole request, or InvalidRequest with all that is wrong in one of
// its parts.
func (r *reader) read(c *gin.Context) (*input, error) {
	in := &input{request: reflect.New(r.op.Request).Elem(), wait: preferredWait(c.Request.Header), gone: c.Request.Context().Done()}
	if err := acceptable(r.op, c.Request.Header); err != nil {
		return nil, err
	}
	if field, ok := takesContent(r.op.Request); ok {
		if err := r.readContent(c, in, field); err != nil {
			return nil, err
		}
	} else if err := r.readBody(c, in); err != nil {
		return nil, err
	}
	if err := r.readPath(c, in); err != nil {
		return nil, err
	}
	if err := r.readQuery(c.Request, in); err != nil {
		return nil, err
	}
	return in, r.readOptions(c.Request, in)
}

func (r *reader) readPath(c *gin.Context, in *input) error {
	in.route = r.op.Name
	for _, p := range r.path {
		text, err := pathValue(c, p.name)
		if err != nil {
			return err
		}
		if err := set(in.request.FieldByIndex(p.index), text); err != nil {
			return canonical.Invalid(p.name, "%s", err.Error())
		}
		in.route += "\x00" + text
	}
	return nil
}

// pathValue is a parameter of the path, unescaped if the router saw it escaped.
func pathValue(c *gin.Context, name string) (string, error) {
	text := c.Param(name)
	if c.Request.URL.RawPath != "" {
		plain, err := url.PathUnescape(text)
		if err != nil {
			return "", canonical.Invalid(name, "is not escaped as paths are")
		}
		text = plain
	}
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", canonical.Invalid(name, "is empty or holds control characters")
	}
	return text, nil
}

// readQuery reads the query; what is wrong with its keys is told all at once.
func (r *reader) readQuery(req *http.Request, in *input) error {
	q, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return canonical.Errorf(canonical.InvalidRequest, "the query is malformed")
	}
	in.query = q
	var wrong []canonical.FieldError
	for key, values := range q {
		if reason := r.readKey(key, values, in); reason != "" {
			wrong = append(wrong, canonical.FieldError{Field: key, Reason: reason})
		}
	}
	return invalid(wrong)
}

func (r *reader) readKey(key string, values []string, in *input) (wrong string) {
	if len(values) > 1 {
		return "is given more than once"
	}
	i := slices.IndexFunc(r.query, func(p param) bool { return p.name == key })
	switch {
	case i < 0 && slices.Contains(commonKeys, key):
		return ""
	case i < 0:
		return "is not a query key of " + r.op.Name
	}
	p := r.query[i]
	if len(p.enum) > 0 && !slices.Contains(p.enum, values[0]) {
		return "must be one of " + strings.Join(p.enum, ", ")
	}
	f := in.request.FieldByIndex(p.index)
	if err := set(f, values[0]); err != nil {
		return err.Error()
	}
	if key == "limit" && (f.Int() < 1 || f.Int() > canonical.MaxLimit) {
		return "must be 1 to 1000"
	}
	return ""
}

// invalid is an InvalidRequest about these fields, or nil where there are none.
func invalid(wrong []canonical.FieldError) error {
	if len(wrong) == 0 {
		return nil
	}
	slices.SortFunc(wrong, func(a, b canonical.FieldError) int { return strings.Compare(a.Field, b.Field) })
	return &canonical.Error{
		Code: canonical.InvalidRequest, Fields: wrong,
		Detail: wrong[0].Field + ": " + wrong[0].Reason,
	}
}

// cursorScope is what a cursor belongs to: the list, its filters and its reader.
func (in *input) cursorScope(tenant string) string {
	filters := url.Values{}
	for k, v := range in.query {
		if k != "cursor" && k != "limit" && k != "native" && v[0] != "" {
			filters[k] = v
		}
	}
	return strings.Join([]string{tenant, in.route, filters.Encode()}, "\x00")
}
