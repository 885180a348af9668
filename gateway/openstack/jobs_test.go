package openstack_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/facade"
	"github.com/dragoman-cloud/dragoman/gateway/gatewaytest"
	"github.com/dragoman-cloud/dragoman/gateway/openstack"
	"github.com/dragoman-cloud/dragoman/store"
)

// jobs is a cloud that answers creates with nothing but a job, which names the servers
// after some questions.
type jobs struct {
	canonical.Cloud
	after int              // questions until a job names its servers; negative: never
	fails *canonical.Error // how jobs end; nil: well

	mu    sync.Mutex
	made  []canonical.Resource
	asked int
}

func (j *jobs) Support(ctx context.Context, op *canonical.Spec) canonical.Support {
	if op == canonical.GetOperation.Spec() {
		return canonical.Support{Level: canonical.Native}
	}
	return j.Cloud.Support(ctx, op)
}

func (j *jobs) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	switch call.Op {
	case canonical.CreateServer.Spec():
		reply, err := j.Cloud.Do(ctx, call)
		if made, ok := reply.Result.(canonical.ServersCreated); ok && err == nil {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.made = []canonical.Resource{{Type: "server", ID: made.Servers[0].ID}}
			return canonical.Reply{Task: &canonical.Task{Job: "job-1"}}, nil
		}
		return reply, err
	case canonical.RebuildServer.Spec():
		_, err := j.Cloud.Do(ctx, call)
		return canonical.Reply{Task: &canonical.Task{Job: "job-1"}}, err
	case canonical.GetOperation.Spec():
		return canonical.Reply{Result: j.look()}, nil
	}
	return j.Cloud.Do(ctx, call)
}

func (j *jobs) look() canonical.Operation {
	j.mu.Lock()
	defer j.mu.Unlock()
	o := canonical.Operation{ID: "job-1", Status: canonical.OperationRunning}
	if j.asked++; j.after < 0 || j.asked <= j.after {
		return o
	}
	o.Resources, o.Status = j.made, canonical.OperationSucceeded
	if j.fails != nil {
		o.Status, o.Error = canonical.OperationFailed, canonical.ProblemOf(j.fails, "")
	}
	return o
}

// brokered is a broker before one cloud.
func brokered(t *testing.T, c canonical.Cloud) *broker.Broker {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	b, err := broker.New(broker.Options{
		Members: []broker.Member{gatewaytest.Share("far", c)}, Store: db,
		PollFirst: time.Millisecond, PollMost: 20 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func impatient(d time.Duration) func(*openstack.Options) {
	return func(o *openstack.Options) {
		o.Patience, o.IDs = d, &facade.IDs{Clouds: func(name string) bool { return name == "far" }}
	}
}

func hasty(o *openstack.Options) { o.Slowest = 50 * time.Millisecond }

func login(t *testing.T, base string) string {
	t.Helper()
	return call(t, "POST", base+"/identity/v3/auth/tokens", "", password, nil).Header.Get("X-Subject-Token")
}

const newServer = `{"server": {"name": "web", "flavorRef": "small", "imageRef": "cirros", "adminPass": "Tr0ub4dor"}}`

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// left is how many servers a cloud has.
func left(t *testing.T, c canonical.Cloud) int {
	t.Helper()
	r, err := canonical.ListServers.Do(t.Context(), c, canonical.ServerList{})
	if err != nil {
		t.Fatal(err)
	}
	return len(r.Result.Items)
}

// TestCreateThatAnswersAJob: the client is told the server once the job names it.
func TestCreateThatAnswersAJob(t *testing.T) {
	lost := func(_ context.Context, op *canonical.Spec) error {
		if op == canonical.CreateServer.Spec() {
			return canonical.Errorf(canonical.Timeout, "the answer was lost")
		}
		return nil
	}
	for name, cloud := range map[string]canonical.Cloud{
		"Named at once":   &jobs{Cloud: memory.New(memory.Options{})},
		"Named later":     &jobs{Cloud: memory.New(memory.Options{}), after: 5},
		"Answer was lost": memory.New(memory.Options{Lost: lost, Delay: 20 * time.Millisecond}),
	} {
		t.Run(name, func(t *testing.T) {
			base := serveCloud(t, "", brokered(t, cloud), impatient(20*time.Second))
			token := login(t, base)
			var got struct {
				Server struct{ ID, AdminPass string }
			}
			r := call(t, "POST", base+"/compute/v2.1/servers", token, newServer, &got)
			if r.StatusCode != 202 || got.Server.ID == "" || strings.Contains(got.Server.ID, ":") || got.Server.AdminPass != "Tr0ub4dor" {
				t.Fatalf("%d %+v", r.StatusCode, got)
			}
			if !strings.HasSuffix(r.Header.Get("Location"), "/servers/"+got.Server.ID) {
				t.Errorf("the server is at %s", r.Header.Get("Location"))
			}
			if r := call(t, "GET", base+"/compute/v2.1/servers/"+got.Server.ID, token, "", nil); r.StatusCode != 200 {
				t.Errorf("the server is not there: %d", r.StatusCode)
			}
		})
	}
}

// TestRebuildThatAnswersAJob: the answer is the server all the same.
func TestRebuildThatAnswersAJob(t *testing.T) {
	base := serveCloud(t, "", brokered(t, &jobs{Cloud: memory.New(memory.Options{})}), impatient(20*time.Second))
	token := login(t, base)
	var made, rebuilt struct{ Server struct{ ID, Name string } }
	call(t, "POST", base+"/compute/v2.1/servers", token, newServer, &made)
	r := call(t, "POST", base+"/compute/v2.1/servers/"+made.Server.ID+"/action", token, `{"rebuild":{"imageRef":"cirros"}}`, &rebuilt)
	if r.StatusCode != 202 || rebuilt.Server.ID != made.Server.ID || rebuilt.Server.Name != "web" {
		t.Errorf("%d %+v of %s", r.StatusCode, rebuilt, made.Server.ID)
	}
}

// TestCreateThatIsGivenUp: what the client is not told of is not left behind.
func TestCreateThatIsGivenUp(t *testing.T) {
	quota := canonical.Errorf(canonical.QuotaExceeded, "Quota exceeded for cores")
	for name, tt := range map[string]struct {
		cloud  *jobs
		status int
	}{
		"Never named": {&jobs{after: -1}, http.StatusServiceUnavailable},
		"Failed":      {&jobs{after: 3, fails: quota}, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			end := memory.New(memory.Options{})
			tt.cloud.Cloud = end
			if tt.cloud.fails != nil {
				tt.cloud.Cloud = gone{end}
			}
			b := brokered(t, tt.cloud)
			base := serveCloud(t, "", b, impatient(150*time.Millisecond))
			var fault map[string]struct {
				Code    int
				Message string
			}
			if r := call(t, "POST", base+"/compute/v2.1/servers", login(t, base), newServer, &fault); r.StatusCode != tt.status || len(fault) != 1 {
				t.Fatalf("%d %v, want %d", r.StatusCode, fault, tt.status)
			}
			ended(t, b, end)
		})
	}
}

// gone is a cloud whose creates leave nothing.
type gone struct{ canonical.Cloud }

func (g gone) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	reply, err := g.Cloud.Do(ctx, call)
	if made, ok := reply.Result.(canonical.ServersCreated); ok && err == nil {
		_, err = canonical.DeleteServer.Do(ctx, g.Cloud, canonical.ServerDelete{ID: made.Servers[0].ID})
	}
	return reply, err
}

// ended waits until the create has ended and nothing is left of it.
func ended(t *testing.T, b *broker.Broker, end canonical.Cloud) {
	t.Helper()
	ctx := canonical.WithCaller(t.Context(), ada)
	eventually(t, "the operation ends", func() bool {
		r, err := canonical.ListOperations.Do(ctx, b, canonical.OperationList{Operation: "server.create"})
		if err != nil || len(r.Result.Items) != 1 {
			t.Fatalf("%+v, %v", r.Result.Items, err)
		}
		s := r.Result.Items[0].Status
		if s == canonical.OperationSucceeded {
			t.Fatal("the operation succeeded")
		}
		return s.Final()
	})
	if n := left(t, end); n != 0 {
		t.Errorf("%d servers are left", n)
	}
}

// TestCreateWhoseClientLeaves: nobody is told of the server, so it is not kept.
func TestCreateWhoseClientLeaves(t *testing.T) {
	end := memory.New(memory.Options{})
	cloud := &jobs{Cloud: end, after: -1}
	b := brokered(t, cloud)
	base := serveCloud(t, "", b, impatient(time.Minute))
	token := login(t, base)
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/compute/v2.1/servers", bytes.NewReader([]byte(newServer)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", token)
	r.Header.Set("Content-Type", "application/json")
	answered := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			err = fmt.Errorf("answered %d, %w", resp.StatusCode, resp.Body.Close())
		}
		answered <- err
	}()
	eventually(t, "the cloud is asked about the job", func() bool {
		cloud.mu.Lock()
		defer cloud.mu.Unlock()
		return cloud.asked > 0
	})
	leave()
	if err := <-answered; ctx.Err() == nil || err == nil {
		t.Fatal(err)
	}
	ended(t, b, end)
}
