package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// asked is a command and what it shall do. NAME stands for a name of the run's own,
// FLAVOR, FLAVOR2, IMAGE, NETWORK, NETWORK2, HOST, HOST2 and PROJECT for what the cloud
// has, and FILE for a file.
type asked struct {
	line  string
	item  item              // it prints an object with these fields
	row   item              // it prints a list with such a row
	none  item              // it prints a list without such a row
	text  string            // it prints this text
	fails string            // it fails, with this text
	then  []fact            // the cloud then holds so, soon
	not   map[string]string // over these clouds it is not run, for this reason
}

// fact is something that a cloud holds: as the real OpenStack shows it around
// dragoman, and as memory lists it by the canonical API.
type fact struct {
	noun, name string
	real, own  item
	gone       bool
}

// paths of the canonical API list what the openstack command calls so.
var paths = map[string]string{
	"server": "servers", "flavor": "flavors", "image": "images", "network": "networks", "subnet": "subnets", "port": "ports",
	"security group": "security-groups", "volume": "volumes", "volume snapshot": "volume-snapshots", "keypair": "keypairs",
	"aggregate": "aggregates", "server group": "server-groups", "floating ip": "floating-ips",
}

// own says what differs of the fact in the list of the canonical API.
func (f fact) ownLack(t *testing.T, d *dragoman) string {
	var page struct{ Items []item }
	d.call(t, http.MethodGet, "/v1/"+paths[f.noun]+"?limit=1000", "", http.StatusOK, &page, "Cache-Control", "no-cache")
	got := find(page.Items, "name", f.name)
	if f.gone {
		return there(f, got != nil)
	}
	if got == nil {
		return there(f, false)
	}
	return lack(got, f.own)
}

// realLack says what differs of it on the real OpenStack.
func (f fact) realLack(t *testing.T, s *session) string {
	shown := s.run(t, f.noun+" show "+f.name+" -f json")
	if f.gone || shown.code != 0 {
		return there(f, shown.code == 0)
	}
	var got item
	if err := shown.printed(&got); err != nil {
		return fmt.Sprintf("%v in %s", err, shown.out)
	}
	return lack(got, f.real)
}

func there(f fact, is bool) string {
	if is == f.gone {
		return fmt.Sprintf("%s %s is there: %v", f.noun, f.name, is)
	}
	return ""
}

// lack says which of the wanted fields got has otherwise, "" for none. A text is
// also found within what is longer, and in an object's JSON.
func lack(got, want item) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		value := want[name]
		if reflect.DeepEqual(got[name], value) {
			continue
		}
		b, err := json.Marshal(got[name])
		if err != nil {
			return err.Error()
		}
		if text, ok := value.(string); !ok || !strings.Contains(string(b), text) {
			out = append(out, fmt.Sprintf("%s is %s, not %v", name, b, value))
		}
	}
	return strings.Join(out, "; ")
}

// complaint is what is wrong with what the command printed, "" for nothing.
func (a asked) complaint(f finished) string {
	if a.fails != "" {
		if !strings.Contains(f.diag, a.fails) {
			return fmt.Sprintf("does not fail with %q: %s%s", a.fails, f.out, f.diag)
		}
		return ""
	}
	if f.code != 0 {
		return f.out + f.diag
	}
	if !strings.Contains(f.out, a.text) {
		return "does not print " + a.text + ": " + f.out
	}
	if a.item != nil {
		var got item
		if err := f.printed(&got); err != nil {
			return err.Error() + ": " + f.out
		}
		return lack(got, a.item)
	}
	if a.row == nil && a.none == nil {
		return ""
	}
	var rows []item
	if err := f.printed(&rows); err != nil {
		return err.Error() + ": " + f.out
	}
	has := func(want item) bool {
		return slices.ContainsFunc(rows, func(r item) bool { return lack(r, want) == "" })
	}
	if a.row != nil && !has(a.row) || a.none != nil && has(a.none) {
		return fmt.Sprintf("has %v, want a row %v, none %v", rows, a.row, a.none)
	}
	return ""
}

// json says whether the command shall print JSON.
func (a asked) json() bool { return a.item != nil || a.row != nil || a.none != nil }

// filled has the words of the run in the place of those that stand for them.
func (a asked) filled(r *strings.Replacer) asked {
	a.line, a.text, a.fails = r.Replace(a.line), r.Replace(a.text), r.Replace(a.fails)
	if a.json() {
		a.line += " -f json"
	}
	for _, i := range []*item{&a.item, &a.row, &a.none} {
		if *i != nil {
			*i = filled(r, *i)
		}
	}
	a.then = slices.Clone(a.then)
	for i, f := range a.then {
		a.then[i] = fact{f.noun, r.Replace(f.name), filled(r, f.real), filled(r, f.own), f.gone}
	}
	return a
}

// place is where the commands are run.
type place struct {
	name  string // Memory, OpenStack or Native
	c     client
	words []string
	lack  func(t *testing.T, f fact) string
}

// do runs the commands one after the other in one session.
func (p place) do(t *testing.T, group string, list []asked) {
	s := p.c.session(t)
	words := append([]string{"NAME", ours + "-" + group}, p.words...)
	fill := strings.NewReplacer(words...)
	for _, a := range list {
		if _, not := a.not[p.name]; not {
			continue
		}
		a = a.filled(fill)
		if wrong := a.complaint(s.run(t, a.line)); wrong != "" {
			t.Errorf("%s: %s", a.line, wrong)
		}
		for _, f := range a.then {
			eventually(t, func() (string, bool) {
				wrong := p.lack(t, f)
				return "after " + a.line + ": " + wrong, wrong == ""
			})
		}
	}
}
