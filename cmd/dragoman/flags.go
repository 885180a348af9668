package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// requestFlags are the flags of one request type: one for each field that is sent in
// the query or in the body.
type requestFlags struct {
	typ    reflect.Type
	values map[string]*flagValue // by flag
}

// flagValue is a flag as it was given: the texts of all its occurrences.
type flagValue struct {
	typ   reflect.Type
	index []int // of the field
	texts []string
}

// String implements pflag.Value.
func (f *flagValue) String() string { return strings.Join(f.texts, " ") }

// Set implements pflag.Value.
func (f *flagValue) Set(text string) error {
	f.texts = append(f.texts, text)
	return f.write(reflect.New(f.typ).Elem())
}

// Type implements pflag.Value.
func (f *flagValue) Type() string {
	switch t := f.elem(); {
	case t.Kind() == reflect.Bool:
		return "bool"
	case t.Kind() == reflect.Int:
		return "int"
	case t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Map:
		return "key=value"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String:
		return "strings"
	default:
		return "key=value,..." // or JSON
	}
}

// elem is the field's type without pointer or canonical.Opt around it.
func (f *flagValue) elem() reflect.Type {
	if o, ok := reflect.Zero(f.typ).Interface().(interface{ Elem() reflect.Type }); ok {
		return o.Elem()
	}
	if f.typ.Kind() == reflect.Pointer {
		return f.typ.Elem()
	}
	return f.typ
}

func newRequestFlags(t reflect.Type, flags *pflag.FlagSet) *requestFlags {
	r := &requestFlags{typ: t, values: map[string]*flagValue{}}
	for _, field := range reflect.VisibleFields(t) {
		name := flagName(field)
		if name == "" {
			continue
		}
		v := &flagValue{typ: field.Type, index: field.Index}
		r.values[name] = v
		flag := flags.VarPF(v, name, "", usage(field))
		if v.Type() == "bool" {
			flag.NoOptDefVal = "true"
		}
	}
	return r
}

// flagName is the flag of a field; "" for what is no flag: parameters of the path
// and embedded structs.
func flagName(field reflect.StructField) string {
	name := field.Tag.Get("query") + field.Tag.Get("body")
	if name == "" {
		name, _, _ = strings.Cut(field.Tag.Get("json"), ",")
	}
	if name == "-" || field.Anonymous {
		return ""
	}
	return dashed(name)
}

func usage(field reflect.StructField) string {
	text := field.Tag.Get("doc")
	if enum := field.Tag.Get("enum"); enum != "" {
		text = strings.TrimSpace(text + " (" + strings.ReplaceAll(enum, ",", ", ") + ")")
	}
	return text
}

// build is the request that the flags and the arguments, one for each parameter of
// the path, make.
func (r *requestFlags) build(args, params []string) (any, error) {
	request := reflect.New(r.typ).Elem()
	for i, param := range params {
		for _, field := range reflect.VisibleFields(r.typ) {
			if field.Tag.Get("path") == param {
				request.FieldByIndex(field.Index).SetString(args[i])
			}
		}
	}
	for name, v := range r.values {
		if len(v.texts) == 0 {
			continue
		}
		field := request.FieldByIndex(v.index)
		if err := v.write(field); err != nil {
			return nil, fmt.Errorf("--%s: %w", name, err)
		}
		// Such a field's zero means that it was not given: it would be sent as nothing.
		if field.IsZero() && (field.Kind() == reflect.Int || field.Kind() == reflect.String) {
			return nil, fmt.Errorf("--%s: must not be %q", name, v.texts[len(v.texts)-1])
		}
	}
	return request.Interface(), nil
}

// write sets the field to what the texts say: each type has one form in JSON, and
// the texts are brought into it.
func (f *flagValue) write(field reflect.Value) error {
	form, err := f.form()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(form, field.Addr().Interface()); err != nil {
		var e *canonical.Error
		if errors.As(err, &e) {
			return fmt.Errorf("%s", e.Detail)
		}
		return fmt.Errorf("%q does not fit", f.String())
	}
	return nil
}

func (f *flagValue) form() (json.RawMessage, error) {
	last := f.texts[len(f.texts)-1]
	switch kind := f.Type(); kind {
	case "string":
		return json.Marshal(last)
	case "int":
		n, err := strconv.Atoi(last)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", last)
		}
		return json.Marshal(n)
	case "bool":
		b, err := strconv.ParseBool(last)
		if err != nil {
			return nil, fmt.Errorf("%q is neither true nor false", last)
		}
		return json.Marshal(b)
	case "strings":
		return json.Marshal(f.texts)
	case "key=value":
		return pairs(f.texts)
	default:
		return objects(f.texts)
	}
}

// pairs is a JSON object of key=value texts; a key alone is null, which removes it.
func pairs(texts []string) (json.RawMessage, error) {
	if t := texts[0]; len(texts) == 1 && strings.HasPrefix(t, "{") {
		return json.RawMessage(t), nil
	}
	object := map[string]*string{}
	for _, text := range texts {
		key, value, ok := strings.Cut(text, "=")
		object[key] = &value
		if !ok {
			object[key] = nil
		}
	}
	return json.Marshal(object)
}

// objects is a JSON list of texts such as network=net1,ip=10.0.0.5; a text that is
// JSON itself, and a word without "=", stand for the whole.
func objects(texts []string) (json.RawMessage, error) {
	first := texts[0]
	switch {
	case strings.HasPrefix(first, "[") || strings.HasPrefix(first, "{"):
		return json.RawMessage(first), nil
	case len(texts) == 1 && !strings.Contains(first, "="):
		return json.Marshal(first)
	}
	var list []map[string]any
	for _, text := range texts {
		object := map[string]any{}
		for pair := range strings.SplitSeq(text, ",") {
			key, value, ok := strings.Cut(pair, "=")
			if !ok {
				return nil, fmt.Errorf("%q is not key=value", pair)
			}
			object[key] = scalar(value)
		}
		list = append(list, object)
	}
	return json.Marshal(list)
}

// scalar is a number or a truth value as such, and all else as a string.
func scalar(text string) any {
	var v any
	if json.Unmarshal([]byte(text), &v) == nil {
		switch v.(type) {
		case float64, bool:
			return json.RawMessage(text)
		}
	}
	return text
}
