package dragoman

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// encode is the call as an HTTP request to the remote.
func (c *Cloud) encode(ctx context.Context, call canonical.Call) (*http.Request, error) {
	request := call.Request
	if c.nested {
		request = withoutPlacement(request)
	}
	parts := parts{path: call.Op.Path, query: url.Values{}}
	if err := parts.read(reflect.ValueOf(request)); err != nil {
		return nil, err
	}
	o := canonical.OptionsOf(ctx)
	c.addOptions(parts.query, o)
	body, err := parts.body(request)
	if err != nil {
		return nil, err
	}
	target := c.endpoint.String() + parts.path
	if q := parts.query.Encode(); q != "" {
		target += "?" + q
	}
	req, err := http.NewRequestWithContext(ctx, call.Op.Method, target, body)
	if err != nil {
		return nil, canonical.Errorf(canonical.InvalidRequest, "the request does not make a URL")
	}
	c.addHeaders(req, o)
	if content := contentOf(request); content != nil {
		req.Body, req.ContentLength = content.ReadCloser, content.Size
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	return req, nil
}

// contentOf is the content that a request holds; nil: none.
func contentOf(request any) *canonical.Content {
	if r, ok := request.(canonical.ImageUpload); ok {
		return r.Content
	}
	return nil
}

// withoutPlacement takes off the name of the cloud that our own broker placed the
// request by: the remote has other clouds.
func withoutPlacement(request any) any {
	v := reflect.New(reflect.TypeOf(request)).Elem()
	v.Set(reflect.ValueOf(request))
	if f := v.FieldByName("Cloud"); f.IsValid() && v.Kind() == reflect.Struct {
		if field, _ := v.Type().FieldByName("Cloud"); strings.HasPrefix(field.Tag.Get("json"), "cloud,") {
			f.SetString("")
		}
	}
	return v.Interface()
}

func (c *Cloud) addOptions(q url.Values, o canonical.Options) {
	if !c.nested && len(o.Clouds) > 0 {
		q.Set("cloud", strings.Join(o.Clouds, ","))
	}
	if !c.nested && o.Tenant != "" {
		q.Set("tenant", o.Tenant)
	}
	if o.Native {
		q.Set("native", "true")
	}
}

func (c *Cloud) addHeaders(req *http.Request, o canonical.Options) {
	h := req.Header
	h.Set("Accept", "application/json, application/problem+json")
	h.Set("User-Agent", "dragoman")
	if req.Body != nil {
		h.Set("Content-Type", "application/json")
	}
	set := func(name, value string) {
		if value != "" {
			h.Set(name, value)
		}
	}
	if c.key != "" {
		h.Set("Authorization", "Bearer "+c.key)
	}
	if o.Fresh {
		h.Set("Cache-Control", "no-cache")
	}
	set("X-Request-Id", o.RequestID)
	set("Traceparent", o.Trace)
	if req.Method == http.MethodPost {
		set("Idempotency-Key", o.IdempotencyKey)
	}
}

// parts are the places of an HTTP request that a canonical request fills.
type parts struct {
	path    string // with the parameters put in, escaped
	query   url.Values
	hasBody bool // the type has fields that go into the body
	whole   any  // the field that is the whole body; nil: the body has the request's fields
}

// read puts the fields of v, a struct, where their tags say.
func (p *parts) read(v reflect.Value) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Anonymous {
			if err := p.read(v.Field(i)); err != nil {
				return err
			}
			continue
		}
		if err := p.readField(field, v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

func (p *parts) readField(field reflect.StructField, v reflect.Value) error {
	if name := field.Tag.Get("path"); name != "" {
		return p.setPath(name, v.String())
	}
	if name := field.Tag.Get("query"); name != "" {
		if v.IsZero() {
			return nil
		}
		p.query.Set(name, queryText(reflect.Indirect(v).Interface()))
		return nil
	}
	if field.Tag.Get("body") != "" {
		if p.hasBody, p.whole = true, v.Interface(); v.Kind() == reflect.Map && v.IsNil() {
			p.whole = struct{}{}
		}
	}
	if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "-" {
		p.hasBody = true
	}
	return nil
}

// setPath puts a parameter into the path. Dots alone would be cut out of the path on
// the way, and lead to another resource.
func (p *parts) setPath(name, value string) error {
	if value == "" || value == "." || value == ".." {
		return canonical.Invalid(name, "is not an id")
	}
	escaped := strings.ReplaceAll(url.PathEscape(value), ":", "%3A")
	p.path = strings.ReplaceAll(p.path, "{"+name+"}", escaped)
	return nil
}

func (p *parts) body(request any) (io.Reader, error) {
	if !p.hasBody {
		return nil, nil //nolint:nilnil // http.NewRequest takes nil for no body
	}
	if p.whole != nil {
		request = p.whole
	}
	b, err := json.Marshal(request)
	if err != nil {
		return nil, canonical.Errorf(canonical.InvalidRequest, "the request cannot be written as JSON")
	}
	return bytes.NewReader(b), nil
}

// queryText is a value as queries hold it: times as in RFC 3339.
func queryText(v any) string {
	if at, ok := v.(time.Time); ok {
		return at.Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}
