package gateway

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// bearerScheme is the name of the one way to authenticate.
const bearerScheme = "bearer"

// apiConfig describes the API as a whole. huma serves no paths of its own.
func apiConfig(version string) huma.Config {
	return huma.Config{OpenAPI: &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "dragoman", Version: version,
			Description: "One compute API for every cloud.",
		},
		Components: &huma.Components{
			Schemas: newRegistry(),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				bearerScheme: {Type: "http", Scheme: "bearer", Description: "A key: <id>.<secret>"},
			},
		},
		Security: []map[string][]string{{bearerScheme: {}}},
	}}
}

// describe is the OpenAPI document as JSON.
func describe(api huma.API) ([]byte, error) {
	settle(api.OpenAPI().Components.Schemas)
	b, err := json.Marshal(api.OpenAPI())
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, b, "", " ")
	return out.Bytes(), err
}

// operationOf describes op for OpenAPI.
func operationOf(reg huma.Registry, op *canonical.Spec, r *reader) *huma.Operation {
	h := &huma.Operation{
		OperationID: op.Name, Method: op.Method, Path: op.Path,
		Tags: []string{op.Resource()}, Summary: op.Summary(),
		Parameters: parameters(r), Responses: responses(reg, op),
	}
	if _, ok := takesContent(op.Request); ok {
		h.RequestBody = contentBody()
	} else if r.body != nil {
		h.RequestBody = requestBody(op, r)
	}
	return h
}

// summary is the operation's name as words.
func requestBody(op *canonical.Spec, r *reader) *huma.RequestBody {
	content := map[string]*huma.MediaType{jsonType: {Schema: r.body}}
	if op.Method == http.MethodPatch {
		content[patchType] = &huma.MediaType{Schema: r.body}
	}
	return &huma.RequestBody{Required: r.required, Content: content}
}

func parameters(r *reader) []*huma.Param {
	var all []*huma.Param
	for _, p := range r.path {
		all = append(all, parameter(p, "path"))
	}
	for _, p := range r.query {
		all = append(all, parameter(p, "query"))
	}
	text := &huma.Schema{Type: huma.TypeString}
	add := func(name, in, doc string, s *huma.Schema) {
		all = append(all, &huma.Param{Name: name, In: in, Description: doc, Schema: s})
	}
	add("cloud", "query", "Only these clouds, with commas between; on a create the placement", text)
	add("tenant", "query", "Only this tenant's things; operators and admins", text)
	add("native", "query", "Fill the native field of results", &huma.Schema{Type: huma.TypeBoolean})
	add("X-Request-Id", "header", "Id of this request; made if not given", text)
	if r.op.Effect == canonical.Read {
		add("Cache-Control", "header", "no-cache asks the clouds, not a cache", text)
	}
	if r.op.Long {
		add("Prefer", "header", "wait=N waits up to N seconds, at most 300, for the final result", text)
	}
	if r.op.Method == http.MethodPost {
		add("Idempotency-Key", "header", "The same key and body within 24 h give the same answer", text)
	}
	return all
}

func parameter(p param, in string) *huma.Param {
	return &huma.Param{
		Name: p.name, In: in, Required: in == "path",
		Description: p.field.Tag.Get("doc"), Schema: paramSchema(p),
	}
}

func paramSchema(p param) *huma.Schema {
	t := p.field.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	s := &huma.Schema{Type: huma.TypeString}
	switch t.Kind() { //nolint:exhaustive // settable lets only these and times pass
	case reflect.Bool:
		s.Type = huma.TypeBoolean
	case reflect.Int, reflect.Int64:
		s.Type = huma.TypeInteger
	case reflect.Struct:
		s.Format = "date-time"
	}
	if p.name == "limit" {
		least, most := 1.0, float64(canonical.MaxLimit)
		s.Minimum, s.Maximum, s.Default = &least, &most, canonical.DefaultLimit
	}
	s.Enum = enumOf(p.field)
	return s
}

// errorStatuses are the failures that any operation may end with.
var errorStatuses = []int{400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 429, 500, 501, 502, 503, 504}

func responses(reg huma.Registry, op *canonical.Spec) map[string]*huma.Response {
	out := make(map[string]*huma.Response)
	done := &huma.Response{Description: http.StatusText(op.Success())}
	switch {
	case op.Result == contentShape:
		done.Content = contentMedia()
	case op.Success() != http.StatusNoContent:
		done.Content = contentOf(reg, jsonType, op.Result)
	}
	if op.Effect == canonical.Read {
		done.Headers = header("Age", "How many seconds ago this was true", huma.TypeInteger)
	}
	out[strconv.Itoa(op.Success())] = done
	if op.Long {
		out["202"] = &huma.Response{
			Description: "Under way",
			Content:     contentOf(reg, jsonType, reflect.TypeFor[canonical.Operation]()),
			Headers:     header("Location", "Path of the operation", huma.TypeString),
		}
	}
	problem := contentOf(reg, problemType, reflect.TypeFor[canonical.Problem]())
	for _, status := range errorStatuses {
		r := &huma.Response{Description: http.StatusText(status), Content: problem}
		switch status {
		case http.StatusConflict, http.StatusTooManyRequests, http.StatusServiceUnavailable:
			r.Headers = header("Retry-After", "Seconds after which to ask again", huma.TypeInteger)
		}
		out[strconv.Itoa(status)] = r
	}
	return out
}

func header(name, doc, kind string) map[string]*huma.Param {
	return map[string]*huma.Param{name: {Description: doc, Schema: &huma.Schema{Type: kind}}}
}

func contentOf(reg huma.Registry, kind string, t reflect.Type) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{kind: {Schema: component(reg, t, t.Name())}}
}

// component is a reference to the schema of t. huma gives structs alone a name of
// their own; a body that is a map has one too.
func component(reg huma.Registry, t reflect.Type, name string) *huma.Schema {
	s := reg.Schema(t, true, name)
	if s.Ref == "" {
		reg.Map()[name] = s
		s = &huma.Schema{Ref: schemaPrefix + name}
	}
	return s
}

// paramNames are the names in braces of a path.
func paramNames(path string) []string {
	var names []string
	for _, part := range strings.Split(path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}
