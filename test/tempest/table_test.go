package tempest

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// table are the outcomes of all targets, as results.tsv keeps them, and the reasons
// for differences.
type table struct {
	found       map[string]outcomes // by target
	differences []difference
}

// difference is why tests pass directly and not at a target.
type difference struct {
	target, tests, reason string
	used                  bool
}

var order = []string{direct, dragoman, inMemory}

const (
	resultsFile     = "results.tsv"
	differencesFile = "differences.tsv"
	document        = "../../docs/compatibility.md"
)

func load(t *testing.T) *table {
	t.Helper()
	tb := &table{found: map[string]outcomes{}}
	for _, name := range order {
		tb.found[name] = outcomes{}
	}
	for _, row := range tsv(t, resultsFile, 1+len(order)) {
		for i, name := range order {
			if row[1+i] != "" {
				tb.found[name][row[0]] = outcome(row[1+i])
			}
		}
	}
	for _, row := range tsv(t, differencesFile, 3) {
		tb.differences = append(tb.differences, difference{target: row[0], tests: row[1], reason: row[2]})
	}
	return tb
}

// tsv are the rows of a file, without its heading.
func tsv(t *testing.T, file string, columns int) [][]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		row := strings.Split(line, "\t")
		if len(row) != columns {
			t.Fatalf("%s:%d has %d columns, not %d", file, i+1, len(row), columns)
		}
		if i > 0 {
			rows = append(rows, row)
		}
	}
	return rows
}

// take replaces what is known of the classes that were run.
func (tb *table) take(name string, found outcomes) {
	ran := map[string]bool{}
	for test := range found {
		ran[classOf(test)], ran[test] = true, true
	}
	maps.DeleteFunc(tb.found[name], func(test string, _ outcome) bool {
		return ran[test] || ran[classOf(test)] && found[test] == "" && found[classOf(test)] != ""
	})
	maps.Copy(tb.found[name], found)
}

// reason is the written one for a test at a target; the most specific row holds.
func (tb *table) reason(name, test string) string {
	best := -1
	for i, d := range tb.differences {
		if d.target == name && (d.tests == test || strings.HasPrefix(test, d.tests+".")) &&
			(best < 0 || len(d.tests) > len(tb.differences[best].tests)) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	tb.differences[best].used = true
	return tb.differences[best].reason
}

// judge fails the test for each of Tempest's that passes directly, and neither at the
// target nor has a reason.
func (tb *table) judge(t *testing.T, name string, found outcomes) {
	t.Helper()
	counts := map[outcome]int{}
	for _, test := range slices.Sorted(maps.Keys(tb.found[direct])) {
		got := found.of(test)
		if tb.found[direct][test] != passed || got == "" {
			continue
		}
		counts[got]++
		if got != passed && tb.reason(name, test) == "" {
			t.Errorf("%s: %s; it passes directly", test, got)
		}
	}
	t.Logf("%s, of what passes directly: %v; report: %s/report.txt", name, counts, workspace(name))
}

// save writes results.tsv and the document.
func (tb *table) save(t *testing.T) {
	t.Helper()
	all := map[string]bool{}
	for _, found := range tb.found {
		for test := range found {
			all[test] = true
		}
	}
	var b strings.Builder
	b.WriteString("test\t" + strings.Join(order, "\t") + "\n")
	for _, test := range slices.Sorted(maps.Keys(all)) {
		b.WriteString(test)
		for _, name := range order {
			b.WriteString("\t" + string(tb.found[name][test]))
		}
		b.WriteString("\n")
	}
	for file, text := range map[string]string{resultsFile: b.String(), document: tb.render()} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDocument: docs/compatibility.md tells what results.tsv and differences.tsv hold.
func TestDocument(t *testing.T) {
	if *update {
		load(t).save(t)
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != load(t).render() {
		t.Error("docs/compatibility.md is stale: run 'go test ./test/tempest -run TestDocument -update'")
	}
}

// render is docs/compatibility.md.
func (tb *table) render() string {
	type sums struct {
		direct, dragoman, memory int
		ran                      map[string]bool // by target
	}
	classes := map[string]*sums{}
	missing := map[string][]string{} // tests by reason
	var total sums
	for _, test := range slices.Sorted(maps.Keys(tb.found[direct])) {
		if tb.found[direct][test] != passed {
			continue
		}
		c := classes[classOf(test)]
		if c == nil {
			c = &sums{ran: map[string]bool{}}
			classes[classOf(test)] = c
		}
		c.direct++
		total.direct++
		for name, sum := range map[string][]*int{dragoman: {&c.dragoman, &total.dragoman}, inMemory: {&c.memory, &total.memory}} {
			got := tb.found[name].of(test)
			if got == "" {
				continue // it was not run there
			}
			c.ran[name] = true
			if got == passed {
				*sum[0]++
				*sum[1]++
				continue
			}
			reason := tb.reason(name, test)
			if reason == "" {
				reason = "Not explained."
			}
			key := name + "\t" + reason
			missing[key] = append(missing[key], test)
		}
	}
	var b strings.Builder
	b.WriteString(heading)
	fmt.Fprintf(&b, "| all | %d | %d | %d |\n", total.direct, total.dragoman, total.memory)
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		c := classes[class]
		cell := func(name string, n int) string {
			if !c.ran[name] {
				return "not run"
			}
			return strconv.Itoa(n)
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s |\n", strings.TrimPrefix(class, "tempest.api."), c.direct,
			cell(dragoman, c.dragoman), cell(inMemory, c.memory))
	}
	for _, name := range []string{dragoman, inMemory} {
		fmt.Fprintf(&b, "\n%s\n\n", sections[name])
		none := true
		for _, key := range slices.Sorted(maps.Keys(missing)) {
			if reason, ok := strings.CutPrefix(key, name+"\t"); ok {
				none = false
				fmt.Fprintf(&b, "- %s\n", reason)
				for _, test := range missing[key] {
					fmt.Fprintf(&b, "  - `%s`\n", strings.TrimPrefix(test, "tempest.api."))
				}
			}
		}
		if none {
			b.WriteString("None.\n")
		}
	}
	return b.String()
}

const heading = `# Compatibility with OpenStack

Written by ` + "`make test-tempest`" + ` from results.tsv and differences.tsv of test/tempest; not by hand.

Tempest is OpenStack's own test suite. Its tests ran against a real OpenStack (Zed, of
` + "`test/openstack`" + `) directly, through dragoman's facade over that OpenStack, and through
the facade over dragoman's cloud in memory. The table counts the tests that pass
directly, and how many of them pass through dragoman.

| class, below tempest.api | directly | through dragoman | over memory |
|---|---|---|---|
`

var sections = map[string]string{
	dragoman: "## What passes directly and not through dragoman",
	inMemory: "## What passes directly and not over the cloud in memory",
}
