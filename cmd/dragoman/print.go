package main

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"

	"gopkg.in/yaml.v3"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// printer shows results.
type printer struct {
	out    io.Writer
	format string
}

func newPrinter(out io.Writer, format string) (*printer, error) {
	if !slices.Contains([]string{"table", "json", "yaml"}, format) {
		return nil, fmt.Errorf("--output is table, json or yaml, not %q", format)
	}
	return &printer{out, format}, nil
}

func (p *printer) result(v any) error {
	if _, none := v.(canonical.None); none || v == nil {
		return nil
	}
	switch p.format {
	case "json":
		e := json.NewEncoder(p.out)
		e.SetIndent("", "  ")
		return e.Encode(v)
	case "yaml":
		return p.yaml(v)
	default:
		return p.table(reflect.ValueOf(v))
	}
}

// yaml shows what JSON would, so that names, order and nulls agree: JSON is YAML in
// another style.
func (p *printer) yaml(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var node yaml.Node
	if err := yaml.Unmarshal(b, &node); err != nil {
		return err
	}
	restyle(&node)
	e := yaml.NewEncoder(p.out)
	if err := e.Encode(&node); err != nil {
		return err
	}
	return e.Close()
}

// restyle takes JSON's quotes and braces off, where YAML needs none.
func restyle(n *yaml.Node) {
	n.Style = 0
	for _, child := range n.Content {
		restyle(child)
	}
}

// columns are what a list shows, in this order, of the fields that its items have.
var columns = []string{
	"id", "name", "operation", "cloud", "dialect", "status", "task", "power", "progress", "role", "tenant",
	"vcpus", "ram_mib", "disk_gib", "size_bytes", "cidrs", "available", "fingerprint", "created_at", "admin_password",
}

func (p *printer) table(v reflect.Value) error {
	if console, ok := v.Interface().(canonical.ConsoleOutput); ok {
		_, err := io.WriteString(p.out, console.Output)
		return err
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	if v.Kind() == reflect.Map {
		for _, c := range pairCells(v) {
			fmt.Fprintf(w, "%s\t%s\n", c.name, c.text)
		}
		return w.Flush()
	}
	if items, ok := itemsOf(v); ok {
		p.rows(w, items)
	} else {
		for _, c := range cells(v) {
			if c.text != "" && c.text != "[]" && c.text != "{}" { // people read what there is
				fmt.Fprintf(w, "%s\t%s\n", c.name, c.text)
			}
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return p.remarks(v)
}

// itemsOf is the list that a result is about: that of a page, or the servers made.
func itemsOf(v reflect.Value) (reflect.Value, bool) {
	for _, name := range []string{"Items", "Servers"} {
		if items := v.FieldByName(name); items.IsValid() && items.Kind() == reflect.Slice {
			return items, true
		}
	}
	return reflect.Value{}, false
}

func (p *printer) rows(w io.Writer, items reflect.Value) {
	var names []string
	for _, c := range cells(reflect.Zero(items.Type().Elem())) {
		if slices.Contains(columns, c.name) {
			names = append(names, c.name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return slices.Index(columns, a) - slices.Index(columns, b) })
	fmt.Fprintln(w, strings.ToUpper(strings.Join(names, "\t")))
	for i := range items.Len() {
		row := make([]string, len(names))
		for _, c := range cells(items.Index(i)) {
			if at := slices.Index(names, c.name); at >= 0 {
				row[at] = c.text
			}
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
}

// remarks say what a table leaves out: that there is more, and who did not answer.
func (p *printer) remarks(v reflect.Value) error {
	if next := v.FieldByName("NextCursor"); next.IsValid() && next.String() != "" {
		if _, err := fmt.Fprintf(p.out, "more: --cursor %s\n", next); err != nil {
			return err
		}
	}
	missing := v.FieldByName("Unreachable")
	if !missing.IsValid() {
		return nil
	}
	for i := range missing.Len() {
		if u, ok := missing.Index(i).Interface().(canonical.Unreachable); ok {
			if _, err := fmt.Fprintf(p.out, "missing: cloud %s: %s: %s\n", u.Cloud, u.Code, u.Detail); err != nil {
				return err
			}
		}
	}
	return nil
}

// cell is one field of a result for people.
type cell struct{ name, text string }

// cells are the fields of v, a struct, in the order of their declaration.
func cells(v reflect.Value) []cell {
	var all []cell
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Anonymous {
			all = append(all, cells(v.Field(i))...)
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		all = append(all, cell{name, text(v.Field(i).Interface())})
	}
	return all
}

// pairCells are the entries of v, a map, by their keys.
func pairCells(v reflect.Value) []cell {
	all := make([]cell, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		all = append(all, cell{text(it.Key().Interface()), text(it.Value().Interface())})
	}
	slices.SortFunc(all, func(a, b cell) int { return strings.Compare(a.name, b.name) })
	return all
}

// text is a value on one line: strings as they are, nothing for null, else JSON.
// Control characters, which could act on the terminal, are quoted.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	var s string
	switch {
	case string(b) == "null":
		return ""
	case json.Unmarshal(b, &s) != nil:
		return string(b)
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 }):
		return fmt.Sprintf("%q", s)
	default:
		return s
	}
}
