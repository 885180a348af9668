package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// ask runs a command line, and is its exit code and what it wrote.
func ask(t *testing.T, args ...string) (code int, out, diag string) {
	t.Helper()
	if os.Getenv("DRAGOMAN_KEY") == "" {
		t.Setenv("DRAGOMAN_KEY", "k.s")
	}
	var o, d bytes.Buffer
	code = run(t.Context(), args, &o, &d)
	return code, o.String(), d.String()
}

// TestEveryOperationIsACommand: the command line is made from the declarations.
func TestEveryOperationIsACommand(t *testing.T) {
	root := newRoot()
	for _, op := range canonical.Ops() {
		c, rest, err := root.Find([]string{dashed(op.Resource()), dashed(op.Verb())})
		if err != nil || len(rest) > 0 || c.Name() != dashed(op.Verb()) {
			t.Errorf("%s: found %v, %v, %v", op.Name, c.Name(), rest, err)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	for name, line := range map[string]string{
		"UnknownCommand":    "boat list",
		"UnknownVerb":       "server sail",
		"UnknownFlag":       "server list --colour red",
		"MissingArgument":   "server get",
		"TooManyArguments":  "server get a b",
		"BadNumber":         "server list --limit many",
		"BadBool":           "flavor list --public=perhaps",
		"BadOutput":         "server list -o xml",
		"BadEndpoint":       "server list --endpoint nowhere",
		"MissingField":      "server create --name a",
		"BadNetworks":       "server create --name a --flavor f --image i --networks some",
		"BadObject":         "server create --name a --flavor f --image i --networks network=n,ip",
		"BadSort":           "server list --sort weight",
		"NoLimit":           "server list --limit 0",
		"EmptyName":         "server list --name=",
		"BadConfigArgument": "config check",
	} {
		t.Run(name, func(t *testing.T) {
			code, out, diag := ask(t, strings.Fields(line)...)
			if code != exitUsage || diag == "" {
				t.Errorf("got %d, %q, %q; want exit code %d and a reason", code, out, diag, exitUsage)
			}
		})
	}
}

func TestFlagsMakeTheRequest(t *testing.T) {
	var got map[string]any
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = nil
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"servers": [{"id": "m:1", "name": "a\u001b[31m", "status": "building"}]}`)
	}))
	defer s.Close()
	code, out, diag := ask(t, "server", "create", "--endpoint", s.URL, "--name", "a", "--flavor", "f", "--image", "i",
		"--count", "2", "--metadata", "k=v=w", "--metadata", "l=m", "--tags", "x", "--tags", "y,z", "--config-drive",
		"--networks", "network=n1,ip=10.0.0.5", "--networks", "network=n2", "--volumes", "size_gib=5,delete_with_server=true")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, diag)
	}
	want := `{"config_drive":true,"count":2,"flavor":"f","image":"i","metadata":{"k":"v=w","l":"m"},"name":"a",` +
		`"networks":[{"ip":"10.0.0.5","network":"n1"},{"network":"n2"}],"tags":["x","y,z"],"volumes":[{"delete_with_server":true,"size_gib":5}]}`
	if b, err := json.Marshal(got); err != nil || string(b) != want {
		t.Errorf("sent %s, %v\nwant %s", b, err, want)
	}
	if strings.Contains(out, "\x1b") || !strings.Contains(out, "m:1") {
		t.Errorf("printed %q", out)
	}
}

func TestUpdateNullsAndRemovals(t *testing.T) {
	var body string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		body = string(b)
		io.WriteString(w, `{"id": "m:1"}`)
	}))
	defer s.Close()
	code, _, diag := ask(t, "server", "update", "m:1", "--endpoint", s.URL, "--name", "b", "--metadata", "old", "--metadata", "new=1")
	if want := `{"name":"b","metadata":{"new":"1","old":null}}`; code != 0 || body != want {
		t.Errorf("exit code %d (%s), sent %s, want %s", code, diag, body, want)
	}
}

func TestFailuresAreNotUsage(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"code": "not_found", "status": 404, "detail": "there is no such server"}`)
	}))
	defer s.Close()
	code, _, diag := ask(t, "server", "get", "m:1", "--endpoint", s.URL)
	if code != exitFailed || !strings.Contains(diag, "not_found") {
		t.Errorf("got %d, %q", code, diag)
	}
}

// TestWait follows long work from its 202 to its result.
func TestWait(t *testing.T) {
	polls := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusAccepted)
			io.WriteString(w, `{"id": "job", "status": "pending"}`)
			return
		}
		polls++
		if polls == 1 {
			io.WriteString(w, `{"id": "job", "status": "running", "progress": 40}`)
			return
		}
		io.WriteString(w, `{"id": "job", "status": "succeeded", "progress": 100, "result": {"id": "m:1", "name": "a", "status": "stopped"}}`)
	}))
	defer s.Close()
	for _, format := range []string{"table", "json", "yaml"} {
		polls = 0
		code, out, diag := ask(t, "server", "stop", "m:1", "--wait", "--endpoint", s.URL, "-o", format)
		if code != 0 || !strings.Contains(out, "stopped") || !strings.Contains(diag, "40%") {
			t.Errorf("%s: got %d, %q, %q", format, code, out, diag)
		}
	}
}
