package translate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Kind says what becomes of a wire field.
type Kind string

// The kinds of wire fields.
const (
	Carried  Kind = "carried"
	Advisory Kind = "advisory"
	Binding  Kind = "binding"
	InNative Kind = "native"
)

// Field is one field of a wire struct, as its tags declare it.
type Field struct {
	Name   string // JSON key
	Kind   Kind
	Only   string // the one dialect that has it, of those that share the struct; "": all
	Always string // the dialect that has it at every version
	index  int
	span
}

// Versions are the first and the last version that have the field; zero: no bound.
func (f Field) Versions() (since, until Version) { return f.since, f.until }

// form is what a body is of: a version, and a dialect where several share structs.
type form struct {
	Version
	dialect string
}

// in says whether a body of that form has the field.
func (f Field) in(at form) bool {
	switch {
	case f.Only != "" && f.Only != at.dialect:
		return false
	case f.Always != "" && f.Always == at.dialect:
		return true
	default:
		return f.has(at.Version)
	}
}

// fieldsOf are the fields of a struct type, by JSON key. Wire structs embed none.
func fieldsOf(t reflect.Type) map[string]Field {
	if known, ok := fieldCache.Load(t); ok {
		return known.(map[string]Field) //nolint:forcetypeassert // only such maps are stored
	}
	fields := make(map[string]Field, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || name == "" {
			continue
		}
		kind := Kind(f.Tag.Get("wire"))
		if kind == "" {
			kind = Carried
		}
		fields[name] = Field{
			Name: name, Kind: kind, Only: f.Tag.Get("only"), Always: f.Tag.Get("always"), index: i,
			span: span{mustVersion(f.Tag.Get("since")), mustVersion(f.Tag.Get("until"))},
		}
	}
	fieldCache.Store(t, fields)
	return fields
}

var fieldCache sync.Map // reflect.Type -> map[string]Field

// Walk calls f for every field of the wire struct that rows of this asker or
// answerer have, with its path; documentation and tests are made from it.
func Walk(c interface{ wire() any }, f func(path string, field Field)) {
	walkFields(reflect.TypeOf(c.wire()), "", map[reflect.Type]bool{}, f)
}

func walkFields(t reflect.Type, path string, seen map[reflect.Type]bool, f func(string, Field)) {
	for t = optElem(t); t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map; {
		t = optElem(t.Elem())
	}
	if t.Kind() != reflect.Struct || seen[t] || custom(t) {
		return
	}
	seen[t] = true
	for _, field := range fieldsOf(t) {
		p := strings.TrimPrefix(path+"."+field.Name, ".")
		f(p, field)
		walkFields(t.Field(field.index).Type, p, seen, f)
	}
	delete(seen, t)
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// optElem is what an Opt may hold; any other type is itself.
func optElem(t reflect.Type) reflect.Type {
	if o, ok := reflect.Zero(t).Interface().(canonical.Optional); ok {
		return o.Elem()
	}
	return t
}

// custom says whether a type reads its JSON itself.
func custom(t reflect.Type) bool { return reflect.PointerTo(t).Implements(unmarshaler) }

// decodeStrict reads a request's body: fields that the version does not have, that
// nobody declared, or that bind us to what we cannot carry, are refused by name.
func decodeStrict(body []byte, action string, of form, out any) error {
	if action != "" {
		var m map[string]json.RawMessage
		if err := json.Unmarshal(body, &m); err != nil {
			return malformed()
		}
		body = m[action]
	}
	t := reflect.TypeOf(out).Elem()
	trimmed := bytes.TrimSpace(body)
	if t == reflect.TypeFor[NoBody]() {
		return nil
	}
	if len(trimmed) == 0 {
		return malformed()
	}
	dec := json.NewDecoder(bytes.NewReader(trimmed))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil || dec.More() {
		return malformed()
	}
	if err := check(tree, t, of, action); err != nil {
		return err
	}
	return typeError(json.Unmarshal(trimmed, out))
}

// malformed says it as Nova does, whose clients know the words.
func malformed() *canonical.Error {
	return canonical.Errorf(canonical.InvalidRequest, "Malformed request body")
}

// unexpected refuses a field by name, as JSON schemas do.
func unexpected(object, key string) *canonical.Error {
	e := canonical.Invalid(join(object, key), "is not a field of this call")
	e.Detail = fmt.Sprintf("Additional properties are not allowed ('%s' was unexpected)", key)
	if object != "" {
		e.Detail = "Invalid input for field/attribute " + object[strings.LastIndexByte(object, '.')+1:] + ". " + e.Detail
	}
	return e
}

// decodeLenient reads a cloud's answer: what we do not know is passed over, but an
// answer of nothing else is none.
func decodeLenient(body []byte, out any) error {
	if _, none := out.(*NoBody); none {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return canonical.Errorf(canonical.UpstreamError, "the cloud's answer is not what its dialect says: %v", err)
	}
	if reflect.ValueOf(out).Elem().IsZero() {
		return canonical.Errorf(canonical.UpstreamError, "the cloud's answer holds nothing that its dialect says")
	}
	return nil
}

func typeError(err error) error {
	var te *json.UnmarshalTypeError
	var ce *canonical.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ce):
		return ce
	case errors.As(err, &te):
		return canonical.Invalid(te.Field, "must not be a %s", te.Value)
	default:
		return canonical.Errorf(canonical.InvalidRequest, "the body is not valid: %v", err)
	}
}

// check compares the JSON tree with the wire struct that it will be read into.
func check(tree any, t reflect.Type, of form, path string) error {
	for t = optElem(t); t.Kind() == reflect.Pointer; {
		t = optElem(t.Elem())
	}
	switch node := tree.(type) {
	case map[string]any:
		switch {
		case t.Kind() == reflect.Struct && !custom(t):
			return checkObject(node, t, of, path)
		case t.Kind() == reflect.Map:
			for key, value := range node {
				if err := check(value, t.Elem(), of, join(path, key)); err != nil {
					return err
				}
			}
		}
	case []any:
		if t.Kind() == reflect.Slice {
			for i, value := range node {
				if err := check(value, t.Elem(), of, fmt.Sprintf("%s.%d", path, i)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func checkObject(node map[string]any, t reflect.Type, of form, path string) error {
	fields := fieldsOf(t)
	for key, value := range node {
		f, known := fields[key]
		at := join(path, key)
		switch {
		case !known || !f.in(of):
			return unexpected(path, key)
		case f.Kind == Binding && !empty(value):
			return &canonical.Error{
				Code: canonical.Unsupported, Detail: at + " cannot be honoured here",
				Fields: []canonical.FieldError{{Field: at, Reason: "cannot be honoured here"}},
			}
		}
		if err := check(value, t.Field(f.index).Type, of, at); err != nil {
			return err
		}
	}
	return nil
}

// empty says whether a JSON value asks for nothing.
func empty(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case bool:
		return !x
	case string:
		return x == ""
	case []any:
		return len(x) == 0
	case map[string]any:
		return len(x) == 0
	default:
		return false
	}
}

func join(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

// encodeBody writes a wire struct as the version has it, under the action if there
// is one. NoBody is no body, or null under an action.
func encodeBody(body any, action string, of form) ([]byte, error) {
	_, none := body.(NoBody)
	switch {
	case body == nil || none && action == "":
		return nil, nil
	case none:
		body = nil
	default:
		p := reflect.New(reflect.TypeOf(body))
		p.Elem().Set(reflect.ValueOf(body))
		if err := prune(p.Elem(), of, ""); err != nil {
			return nil, err
		}
		body = p.Elem().Interface()
	}
	if action != "" {
		body = map[string]any{action: body}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return nil, canonical.Errorf(canonical.Internal, "a body does not encode: %v", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// prune takes out of a wire struct what the form does not have. The struct is
// the codec's own, so it is changed in place.
func prune(val reflect.Value, of form, path string) error {
	t := val.Type()
	if !versioned(t) {
		return nil
	}
	if o, ok := val.Interface().(canonical.Optional); ok {
		var err error
		val.Set(reflect.ValueOf(o.Changed(func(v reflect.Value) { err = prune(v, of, path) })))
		return err
	}
	switch t.Kind() { //nolint:exhaustive // versioned lets only these pass
	case reflect.Pointer:
		if !val.IsNil() {
			return prune(val.Elem(), of, path)
		}
	case reflect.Slice:
		for i := range val.Len() {
			if err := prune(val.Index(i), of, path); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for _, f := range fieldsOf(t) {
			field := val.Field(f.index)
			if !f.in(of) {
				field.SetZero()
				continue
			}
			if err := prune(field, of, join(path, f.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

var versionedTypes sync.Map // reflect.Type -> bool: has fields of some forms only

func versioned(t reflect.Type) bool {
	if known, ok := versionedTypes.Load(t); ok {
		return known == true
	}
	found := false
	walkFields(t, "", map[reflect.Type]bool{}, func(_ string, f Field) {
		found = found || f.span != span{} || f.Only != ""
	})
	versionedTypes.Store(t, found)
	return found
}

// minVersion is the lowest version that has every field which the wire struct
// holds, and the newest of those fields. One that later versions dropped is found by
// overfull.
func minVersion(body any) (need Version, field string) {
	if body == nil {
		return need, ""
	}
	visit(reflect.ValueOf(body), func(f Field) {
		if f.since.Compare(need) > 0 {
			need, field = f.since, f.Name
		}
	})
	return need, field
}

// overfull names a field that the wire struct holds and that the form lacks: what
// would be sent without it is not what was asked for.
func overfull(body any, has func(Field) bool) (name string, found bool) {
	if body == nil {
		return "", false
	}
	visit(reflect.ValueOf(body), func(f Field) {
		if !has(f) {
			name, found = f.Name, true
		}
	})
	return name, found
}

// visit calls f for every versioned field that holds something.
func visit(val reflect.Value, f func(Field)) {
	if o, ok := val.Interface().(canonical.Optional); ok {
		o.Changed(func(v reflect.Value) { visit(v, f) })
		return
	}
	switch val.Kind() { //nolint:exhaustive // nothing else holds fields
	case reflect.Pointer:
		if !val.IsNil() {
			visit(val.Elem(), f)
		}
	case reflect.Slice:
		for i := range val.Len() {
			visit(val.Index(i), f)
		}
	case reflect.Struct:
		for _, field := range fieldsOf(val.Type()) {
			if v := val.Field(field.index); !v.IsZero() {
				f(field)
				visit(v, f)
			}
		}
	}
}
