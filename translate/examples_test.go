package translate_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// example is a documented body, or one of our own in its manner, of one row.
type example struct {
	row, path string
	body      []byte
}

var exampleName = regexp.MustCompile(`^([a-z0-9_.]+?)(-[0-9a-z]+)?\.(request|response)\.json$`)

// examples are <row>[-n].<kind>.json in the dialects' testdata and, where the
// catalogue's examples are present, among those.
func examples(t testing.TB, kind string) []example {
	t.Helper()
	var out []example
	rows := rowsByID()
	for _, pattern := range []string{"*/testdata/*.json", "../../shared/vectors/*/*.json"} {
		paths, err := filepath.Glob(pattern)
		must(t, err)
		for _, path := range paths {
			m := exampleName.FindStringSubmatch(filepath.Base(path))
			if m == nil || m[3] != kind {
				continue
			}
			if _, ok := rows[m[1]]; !ok {
				continue
			}
			body, err := os.ReadFile(path)
			must(t, err)
			out = append(out, example{m[1], path, body})
		}
	}
	return out
}

func rowsByID() map[string]tabled {
	rows := map[string]tabled{}
	for _, row := range allRows() {
		for _, id := range append(row.Also, row.ID) {
			rows[id] = row
		}
	}
	return rows
}

// broken are the examples of specifications that no cloud can have answered, with why.
var broken = map[string]string{
	"../../shared/vectors/easystack/easystack.flavor.list.response.json": "its first flavor is torn into two, of which one has no id",
}

// TestExamples: every example of a request is heard by its row alone, and every
// example of an answer settles.
func TestExamples(t *testing.T) {
	rows := rowsByID()
	seen := map[string]bool{}
	for _, e := range examples(t, "request") {
		row := rows[e.row]
		env := scene()
		env.Version = within(row.Route, window(row.table, row.Route, 93).Max)
		req := &translate.Request{Service: row.Service, Method: row.Method, Path: filled(row.Path), Query: map[string][]string{}, Body: e.body}
		if row.Op == canonical.RollbackServerSnapshot.Spec() { // the snapshot must be known
			ref := regexp.MustCompile(`[0-9a-f-]{36}`).Find(e.body)
			env.Facts["snapshots"] = []canonical.ServerSnapshot{{ID: canonical.ID(ref)}}
		}
		candidates, err := row.table.Candidates(req)
		must(t, err)
		if picked, err := translate.Pick(candidates, req, env); err != nil || picked.Row.ID != row.ID {
			t.Errorf("%s is not heard by its row: %v", e.path, err)
		}
		seen[e.row+" request"] = true
	}
	for _, e := range examples(t, "response") {
		row := rows[e.row]
		v := within(row.Route, window(row.table, row.Route, 93).Max)
		resp := &translate.Response{Status: row.Status, Body: e.body}
		heard, err := reply(row.Route, resp, asking(row.Route, v))
		if reason, known := broken[e.path]; known {
			if err == nil {
				t.Errorf("%s is heard, although %s", e.path, reason)
			}
			continue
		}
		if err != nil {
			if row.table.HearError(resp).Upstream.Code == "" { // else it documents an error
				t.Errorf("%s: %v", e.path, err)
			}
			continue
		}
		if said, err := row.SayReply(heard, asking(row.Route, v)); err == nil {
			settled(t, row.Route, v, said)
		}
		seen[e.row+" response"] = true
	}
	for id, row := range rows {
		if row.Method == "POST" && !seen[id+" request"] || row.Method == "GET" && row.TellsResult() && !row.Op.Streams && !seen[id+" response"] {
			t.Errorf("%s has no example in testdata", id)
		}
	}
}

// within is v, or the last version that has the row.
func within(row *translate.Route, v translate.Version) translate.Version {
	if !row.Until.IsZero() && v.AtLeast(row.Until) {
		return row.Until
	}
	return v
}

// filled is a row's path with every parameter given.
func filled(path string) string {
	return regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "x")
}

// outside are the rows that no specification in the catalogue has, and why there are
// such rows.
var outside = map[string]string{
	"hws.subnet.show": "creates name the VPC of their network, which only the VPC service tells",
}

// TestCatalogue: every row names a call of the operation catalogue; the calls that
// have no row yet are listed.
func TestCatalogue(t *testing.T) {
	raw, err := os.ReadFile("../../shared/catalog/INDEX.tsv")
	if os.IsNotExist(err) {
		t.Skip("the operation catalogue is not here")
	}
	must(t, err)
	rows, known := rowsByID(), map[string]bool{}
	missing := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(raw)), "\n")[1:] {
		id, _, _ := strings.Cut(line, "\t")
		known[id] = true
		if _, ok := rows[id]; !ok {
			dialect, _, _ := strings.Cut(id, ".")
			missing[dialect] = append(missing[dialect], id)
		}
	}
	for id, row := range rows {
		if !known[id] && row.table.Dialect != "nova" && outside[id] == "" { // the catalogue has no Nova of its own
			t.Errorf("row %s is not in the catalogue", id)
		}
	}
	for dialect, ids := range missing {
		t.Logf("%s: %d calls have no row yet: %s", dialect, len(ids), strings.Join(ids, " "))
	}
}
