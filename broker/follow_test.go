package broker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// counted counts the calls of a cloud by operation, and calls before ahead of each.
type counted struct {
	canonical.Cloud
	before func(context.Context, *canonical.Spec) error

	mu    sync.Mutex
	calls map[string]int
}

func (c *counted) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	c.mu.Lock()
	if c.calls == nil {
		c.calls = map[string]int{}
	}
	c.calls[call.Op.Name]++
	c.mu.Unlock()
	if c.before != nil {
		if err := c.before(ctx, call.Op); err != nil {
			return canonical.Reply{}, err
		}
	}
	return c.Cloud.Do(ctx, call)
}

func (c *counted) count(op string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[op]
}

// eventually waits until ok says so.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never came to this: %s", what)
		}
	}
}

func operation(t *testing.T, b canonical.Cloud, id canonical.ID) canonical.Operation {
	t.Helper()
	return operationOf(t, "acme", b, id)
}

func operationOf(t *testing.T, tenant string, b canonical.Cloud, id canonical.ID) canonical.Operation {
	t.Helper()
	o, err := canonical.GetOperation.Do(as(t, tenant), b, canonical.OperationGet{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return o.Result
}

// However many servers are waited for, a look costs one list.
func TestManyServersAreFollowedByLists(t *testing.T) {
	clock := memory.NewFakeClock(time.Now())
	cloud := &counted{Cloud: memory.New(memory.Options{Delay: time.Hour, Clock: clock})}
	b := open(t, member("m1", cloud))
	var ids []canonical.ID
	for i := range 20 {
		req := request(t, b, "")
		req.Name = fmt.Sprintf("s%d", i)
		r, err := canonical.CreateServer.Do(as(t, "acme"), b, req)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.Task.Job)
	}
	lists := cloud.count("server.list")
	eventually(t, "a look at all of them", func() bool { return cloud.count("server.list") > lists+1 })
	gets := cloud.count("server.get")
	lists = cloud.count("server.list")
	eventually(t, "ten looks", func() bool { return cloud.count("server.list") >= lists+10 })
	if n := cloud.count("server.get") - gets; n > 0 {
		t.Errorf("%d servers were asked for one by one", n)
	}
	clock.Advance(2 * time.Hour)
	for _, id := range ids {
		eventually(t, "the servers are made", func() bool { return operation(t, b, id).Status == canonical.OperationSucceeded })
		var made canonical.ServersCreated
		if err := json.Unmarshal(operation(t, b, id).Result, &made); err != nil || len(made.Servers) != 1 || made.Servers[0].Status != canonical.ServerRunning {
			t.Error(made, err)
		}
	}
}

// Questions that fail say nothing about the work.
func TestACloudThatIsAwayForAWhile(t *testing.T) {
	clock := memory.NewFakeClock(time.Now())
	var mu sync.Mutex
	away := false
	cloud := &counted{Cloud: memory.New(memory.Options{Delay: time.Hour, Clock: clock})}
	cloud.before = func(context.Context, *canonical.Spec) error {
		mu.Lock()
		defer mu.Unlock()
		if away {
			return canonical.Errorf(canonical.Unavailable, "away")
		}
		return nil
	}
	b := open(t, member("m1", cloud))
	r, err := canonical.CreateServer.Do(as(t, "acme"), b, request(t, b, ""))
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	away = true
	mu.Unlock()
	gets := cloud.count("server.get")
	eventually(t, "some looks", func() bool { return cloud.count("server.get") > gets+5 })
	if o := operation(t, b, r.Task.Job); o.Status != canonical.OperationRunning {
		t.Fatal(o)
	}
	clock.Advance(2 * time.Hour)
	mu.Lock()
	away = false
	mu.Unlock()
	eventually(t, "the operation ends", func() bool { return operation(t, b, r.Task.Job).Status == canonical.OperationSucceeded })
}

// On a shared account one follower has the work of all tenants, and each tenant's
// operation holds what was made for it.
func TestResultsOfSeveralTenants(t *testing.T) {
	clock := memory.NewFakeClock(time.Now())
	b := open(t, member("m1", memory.New(memory.Options{Delay: time.Hour, Clock: clock})))
	jobs := map[string]canonical.ID{}
	for _, tenant := range []string{"acme", "other"} {
		r, err := canonical.CreateServer.Do(as(t, tenant), b, request(t, b, ""))
		if err != nil {
			t.Fatal(err)
		}
		jobs[tenant] = r.Task.Job
	}
	clock.Advance(2 * time.Hour)
	for tenant, id := range jobs {
		eventually(t, "it is made", func() bool { return operationOf(t, tenant, b, id).Status.Final() })
		o := operationOf(t, tenant, b, id)
		var made canonical.ServersCreated
		if err := json.Unmarshal(o.Result, &made); err != nil || len(made.Servers) != 1 || *made.Servers[0].Tenant != tenant {
			t.Errorf("%s: %s %s %v", tenant, o.Status, o.Result, err)
		}
	}
}

func TestDeadline(t *testing.T) {
	s := openStore(t, ":memory:")
	clock := memory.NewFakeClock(time.Now())
	b := openOn(t, s, broker.Options{
		Members: []broker.Member{member("m1", memory.New(memory.Options{Delay: time.Hour, Clock: clock}))}, OperationDeadline: time.Millisecond,
	})
	r, err := canonical.CreateServer.Do(as(t, "acme"), b, request(t, b, ""))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the operation ends", func() bool { return operation(t, b, r.Task.Job).Status.Final() })
	if o := operation(t, b, r.Task.Job); o.Status != canonical.OperationFailed || o.Error.Code != canonical.Timeout {
		t.Error(o)
	}
}

// What a process leaves unfinished the next one on its store follows; what no cloud
// was heard to take up has failed.
func TestResume(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.db")
	clock := memory.NewFakeClock(time.Now())
	cloud := memory.New(memory.Options{Delay: time.Hour, Clock: clock})
	first := openStore(t, path)
	b := openOn(t, first, broker.Options{Members: []broker.Member{member("m1", cloud)}})
	r, err := canonical.CreateServer.Do(as(t, "acme"), b, request(t, b, ""))
	if err != nil {
		t.Fatal(err)
	}
	pending := store.Operation{Phase: store.Asking, Intent: []byte("{}"), Deadline: time.Now().Add(time.Hour), Operation: canonical.Operation{
		ID: "lost", Operation: "server.reboot", Status: canonical.OperationPending, Cloud: "m1", Tenant: "acme", CreatedAt: time.Now(),
	}}
	gone := pending
	gone.ID, gone.Cloud, gone.Phase, gone.Task = "gone", "m9", store.Waiting, canonical.WaitGone("m9:1")
	for _, o := range []store.Operation{pending, gone} {
		if err := first.CreateOperation(t.Context(), o, "a process that was killed"); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	clock.Advance(2 * time.Hour)
	again := openOn(t, openStore(t, path), broker.Options{Members: []broker.Member{member("m1", cloud)}})
	eventually(t, "the operation ends", func() bool { return operation(t, again, r.Task.Job).Status == canonical.OperationSucceeded })
	for _, id := range []canonical.ID{"lost", "gone"} {
		eventually(t, "it ends", func() bool { return operation(t, again, id).Status.Final() })
		if o := operation(t, again, id); o.Status != canonical.OperationFailed {
			t.Errorf("%s: %+v", id, o)
		}
	}
}

// What is told once is not kept.
func TestPasswordsAreNotStored(t *testing.T) {
	secret := "s3cret-word"
	cloud := &canonical.Mux{Next: memory.New(memory.Options{})}
	canonical.Handle(cloud, canonical.CreateServer, func(context.Context, canonical.ServerCreate) (r canonical.TypedReply[canonical.ServersCreated], err error) {
		r.Result.Servers = []canonical.ServerWithPassword{{Server: canonical.Server{ID: "1"}, AdminPassword: &secret}}
		return r, nil
	})
	s := openStore(t, ":memory:")
	b := openOn(t, s, broker.Options{Members: []broker.Member{member("m1", cloud)}})
	r, err := canonical.CreateServer.Do(as(t, "acme"), b, request(t, b, ""))
	if err != nil || r.Result.Servers[0].AdminPassword == nil {
		t.Fatal("the reply tells the password", r, err)
	}
	o := operation(t, b, r.Task.Job)
	var kept canonical.ServersCreated
	if err := json.Unmarshal(o.Result, &kept); err != nil || len(kept.Servers) != 1 || kept.Servers[0].AdminPassword != nil {
		t.Error(string(o.Result), err)
	}
}
