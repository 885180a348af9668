package translate_test

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/easystack"
	"github.com/dragoman-cloud/dragoman/translate/nova"
)

var update = flag.Bool("update", false, "write docs/dialects anew")

const docsHead = `# The rows of %s

<!-- go test ./translate -run TestDocs -update -->

%sVersions are those that have the call; → is the one that is wanted southwards where the
request needs no newer. Fields are those of requests: *carried* ones have a canonical place, *advisory* ones are
accepted and not passed on, *binding* ones are refused by name. A ` + "`(2.26–)`" + ` is the versions that have a field.

| row | call | operation | versions | direction | carried | advisory | binding |
|---|---|---|---|---|---|---|---|
`

// TestDocs: docs/dialects tells of every row of the dialects that have a page.
func TestDocs(t *testing.T) {
	for page, of := range map[string]struct {
		table  *translate.Table
		prefix string
		intro  string
	}{
		"nova":      {nova.Table(), "", "What a row does both ways: see [dialects.md](../dialects.md). "},
		"easystack": {easystack.Table(), "easystack.", "The calls that EasyStack documents; all others are the rows of [nova](nova.md). "},
	} {
		var b strings.Builder
		fmt.Fprintf(&b, docsHead, page, of.intro)
		for i := range of.table.Rows {
			if row := &of.table.Rows[i]; row.Op != nil && strings.HasPrefix(row.ID, of.prefix) {
				b.WriteString(line(row))
			}
		}
		path := "../docs/dialects/" + page + ".md"
		if *update {
			must(t, os.MkdirAll("../docs/dialects", 0o755))
			must(t, os.WriteFile(path, []byte(b.String()), 0o644))
		}
		is, err := os.ReadFile(path)
		must(t, err)
		if string(is) != b.String() {
			t.Errorf("%s is not what the table says: go test ./translate -run TestDocs -update", path)
		}
	}
}

// line is a row of the page.
func line(row *translate.Route) string {
	call := row.Method + " " + row.Path
	if row.Service != "compute" {
		call = row.Service + ": " + call
	}
	if row.Action != "" {
		call += " " + row.Action
	}
	versions := span(row.Since, row.Until)
	if !row.Want.IsZero() {
		versions = strings.TrimSpace(versions + " → " + row.Want.String())
	}
	fields := map[translate.Kind][]string{}
	translate.Walk(row.Ask, func(path string, f translate.Field) {
		if f.Only != "" && f.Only != row.Dialect {
			return
		}
		since, until := f.Versions()
		if s := span(since, until); s != "" && (f.Always == "" || f.Always != row.Dialect) {
			path += " (" + s + ")"
		}
		fields[f.Kind] = append(fields[f.Kind], path)
	})
	ids := strings.Join(append([]string{row.ID}, row.Also...), ", ")
	return fmt.Sprintf("| %s | `%s` | %s | %s | %s | %s | %s | %s |\n", ids, call, row.Op.Name, versions, direction(row),
		list(fields[translate.Carried]), list(fields[translate.Advisory]), list(fields[translate.Binding]))
}

func span(since, until translate.Version) string {
	switch {
	case since.IsZero() && until.IsZero():
		return ""
	case until.IsZero():
		return since.String() + "–"
	case since.IsZero():
		return "–" + until.String()
	default:
		return since.String() + "–" + until.String()
	}
}

func list(names []string) string {
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// direction is north alone for rows that no request may take southwards.
func direction(row *translate.Route) string {
	if row.Can != nil && strings.HasSuffix(runtime.FuncForPC(reflect.ValueOf(row.Can).Pointer()).Name(), ".never") {
		return "north"
	}
	return "both"
}
