package gateway

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// document is what the tests read of the OpenAPI document.
type document struct {
	Paths      map[string]map[string]described `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type described struct {
	OperationID string `json:"operationId"`
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   schema
	}
	RequestBody *struct {
		Required bool
		Content  map[string]media
	} `json:"requestBody"`
	Responses map[string]struct {
		Content map[string]media
		Headers map[string]any
	}
}

type media struct{ Schema schema }

type schema struct {
	Ref        string            `json:"$ref"`
	Enum       []any             `json:"enum"`
	Properties map[string]schema `json:"properties"`
	Additional json.RawMessage   `json:"additionalProperties"` // of a map: the schema of its values
	Maximum    float64           `json:"maximum"`
	Default    any               `json:"default"`
}

// empty says whether it describes no object at all: neither fields nor a map.
func (s schema) empty() bool {
	return s.Properties == nil && !strings.HasPrefix(string(s.Additional), "{")
}

func readDocument(t *testing.T) (d document) {
	t.Helper()
	_, g, _ := newGateway(t, nil)
	if err := json.Unmarshal(g.openAPI, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestOperationsAreDescribed: each operation with its own request and results, and
// what the gateway answers beside them.
func TestOperationsAreDescribed(t *testing.T) {
	d := readDocument(t)
	for _, op := range canonical.Ops() {
		got := d.Paths[op.Path][strings.ToLower(op.Method)]
		if got.OperationID != op.Name {
			t.Errorf("%s: described as %q", op, got.OperationID)
			continue
		}
		params := map[string]bool{}
		for _, p := range got.Parameters {
			params[p.In+" "+p.Name] = true
		}
		for name, want := range map[string]bool{
			"header Prefer": op.Long, "header Idempotency-Key": op.Method == "POST", "header X-Request-Id": true,
			"header Cache-Control": op.Effect == canonical.Read,
			"query cloud":          true, "query tenant": true, "query native": true,
		} {
			if params[name] != want {
				t.Errorf("%s: parameter %s: %t, want %t", op, name, params[name], want)
			}
		}
		if _, lists := reflect.Zero(op.Request).Interface().(interface{ Listing() canonical.ListOptions }); lists {
			for _, name := range []string{"limit", "cursor", "sort"} {
				if !params["query "+name] {
					t.Errorf("%s: parameter %s is missing", op, name)
				}
			}
		}
		if got.RequestBody != nil && !op.Streams {
			for _, m := range got.RequestBody.Content {
				if want := schemaPrefix + op.Request.Name(); m.Schema.Ref != want {
					t.Errorf("%s: body %s, want %s", op, m.Schema.Ref, want)
				}
			}
		}
		success := got.Responses[strconv.Itoa(op.Success())].Content
		if op.Result == contentShape {
			if _, ok := success[bytesType]; !ok {
				t.Errorf("%s: %+v", op, success)
			}
		} else if op.Success() == 204 && len(success) > 0 || op.Success() != 204 && d.Components.Schemas[strings.TrimPrefix(success[jsonType].Schema.Ref, schemaPrefix)].empty() {
			t.Errorf("%s: %d with %+v", op, op.Success(), success)
		}
		accepted, some := got.Responses["202"]
		if some != op.Long || some && (accepted.Content[jsonType].Schema.Ref != schemaPrefix+"Operation" || accepted.Headers["Location"] == nil) {
			t.Errorf("%s: 202 with %+v", op, accepted)
		}
		for status, r := range got.Responses {
			if status >= "400" && r.Content[problemType].Schema.Ref != schemaPrefix+"Problem" {
				t.Errorf("%s: %s with %+v", op, status, r.Content)
			}
		}
	}
}

// constants are the texts of canonical's enumerations, by type.
func constants(t *testing.T) map[string][]any {
	t.Helper()
	files, err := filepath.Glob("../canonical/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	out := map[string][]any{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			typ, isName := spec.Type.(*ast.Ident)
			if lit, isLit := spec.Values[0].(*ast.BasicLit); isName && isLit && lit.Kind == token.STRING && lit.Value != `""` {
				out[typ.Name] = append(out[typ.Name], strings.Trim(lit.Value, `"`))
			}
			return true
		})
	}
	return out
}

// TestEnums: every enumeration that shapes have is in the table, whole, and in every
// property of the document that has its type.
func TestEnums(t *testing.T) {
	declared := constants(t)
	declared["Code"] = slices.DeleteFunc(declared["Code"], func(c any) bool { return c == string(canonical.Canceled) })
	for _, internal := range []string{"Effect", "NetworksMode", "Verdict"} { // no shape has them
		delete(declared, internal)
	}
	table := map[string][]any{}
	for typ, all := range enums {
		table[typ.Name()] = all
	}
	sorted := cmp.Transformer("sorted", func(all []any) []string {
		var out []string
		for _, v := range all {
			out = append(out, v.(string))
		}
		slices.Sort(out)
		return out
	})
	if d := cmp.Diff(declared, table, sorted); d != "" {
		t.Error(d)
	}
	doc := readDocument(t)
	for schema, fields := range map[string][]string{
		"Server": {"status", "power", "kind"}, "Operation": {"status"}, "Problem": {"code"}, "Support": {"level"},
		"CloudInfo": {"status"}, "Image": {"status"}, "APIKey": {"role"}, "ServerReboot": {"kind"}, "Address": {"kind"},
	} {
		for _, f := range fields {
			if len(doc.Components.Schemas[schema].Properties[f].Enum) < 2 {
				t.Errorf("%s.%s has no enumeration", schema, f)
			}
		}
	}
	for _, p := range doc.Paths["/v1/servers"]["get"].Parameters {
		switch {
		case p.Name == "status" && len(p.Schema.Enum) != len(canonical.ServerStatuses), p.Name == "sort" && len(p.Schema.Enum) != 4,
			p.Name == "limit" && (p.Schema.Maximum != canonical.MaxLimit || p.Schema.Default != float64(canonical.DefaultLimit)):
			t.Errorf("parameter %+v", p)
		}
	}
}

// TestDocsTellCodes: docs/api.md has every code with its status.
func TestDocsTellCodes(t *testing.T) {
	page, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range enums[reflect.TypeFor[canonical.Code]()] {
		found := false
		for line := range strings.Lines(string(page)) {
			cells := strings.Split(line, "|")
			found = found || len(cells) > 3 && slices.Contains(strings.Split(strings.TrimSpace(cells[1]), ", "), code.(string)) &&
				strings.Contains(cells[2], strconv.Itoa(canonical.Code(code.(string)).HTTPStatus()))
		}
		if !found {
			t.Errorf("%s is missing", code)
		}
	}
}
