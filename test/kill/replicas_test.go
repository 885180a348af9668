package kill

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/postgres"
	"github.com/dragoman-cloud/dragoman/test/process"
)

// takenOver is how long work may take to end on the replica that lives on.
const takenOver = 10 * time.Second

// pair are two replicas on one PostgreSQL, before one cloud. The gallows stands
// between the first and the cloud; the second reaches it directly.
type pair struct {
	gallows              *gallows
	cloud, first, second *process.Process
}

func buildPair(t *testing.T) *pair {
	t.Helper()
	database := postgres.Database(t)
	s, endpoint := behind(t, &gallows{counts: fromWrite()})
	p := &pair{gallows: s.gallows, cloud: s.cloud}
	p.first, p.second = startPair(t, replicaConfig(database, endpoint), replicaConfig(database, p.cloud.URL))
	return p
}

func replicaConfig(database, endpoint string) string {
	config := strings.Replace(frontConfig(endpoint), "sqlite:./front.db", database, 1)
	return config + "secret_key: env:DRAGOMAN_SEAL\n"
}

const seal = "DRAGOMAN_SEAL=" + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// startPair starts two replicas at once, as a supervisor does, on a database that is
// empty.
func startPair(t *testing.T, first, second string) (a, b *process.Process) {
	t.Helper()
	started := make(chan *process.Process)
	dir := t.TempDir()
	go func() {
		defer close(started) // without one when Start fails the test
		started <- process.Start(t, dir, first, seal)
	}()
	b = process.Start(t, t.TempDir(), second, seal)
	if a = <-started; a == nil {
		t.FailNow()
	}
	return a, b
}

const newServer = `{"name":"web","flavor":"small","image":"cirros"}`

// perform sends a request to the first replica until it falls, or until its work has
// ended; fell is when it fell.
func (p *pair) perform(t *testing.T, n int, after bool, method, path, body string, fall func(*process.Process) error) (fell time.Time) {
	t.Helper()
	p.gallows.arm(n, after, func() { _ = fall(p.first) })
	header := map[string]string{}
	if method == http.MethodPost {
		header["Idempotency-Key"] = "the-key"
	}
	if call(t, method, p.first.URL+path, body, header, nil) == http.StatusAccepted {
		for end := time.Now().Add(patience); time.Now().Before(end) && !p.gallows.fallen(); time.Sleep(20 * time.Millisecond) {
			if ended(operations(t, p.second.URL)) {
				break
			}
		}
	}
	return p.gallows.disarm()
}

// A replica that is killed at any step of a create or of a delete leaves its work to
// the other one, which ends it in time; nothing is made twice, and nothing is left.
func TestReplicaDies(t *testing.T) {
	all := abreast{t: t}
	defer all.wait()
	for _, after := range []bool{false, true} {
		for n := 1; n <= 3; n++ {
			name := fmt.Sprintf("request %d, after %v", n, after)
			all.run("create, "+name, func(t *testing.T) { createDies(t, n, after) })
			all.run("delete, "+name, func(t *testing.T) { deleteDies(t, n, after) })
		}
	}
}

func createDies(t *testing.T, n int, after bool) {
	p := buildPair(t)
	fell := p.perform(t, n, after, http.MethodPost, "/v1/servers", newServer, (*process.Process).Kill)
	if fell.IsZero() {
		t.Skip("the work needs fewer requests")
	}
	settled(t, p.second.URL)
	inTime(t, fell)
	// The client asks the other replica again, with its key, and is told of the same work.
	again(t, p.second.URL+"/v1/servers", newServer)
	made := 0
	all := settled(t, p.second.URL)
	for _, o := range all {
		if o.Status == canonical.OperationSucceeded {
			made++
		}
	}
	seen, there := servers(t, p.second.URL), servers(t, p.cloud.URL)
	if len(all) > 1 || len(there) != made || len(seen) != made {
		t.Errorf("of %d operations %d succeeded, the tenant has %d servers, the cloud %d", len(all), made, len(seen), len(there))
	}
}

func deleteDies(t *testing.T, n int, after bool) {
	p := buildPair(t)
	if status := call(t, http.MethodPost, p.second.URL+"/v1/servers", newServer, map[string]string{"Prefer": "wait=30"}, nil); status != http.StatusCreated {
		t.Fatal(status)
	}
	path := "/v1/servers/" + url.PathEscape(string(servers(t, p.second.URL)[0].ID))
	fell := p.perform(t, n, after, http.MethodDelete, path, "", (*process.Process).Kill)
	if fell.IsZero() {
		t.Skip("the work needs fewer requests")
	}
	accepted := false
	for _, o := range settled(t, p.second.URL) {
		if o.Operation == "server.delete" {
			accepted = true
			if o.Status != canonical.OperationSucceeded {
				t.Errorf("it ended as %s: %v", o.Status, o.Error)
			}
		}
	}
	inTime(t, fell)
	seen, there := servers(t, p.second.URL), servers(t, p.cloud.URL)
	if accepted && len(there)+len(seen) > 0 || len(there) != len(seen) {
		t.Errorf("accepted %v, the tenant has %d servers, the cloud %d", accepted, len(seen), len(there))
	}
}

// inTime fails the test when what fell was not taken over in time.
func inTime(t *testing.T, fell time.Time) {
	t.Helper()
	took := time.Since(fell)
	t.Logf("ended %.1f s after the fall", took.Seconds())
	if took > takenOver {
		t.Errorf("it took %v, more than %v", took, takenOver)
	}
}

// again repeats a POST with its key until it is accepted.
func again(t *testing.T, address, body string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		status := call(t, http.MethodPost, address, body, map[string]string{"Idempotency-Key": "the-key"}, nil)
		if status == http.StatusAccepted || status == http.StatusCreated {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the repeated request is answered with", status)
		}
	}
}

// A replica that stands still past its lease while the cloud works on its create, or
// while the create is on its way, does no harm when it goes on: there is one server, and
// the operation has succeeded, or none, and it has failed.
func TestReplicaPauses(t *testing.T) {
	all := abreast{t: t}
	defer all.wait()
	for name, c := range map[string]struct {
		n           int // the create, and the first look at what it makes
		after, late bool
	}{
		"the create has come":           {n: 1},
		"the create has come, too late": {n: 1, late: true},
		"it was answered":               {n: 1, after: true},
		"the look has come":             {n: 2},
		"the look was answered":         {n: 2, after: true},
	} {
		all.run(name, func(t *testing.T) {
			p := buildPair(t)
			p.gallows.forward = true
			if c.late {
				p.gallows.hold = make(chan struct{})
			}
			pauses(t, p, c.n, c.after)
		})
	}
}

func pauses(t *testing.T, p *pair, n int, after bool) {
	asked := make(chan struct{})
	go func() { // its answer comes when the replica goes on, or never
		defer close(asked)
		p.perform(t, n, after, http.MethodPost, "/v1/servers", newServer, (*process.Process).Pause)
	}()
	for end := time.Now().Add(patience); !p.gallows.fallen(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the replica was not paused")
		}
	}
	status := onlyOne(t, p)
	if p.gallows.hold != nil {
		close(p.gallows.hold)
	}
	if err := p.first.Continue(); err != nil {
		t.Fatal(err)
	}
	<-asked
	// What the replica still does, it does within its time for a call and some looks.
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if got := onlyOne(t, p); got != status {
			t.Fatalf("it was %s, and is %s", status, got)
		}
	}
	want := 0
	if status == canonical.OperationSucceeded {
		want = 1
	}
	for _, at := range []*process.Process{p.first, p.second, p.cloud} {
		if got := servers(t, at.URL); len(got) != want {
			t.Errorf("the operation %s, and there are %d servers", status, len(got))
		}
	}
}

// onlyOne is how the only operation has ended.
func onlyOne(t *testing.T, p *pair) canonical.OperationStatus {
	t.Helper()
	all := settled(t, p.second.URL)
	if len(all) != 1 {
		t.Fatalf("there are %d operations", len(all))
	}
	return all[0].Status
}
