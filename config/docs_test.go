package config

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the tables of docs/configure.md")

// The tables stand between these lines.
const (
	docs  = "../docs/configure.md"
	begin = "<!-- tables: go test ./config -run TestDocs -update -->\n"
	end   = "<!-- end of tables -->\n"
)

// TestDocs holds docs/configure.md against the structs of this package.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the tables", docs)
	}
	want := tables()
	if *update {
		if err := os.WriteFile(docs, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if old != want {
		t.Errorf("%s is not of this version: run go test ./config -run TestDocs -update", docs)
	}
}

// TestDocsExample: the example of the page loads.
func TestDocsExample(t *testing.T) {
	b, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(b), "```yaml\n")
	example, _, ok := strings.Cut(example, "```\n")
	if !ok {
		t.Fatal("there is none")
	}
	if c, err := Parse([]byte(example), ".", func(name string) string {
		if strings.HasPrefix(name, "DRAGOMAN_") {
			return ""
		}
		return "secret"
	}); err != nil || len(c.Clouds) != 1 {
		t.Error(c, err)
	}
}

// TestEveryKeyIsTold: no key is without words.
func TestEveryKeyIsTold(t *testing.T) {
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Tag.Get("yaml") == "" || f.Tag.Get("yaml") != "-" && f.Tag.Get("doc") == "" {
				t.Errorf("%s.%s has no yaml or no doc", typ.Name(), f.Name)
			}
			if below, _ := inner(f.Type); below != nil {
				walk(below)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
}

// inner is the struct that a key holds, and how its keys are written below it.
func inner(t reflect.Type) (reflect.Type, string) {
	switch {
	case t == reflect.TypeFor[Secret]():
		return nil, ""
	case t.Kind() == reflect.Struct:
		return t, "."
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct:
		return t.Elem(), "."
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return t.Elem(), "[]."
	default:
		return nil, ""
	}
}

// tables are one table of keys for each struct that can be given.
func tables() string {
	var b strings.Builder
	table(&b, "At the top", "", reflect.ValueOf(*defaults()))
	return b.String()
}

func table(b *strings.Builder, title, path string, v reflect.Value) {
	var below []func()
	fmt.Fprintf(b, "\n### %s\n\n| key | type | default | meaning | example |\n|---|---|---|---|---|\n", title)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key := f.Tag.Get("yaml")
		if key == "-" {
			continue
		}
		if f.Tag.Get("later") != "" {
			fmt.Fprintf(b, "| `%s` | | | refused by this version | |\n", key)
			continue
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", key, typeName(f.Type), defaultOf(f, v.Field(i)), f.Tag.Get("doc"), code(f.Tag.Get("example")))
		if typ, dot := inner(f.Type); typ != nil {
			at := path + key + strings.TrimSuffix(dot, ".")
			below = append(below, func() { table(b, "`"+at+"`", path+key+dot, reflect.Zero(typ)) })
		}
	}
	for _, write := range below {
		write()
	}
}

func defaultOf(f reflect.StructField, v reflect.Value) string {
	if d := f.Tag.Get("default"); d != "" {
		return d
	}
	if v.Kind() == reflect.String && v.Len() > 0 {
		return code(v.String())
	}
	return ""
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func typeName(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[Secret]():
		return "secret"
	case reflect.TypeFor[Ref]():
		return "place of a secret"
	case reflect.TypeFor[time.Duration]():
		return "duration"
	}
	switch t.Kind() { //nolint:exhaustive // the configuration has no others
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "whole number"
	case reflect.Float64:
		return "number"
	case reflect.Slice:
		return "list"
	default:
		return "map"
	}
}
