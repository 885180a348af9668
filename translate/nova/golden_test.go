package nova

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/policy"
	"github.com/dragoman-cloud/dragoman/translate"
)

// exchange is a recorded request with its answer.
type exchange struct {
	Request struct {
		Method, Path, Microversion, As string
		Body                           json.RawMessage
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
	}
}

// calls are the beginnings of the names of recordings that the table carries.
var calls = []string{
	"server-show", "servers-detail", "servers-list", "server-create", "server-update", "server-delete",
	"action-", "remote-console", "server-diagnostics", "server-topology.2.7", "server-topology.2.9", "flavor-show", "flavors-", "keypair", "availability-zone",
	"server-metadata", "server-tags", "flavor-extra-specs",
	"instance-action", "migrations", "tenant-usage", "server-group", "aggregate", "services-", "hypervisor-statistics", "quota-set",
	"server-volume-attachment",
}

func recordings(t testing.TB) []string {
	t.Helper()
	own, err := filepath.Glob("testdata/wire/*.json")
	if err != nil {
		t.Fatal(err)
	}
	shared, err := filepath.Glob("../../../shared/wire/nova-zed/*.json")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(append(own, shared...), func(path string) bool {
		name := filepath.Base(path)
		return !slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(name, c) })
	})
}

func load(t testing.TB, path string) (exchange, *translate.Request, *translate.Env) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var x exchange
	if err := json.Unmarshal(raw, &x); err != nil {
		t.Fatal(err)
	}
	version, err := translate.ParseVersion(x.Request.Microversion)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(strings.TrimPrefix(x.Request.Path, "/v2.1"))
	if err != nil {
		t.Fatal(err)
	}
	req := &translate.Request{
		Service: "compute", Method: x.Request.Method, Path: u.Path, Query: u.Query(), Header: http.Header{}, Body: x.Request.Body,
	}
	env := &translate.Env{
		Bases:   map[string]string{"compute": baseIn(raw), "image": "http://127.0.0.1:9292"},
		Project: "p1", User: "u1", Version: version, Role: canonical.Member, Native: true, Facts: map[string]any{}, Wire: req,
	}
	if x.Request.As == "admin" {
		env.Role = canonical.Operator
	}
	return x, req, env
}

func baseIn(raw []byte) string {
	if strings.Contains(string(raw), "127.0.0.1:8774") {
		return "http://127.0.0.1:8774/v2.1"
	}
	return "http://cloud/compute/v2.1"
}

// TestRecordings: every recorded request is heard by one row, every answer is read
// by it, and said again it is the recorded one.
func TestRecordings(t *testing.T) {
	table := Table()
	for _, path := range recordings(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			x, req, env := load(t, path)
			rows, _ := table.Candidates(req)
			row, err := translate.Pick(rows, req, env)
			if err != nil && x.Response.Status >= 400 {
				checkFault(t, err, x, req, env)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if number := req.Params["id"]; row.Row.Op == canonical.GetAggregate.Spec() { // numbers are looked up
				env.Facts[factAggregate] = canonical.Aggregate{ID: canonical.ID(number)}
			}
			_, err = row.Row.HearRequest(req, env)
			if err == nil && x.Response.Status == http.StatusForbidden { // what is for operators as a whole, the policy refuses
				if role := policy.LeastRole(row.Row.Op); !role.AtLeast(canonical.Operator) {
					t.Errorf("the real cloud refuses a member %s, which is for role %s here", row.Row.Op.Name, role)
				}
				return
			}
			if x.Response.Status >= 400 {
				checkFault(t, err, x, req, env)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			again(t, row.Row, x, env)
		})
	}
}

func checkFault(t *testing.T, err error, x exchange, req *translate.Request, env *translate.Env) {
	t.Helper()
	if err == nil {
		t.Fatal("the real cloud refuses it")
	}
	got := sayError(canonical.AsError(err), req, env)
	if diff := cmp.Diff(tree(t, x.Response.Body), tree(t, got.Body)); diff != "" || got.Status != x.Response.Status {
		t.Errorf("status %d, body (-real +said):\n%s", got.Status, diff)
	}
}

func again(t *testing.T, row *translate.Route, x exchange, env *translate.Env) {
	t.Helper()
	resp := &translate.Response{Status: x.Response.Status, Header: http.Header{}, Body: x.Response.Body}
	for key, value := range x.Response.Headers {
		resp.Header.Set(key, value)
	}
	var reply canonical.Reply
	var err error
	if l, ok := row.Answer.(translate.Lister); ok {
		reply = paged(t, l, resp, env)
	} else if reply, err = row.HearReply(resp, env); err != nil {
		t.Fatal(err)
	}
	said, err := row.SayReply(reply, env)
	if err != nil {
		t.Fatal(err)
	}
	if said.Status != x.Response.Status {
		t.Errorf("status %d, the real one is %d", said.Status, x.Response.Status)
	}
	if diff := cmp.Diff(known(tree(t, x.Response.Body)), known(tree(t, said.Body))); diff != "" {
		t.Errorf("body (-real +said):\n%s", diff)
	}
}

// paged makes a page of what the answer lists, in its order.
func paged(t *testing.T, l translate.Lister, resp *translate.Response, env *translate.Env) canonical.Reply {
	t.Helper()
	c := l.Collect()
	asked := &translate.Request{Query: url.Values{}}
	next, err := c.Add(resp, asked, env)
	if err != nil {
		t.Fatal(err)
	}
	req := env.Asked
	page, err := c.Result(req)
	if err != nil {
		t.Fatal(err)
	}
	if next != nil {
		if p, ok := page.(canonical.Page[canonical.Server]); ok {
			p.NextCursor = "more"
			page = p
		}
	}
	return canonical.Reply{Result: page}
}

func tree(t *testing.T, body []byte) any {
	t.Helper()
	if len(body) == 0 || string(body) == "null" {
		return nil
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// known takes out what has no canonical place, and sorts lists of things with ids,
// whose order is the list's and not the codec's.
func known(v any) any {
	switch node := v.(type) {
	case map[string]any:
		for key, value := range node {
			node[key] = known(value)
		}
		delete(node, "OS-EXT-SRV-ATTR:user_data") // may hold secrets
		delete(node, "user_data")
		if node["status"] == nil {
			delete(node, "OS-DCF:diskConfig") // of a create's answer
		}
		if node["event"] != nil {
			delete(node, "hostId") // a hash whose recipe is the cloud's
		}
		if node["hypervisor_hostname"] == nil {
			delete(node, "disk_available_least") // of what all of them have left
		}
		for key, value := range node {
			if strings.HasPrefix(key, "injected_file") { // how many files a create may carry
				delete(node, key)
			}
			if rest, ok := strings.CutPrefix(key, "vnet1_"); ok { // interfaces are told in order, not by name
				delete(node, key)
				node["vnet0_"+rest] = value
			}
		}
		if _, isKeypair := node["fingerprint"]; isKeypair {
			delete(node, "id") // a number of the database
		}
	case []any:
		for i := range node {
			node[i] = known(node[i])
		}
		slices.SortStableFunc(node, func(a, b any) int { return strings.Compare(idIn(a), idIn(b)) })
	}
	return v
}

func idIn(v any) string {
	m, _ := v.(map[string]any)
	for _, key := range []string{"id", "zoneName"} {
		switch id := m[key].(type) {
		case string:
			return id
		case float64:
			return strconv.Itoa(int(id))
		}
	}
	return ""
}
