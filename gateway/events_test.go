package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/gatewaytest"
)

// sse is one server-sent event.
type sse struct{ id, event, data string }

// listen opens a stream of events; it ends with the test.
func listen(t *testing.T, url, key, lastID string) *bufio.Scanner {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Accept", "text/event-stream")
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(resp.Status, resp.Header)
	}
	return bufio.NewScanner(resp.Body)
}

// next is the next event of a stream; comments are left out.
func next(t *testing.T, lines *bufio.Scanner) (e sse) {
	t.Helper()
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case name == "id":
			e.id = value
		case name == "event":
			e.event = value
		case name == "data":
			e.data = value
		case lines.Text() == "" && e.event != "":
			return e
		}
	}
	t.Fatal("the stream ended:", lines.Err())
	return e
}

// A stream tells of an operation from its beginning to its end; one that is resumed
// goes on after the last event that was heard, and says so where that is not known.
func TestEventStream(t *testing.T) {
	stack := gatewaytest.New(t, gatewaytest.Share("m", memory.New(memory.Options{Delay: 10 * time.Millisecond})))
	url, key, other := stack.Serve(), stack.Key("acme", canonical.Member), stack.Key("other", canonical.Member)
	lines := listen(t, url, key, "")
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), ":") {
		t.Fatal("the stream does not say at once that it is open:", lines.Text())
	}
	quiet := listen(t, url, other, "")

	create(t, stack, "acme")
	var first, last sse
	for {
		e := next(t, lines)
		if first.id == "" {
			first = e
		}
		if e.event == "server" && !strings.Contains(e.data, `"host":null`) {
			t.Error("a member is told hosts:", e.data)
		}
		var o canonical.Operation
		if err := json.Unmarshal([]byte(e.data), &o); err != nil {
			t.Fatal(err, e)
		}
		if last = e; e.event == "operation" && o.Status.Final() {
			break
		}
	}
	if first.event != "operation" || !strings.Contains(first.data, `"status":"pending"`) {
		t.Error("it begins with", first)
	}
	if e := next(t, listen(t, url, key, first.id)); e.id <= first.id && len(e.id) <= len(first.id) {
		t.Error("resumed with", e)
	}
	for _, unknown := range []string{"999999", "nonsense", "-7"} {
		if e := next(t, listen(t, url, key, unknown)); e.event != "gap" {
			t.Errorf("after %s: %v", unknown, e)
		}
	}
	create(t, stack, "other")
	if e := next(t, quiet); e.event != "operation" || strings.Contains(e.data, "acme") || e.id <= last.id && len(e.id) <= len(last.id) {
		t.Error("another tenant is told", e)
	}
}

func TestEventsNeedAKey(t *testing.T) {
	stack := gatewaytest.New(t, gatewaytest.Share("m", memory.New(memory.Options{})))
	resp, err := http.Get(stack.Serve() + "/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Error(resp.Status)
	}
}

// create makes a server for a tenant, past HTTP.
func create(t *testing.T, stack *gatewaytest.Stack, tenant string) {
	t.Helper()
	ctx := canonical.WithCaller(context.Background(), canonical.Caller{Tenant: tenant, Role: canonical.Member})
	_, err := canonical.CreateServer.Do(ctx, stack.Broker, canonical.ServerCreate{Name: "web", Flavor: "small", Image: "cirros"})
	if err != nil {
		t.Fatal(err)
	}
}
