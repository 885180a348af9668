package broker_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// A process that slept over its lease, and wakes when another has given its work up,
// leaves nothing behind of what it then does.
func TestWhoComesTooLateCleansUp(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	cloud := memory.New(memory.Options{})
	slow := &counted{Cloud: cloud, before: func(_ context.Context, op *canonical.Spec) error {
		if op == canonical.CreateServer.Spec() {
			close(begun)
			<-goOn
		}
		return nil
	}}
	path := filepath.Join(t.TempDir(), "s.db")
	asleep := openOn(t, openStore(t, path), broker.Options{Members: []broker.Member{member("m1", slow)}})
	go func() { _, _ = canonical.CreateServer.Do(as(t, "acme"), asleep, request(t, asleep, "")) }()
	<-begun

	s := openStore(t, path)
	ops, err := s.Operations(t.Context(), store.OperationFilter{Tenant: "acme"})
	if err != nil || len(ops) != 1 {
		t.Fatal(ops, err)
	}
	taken, err := s.TakeOperation(t.Context(), ops[0].ID, "another process")
	if err != nil {
		t.Fatal(err)
	}
	taken.Status = canonical.OperationFailed
	if err := s.UpdateOperation(t.Context(), taken); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	eventually(t, "a create", func() bool { return slow.count("server.create") == 1 })
	eventually(t, "it cleans up", func() bool { return slow.count("server.delete") == 1 && len(held(t, cloud)) == 0 })
}

// Two processes share a store: each operation is one's, and the other's when the one
// ends, without a call made twice.
func TestTwoProcesses(t *testing.T) {
	clock := memory.NewFakeClock(time.Now())
	cloud := &counted{Cloud: memory.New(memory.Options{Delay: time.Hour, Clock: clock})}
	path := filepath.Join(t.TempDir(), "s.db")
	var both []*broker.Broker
	for range 2 {
		both = append(both, openOn(t, openStore(t, path), broker.Options{Members: []broker.Member{member("m1", cloud)}}))
	}
	r, err := canonical.CreateServer.Do(as(t, "acme"), both[0], request(t, both[0], ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := both[0].Close(); err != nil {
		t.Fatal(err)
	}
	clock.Advance(2 * time.Hour)
	eventually(t, "the other ends it", func() bool {
		return operation(t, both[1], r.Task.Job).Status == canonical.OperationSucceeded
	})
	if n := cloud.count("server.create"); n != 1 {
		t.Errorf("%d creates", n)
	}
}

// Events tell a tenant of its operations and servers, in order, once.
func TestEvents(t *testing.T) {
	b := open(t, member("m1", memory.New(memory.Options{Delay: 20 * time.Millisecond})))
	from, err := canonical.ListEvents.Do(as(t, "acme"), b, canonical.EventList{After: -1})
	if err != nil || len(from.Result.Items) != 0 {
		t.Fatal(from, err)
	}
	r, err := canonical.CreateServer.Do(as(t, "acme"), b, request(t, b, ""))
	if err != nil {
		t.Fatal(err)
	}
	var ops, servers int
	after := from.Result.Last
	for done := false; !done; {
		got, err := canonical.ListEvents.Do(as(t, "acme"), b, canonical.EventList{After: after, Wait: 10_000})
		if err != nil || len(got.Result.Items) == 0 || got.Result.Gap {
			t.Fatal(got, err)
		}
		for _, e := range got.Result.Items {
			if e.ID <= after {
				t.Error("out of order")
			}
			after = e.ID
			if e.Type == canonical.ServerEvent {
				servers++
			} else {
				ops++
			}
		}
		done = operation(t, b, r.Task.Job).Status.Final() && after == latest(t, b)
	}
	if ops < 3 || servers < 1 {
		t.Errorf("%d events of operations, %d of servers", ops, servers)
	}
	operator := canonical.WithCaller(t.Context(), canonical.Caller{Tenant: "other", Role: canonical.Operator})
	if got, err := canonical.ListEvents.Do(operator, b, canonical.EventList{After: from.Result.Last}); err != nil || len(got.Result.Items) != 0 {
		t.Error("an operator of another tenant is told without asking", len(got.Result.Items), err)
	}
	operator = canonical.WithOptions(operator, canonical.Options{Tenant: "acme"})
	if got, err := canonical.ListEvents.Do(operator, b, canonical.EventList{After: from.Result.Last}); err != nil || len(got.Result.Items) == 0 {
		t.Error("an operator who asks for a tenant is not told", len(got.Result.Items), err)
	}
	if got, err := canonical.ListEvents.Do(as(t, "other"), b, canonical.EventList{After: from.Result.Last}); err != nil || len(got.Result.Items) != 0 {
		t.Error("another tenant is told", got, err)
	}
	if got, err := canonical.ListEvents.Do(as(t, "acme"), b, canonical.EventList{After: after + 100}); err != nil || !got.Result.Gap {
		t.Error("an id that is not known", got, err)
	}
}

func latest(t *testing.T, b *broker.Broker) int64 {
	t.Helper()
	got, err := canonical.ListEvents.Do(as(t, "acme"), b, canonical.EventList{After: -1})
	if err != nil {
		t.Fatal(err)
	}
	return got.Result.Last
}

// What a cloud tells by itself reaches the owner of the server, with the ids and the
// names of dragoman.
func TestWatchedServers(t *testing.T) {
	cloud := memory.New(memory.Options{})
	var tell func(canonical.Server)
	m := member("m1", cloud)
	m.Watch = func(f func(canonical.Server)) { tell = f }
	b := open(t, m)
	id := create(as(t, "acme"), t, b, request(t, b, "")).Resources[0].ID
	from := latest(t, b)
	_, native := id.Split()
	tell(canonical.Server{ID: canonical.ID(native), Name: "web", Status: canonical.ServerStopped, Metadata: map[string]string{}})
	tell(canonical.Server{ID: "nobody's", Metadata: map[string]string{}})
	got, err := canonical.ListEvents.Do(as(t, "acme"), b, canonical.EventList{After: from})
	if err != nil || len(got.Result.Items) != 1 {
		t.Fatal(got, err)
	}
	var s canonical.Server
	if err := json.Unmarshal(got.Result.Items[0].Data, &s); err != nil || s.ID != id || s.Cloud != "m1" || *s.Tenant != "acme" || s.Status != canonical.ServerStopped {
		t.Errorf("%s", got.Result.Items[0].Data)
	}
}
