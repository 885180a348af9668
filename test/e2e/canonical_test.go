package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// TestCanonicalAPI: a server's life by HTTP, with and without waiting.
func TestCanonicalAPI(t *testing.T) {
	for name, open := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			canonicalLife(t, open(t), ours+"-api")
		})
	}
}

func canonicalLife(t *testing.T, b behind, name string) {
	var made canonical.ServersCreated
	b.call(t, http.MethodPost, "/v1/servers", b.createBody(t, name), http.StatusCreated, &made, "Prefer", "wait=100")
	id := made.Servers[0].ID
	at, native := "/v1/servers/"+escaped(string(id)), nativeID(t, b, string(id))
	b.holds(t, native, held{Name: name, Status: "ACTIVE", Metadata: map[string]string{"a": "b"}})

	var page canonical.Page[canonical.Server]
	b.call(t, http.MethodGet, "/v1/servers?name="+name, "", http.StatusOK, &page)
	if len(page.Items) != 1 || page.Items[0].ID != id || page.Items[0].Cloud != b.cloud || page.Items[0].Status != canonical.ServerRunning {
		t.Errorf("the list shows %+v", page.Items)
	}
	for _, c := range []struct {
		verb   string
		status canonical.ServerStatus
		then   string
	}{
		{"stop", canonical.ServerStopped, "SHUTOFF"}, {"start", canonical.ServerRunning, "ACTIVE"}, {"reboot", canonical.ServerRunning, "ACTIVE"},
	} {
		var op canonical.Operation
		b.call(t, http.MethodPost, at+"/"+c.verb, "{}", http.StatusAccepted, &op)
		eventually(t, func() (string, bool) {
			b.call(t, http.MethodGet, "/v1/operations/"+string(op.ID), "", http.StatusOK, &op)
			return c.verb + " is " + string(op.Status), op.Status == canonical.OperationSucceeded
		})
		var s canonical.Server
		b.call(t, http.MethodGet, at, "", http.StatusOK, &s, "Cache-Control", "no-cache")
		if s.Status != c.status {
			t.Errorf("after %s the server is %s", c.verb, s.Status)
		}
		b.holds(t, native, held{Status: c.then})
	}
	b.call(t, http.MethodPost, at+"/start", "{}", http.StatusConflict, nil, "Prefer", "wait=60")
	b.call(t, http.MethodPatch, at, `{"name": "`+name+`-2", "metadata": {"a": null, "k": "v"}}`, http.StatusOK, nil)
	b.holds(t, native, held{Name: name + "-2", Metadata: map[string]string{"k": "v", "a": ""}})
	b.call(t, http.MethodDelete, at, "", http.StatusNoContent, nil, "Prefer", "wait=100")
	b.gone(t, native)
	b.call(t, http.MethodGet, at, "", http.StatusNotFound, nil, "Cache-Control", "no-cache")
}

func (b behind) createBody(t *testing.T, name string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"name": name, "flavor": b.flavor, "image": b.image, "networks": []item{{"network": b.network}}, "metadata": item{"a": "b"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// nativeID is the cloud's own id within a canonical one.
func nativeID(t *testing.T, b behind, id string) string {
	t.Helper()
	native, ok := strings.CutPrefix(id, b.cloud+":")
	if !ok {
		t.Fatalf("id %q is not one of cloud %s", id, b.cloud)
	}
	return native
}

// TestDragomanCommand: the same by the dragoman command.
func TestDragomanCommand(t *testing.T) {
	for name, open := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			commandLife(t, open(t), ours+"-command")
		})
	}
}

func commandLife(t *testing.T, b behind, name string) {
	run := func(line string) finished {
		t.Helper()
		return b.ask(t, strings.Fields(line)...).good(t)
	}
	var made canonical.ServersCreated
	create := run("server create --name " + name + " --flavor " + b.flavor + " --image " + b.image +
		" --networks network=" + b.network + " --metadata a=b --wait -o json")
	create.json(t, &made)
	id := string(made.Servers[0].ID)
	native := nativeID(t, b, id)
	if !strings.Contains(create.diag, "server.create: succeeded "+id) {
		t.Errorf("--wait told %q", create.diag)
	}
	b.holds(t, native, held{Name: name, Status: "ACTIVE", Metadata: map[string]string{"a": "b"}})
	if list := run("server list --name " + name); !strings.Contains(list.out, id) || !strings.Contains(list.out, "running") {
		t.Errorf("server list printed\n%s", list.out)
	}
	for _, c := range []struct{ line, then string }{
		{"server stop ID --wait", "SHUTOFF"}, {"server start ID --wait", "ACTIVE"}, {"server reboot ID --kind hard --wait", "ACTIVE"},
	} {
		run(strings.Replace(c.line, "ID", id, 1))
		if got, _ := b.server(t, native); got.Status != c.then {
			t.Errorf("after %s the cloud holds %+v", c.line, got)
		}
	}
	run("server update " + id + " --name " + name + "-2")
	b.holds(t, native, held{Name: name + "-2"})
	var s canonical.Server
	run("server get "+name+"-2 -o json").json(t, &s)
	if string(s.ID) != id {
		t.Errorf("the name %s-2 finds %s, not %s", name, s.ID, id)
	}
	run("server delete " + id + " --wait")
	b.gone(t, native)
	if f := b.ask(t, "server", "get", id); f.code != 1 || !strings.Contains(f.diag, "not_found") {
		t.Errorf("%s after the delete: exit code %d, %s", f.line, f.code, f.diag)
	}
}

// TestReadsOfACloud: what a server is made of, by the dragoman command.
func TestReadsOfACloud(t *testing.T) {
	for name, open := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			for _, c := range []struct{ noun, name string }{
				{"flavor", b.flavor}, {"image", b.image}, {"network", b.network}, {"cloud", b.cloud},
			} {
				list := b.ask(t, c.noun, "list").good(t)
				if !strings.Contains(list.out, " "+c.name+" ") || !strings.Contains(list.out, b.cloud) {
					t.Errorf("%s printed\n%s", list.line, list.out)
				}
			}
			if list := b.ask(t, "availability-zone", "list").good(t); !strings.Contains(list.out, "true") {
				t.Errorf("%s printed\n%s", list.line, list.out)
			}
		})
	}
}
