package broker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// fickle loses answers: what it is told to fail at fails after, or before, the cloud
// has done it.
type fickle struct {
	canonical.Cloud
	op     string
	after  bool
	err    error
	failed atomic.Int32
	times  int32
}

func (f *fickle) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	if call.Op.Name != f.op || f.failed.Load() >= f.times {
		return f.Cloud.Do(ctx, call)
	}
	f.failed.Add(1)
	if f.after {
		if _, err := f.Cloud.Do(ctx, call); err != nil {
			return canonical.Reply{}, err
		}
	}
	return canonical.Reply{}, f.err
}

var (
	silence = canonical.Errorf(canonical.Timeout, "no answer")
	broken  = &canonical.Error{Code: canonical.UpstreamError, Detail: "oops", Upstream: &canonical.Upstream{Status: 500}}
)

// held is what the cloud itself has.
func held(t *testing.T, c canonical.Cloud) []canonical.Server {
	t.Helper()
	l, err := canonical.ListServers.Do(t.Context(), c, canonical.ServerList{})
	if err != nil {
		t.Fatal(err)
	}
	return l.Result.Items
}

func quick(t *testing.T, cloud canonical.Cloud) *broker.Broker {
	t.Helper()
	return openOn(t, openStore(t, ":memory:"), broker.Options{Members: []broker.Member{member("m1", cloud)}, SettleFor: 100 * time.Millisecond})
}

// A create whose answer was lost is settled on the cloud: it goes on where the cloud
// has made the server, and fails where it has not; there is never a second one.
func TestLostCreates(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after bool
		count int
		want  canonical.OperationStatus
		left  int
	}{
		{"made", true, 1, canonical.OperationSucceeded, 1},
		{"several made", true, 3, canonical.OperationSucceeded, 3},
		{"not made", false, 1, canonical.OperationFailed, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cloud := memory.New(memory.Options{Delay: 5 * time.Millisecond})
			b := quick(t, &fickle{Cloud: cloud, op: "server.create", after: tt.after, err: silence, times: 1})
			req := request(t, b, "")
			req.Count, req.Metadata = tt.count, map[string]string{"mine": "yes"}
			r, err := canonical.CreateServer.Do(as(t, "acme"), b, req)
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "it ends", func() bool { return operation(t, b, r.Task.Job).Status.Final() })
			if o := operation(t, b, r.Task.Job); o.Status != tt.want || tt.want == canonical.OperationFailed && o.Error.Code != canonical.Timeout {
				t.Errorf("%s: %v", o.Status, o.Error)
			}
			if got := held(t, cloud); len(got) != tt.left {
				t.Errorf("the cloud has %d servers", len(got))
			}
			l, err := canonical.ListServers.Do(as(t, "acme"), b, canonical.ServerList{})
			if err != nil || len(l.Result.Items) != tt.left {
				t.Fatal("the tenant sees", l, err)
			}
			for _, s := range l.Result.Items {
				if fmt.Sprint(s.Metadata) != "map[mine:yes]" {
					t.Error("the mark shows:", s.Metadata)
				}
			}
		})
	}
}

// Who was told that a create has failed finds nothing of it, though the cloud made it.
func TestFailedCreatesLeaveNothing(t *testing.T) {
	cloud := memory.New(memory.Options{})
	b := quick(t, &fickle{Cloud: cloud, op: "server.create", after: true, err: broken, times: 1})
	if _, err := canonical.CreateServer.Do(as(t, "acme"), b, request(t, b, "")); canonical.CodeOf(err) != canonical.UpstreamError {
		t.Fatal(err)
	}
	ops, err := canonical.ListOperations.Do(as(t, "acme"), b, canonical.OperationList{})
	if err != nil || len(ops.Result.Items) != 1 {
		t.Fatal(ops, err)
	}
	eventually(t, "it ends", func() bool { return operation(t, b, ops.Result.Items[0].ID).Status.Final() })
	if o := operation(t, b, ops.Result.Items[0].ID); o.Status != canonical.OperationFailed || o.Error.Code != canonical.UpstreamError {
		t.Error(o)
	}
	if got := held(t, cloud); len(got) != 0 {
		t.Error(got)
	}
}

// What says a wanted state is asked for again until the cloud tells that it holds.
func TestLostActions(t *testing.T) {
	for _, op := range []string{"server.stop", "server.start", "server.delete"} {
		for _, after := range []bool{true, false} {
			t.Run(fmt.Sprint(op, " after ", after), func(t *testing.T) {
				cloud := memory.New(memory.Options{Delay: 5 * time.Millisecond})
				b := quick(t, &fickle{Cloud: cloud, op: op, after: after, err: silence, times: 2})
				id := create(as(t, "acme"), t, b, request(t, b, "")).Resources[0].ID
				act := map[string]func() (*canonical.Task, error){
					"server.stop": func() (*canonical.Task, error) {
						r, err := canonical.StopServer.Do(as(t, "acme"), b, canonical.ServerStop{ID: id})
						return r.Task, err
					},
					"server.start": func() (*canonical.Task, error) {
						r, err := canonical.StartServer.Do(as(t, "acme"), b, canonical.ServerStart{ID: id})
						return r.Task, err
					},
					"server.delete": func() (*canonical.Task, error) {
						r, err := canonical.DeleteServer.Do(as(t, "acme"), b, canonical.ServerDelete{ID: id})
						return r.Task, err
					},
				}
				if op == "server.start" {
					task, err := act["server.stop"]()
					if err != nil {
						t.Fatal(err)
					}
					eventually(t, "it is stopped", func() bool { return operation(t, b, task.Job).Status.Final() })
				}
				task, err := act[op]()
				if err != nil {
					t.Fatal(err)
				}
				eventually(t, "it ends", func() bool { return operation(t, b, task.Job).Status.Final() })
				if o := operation(t, b, task.Job); o.Status != canonical.OperationSucceeded {
					t.Fatal(o.Error)
				}
				left := held(t, cloud)
				switch {
				case op == "server.delete" && len(left) == 0:
				case op == "server.stop" && left[0].Status == canonical.ServerStopped:
				case op == "server.start" && left[0].Status == canonical.ServerRunning:
				default:
					t.Error(left)
				}
			})
		}
	}
}

// A caller who goes away does not take the work with it.
func TestCallersMayLeave(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	cloud := memory.New(memory.Options{})
	slow := &counted{Cloud: cloud, before: func(_ context.Context, op *canonical.Spec) error {
		if op == canonical.CreateServer.Spec() {
			close(begun)
			<-goOn
		}
		return nil
	}}
	b := quick(t, slow)
	ctx, leave := context.WithCancel(as(t, "acme"))
	answer := make(chan error)
	go func() {
		_, err := canonical.CreateServer.Do(ctx, b, request(t, b, ""))
		answer <- err
	}()
	<-begun
	leave()
	if err := <-answer; canonical.CodeOf(err) != canonical.Canceled {
		t.Error(err)
	}
	close(goOn)
	eventually(t, "the server is there", func() bool { return len(names(t, as(t, "acme"), b)) == 1 })
}

func TestCancel(t *testing.T) {
	clock := memory.NewFakeClock(time.Now())
	cloud := memory.New(memory.Options{Delay: time.Hour, Clock: clock})
	b := quick(t, cloud)
	req := request(t, b, "")
	req.Count = 2
	r, err := canonical.CreateServer.Do(as(t, "acme"), b, req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := canonical.CancelOperation.Do(as(t, "other"), b, canonical.OperationCancel{ID: r.Task.Job}); canonical.CodeOf(err) != canonical.NotFound {
		t.Error("another tenant's:", err)
	}
	if _, err := canonical.CancelOperation.Do(as(t, "acme"), b, canonical.OperationCancel{ID: r.Task.Job}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it ends", func() bool {
		clock.Advance(time.Hour)
		return operation(t, b, r.Task.Job).Status.Final()
	})
	if o := operation(t, b, r.Task.Job); o.Status != canonical.OperationCancelled || o.Error != nil {
		t.Error(o)
	}
	if got := held(t, cloud); len(got) != 0 {
		t.Error(got)
	}
	if _, err := canonical.CancelOperation.Do(as(t, "acme"), b, canonical.OperationCancel{ID: r.Task.Job}); canonical.CodeOf(err) != canonical.FailedPrecondition {
		t.Error("cancelled twice:", err)
	}
}

// What nothing undoes cannot be cancelled.
func TestCancelIsRefused(t *testing.T) {
	clock := memory.NewFakeClock(time.Now())
	cloud := memory.New(memory.Options{Delay: time.Hour, Clock: clock})
	b := quick(t, cloud)
	r, err := canonical.CreateServer.Do(as(t, "acme"), b, request(t, b, ""))
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(2 * time.Hour)
	eventually(t, "it is made", func() bool { return operation(t, b, r.Task.Job).Status.Final() })
	stop, err := canonical.StopServer.Do(as(t, "acme"), b, canonical.ServerStop{ID: operation(t, b, r.Task.Job).Resources[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := canonical.CancelOperation.Do(as(t, "acme"), b, canonical.OperationCancel{ID: stop.Task.Job}); canonical.CodeOf(err) != canonical.FailedPrecondition {
		t.Error(err)
	}
}

// What an operation keeps is what its tenant sees: with the tenant, without the mark;
// whether the cloud was done at once or later.
func TestResultsAreComplete(t *testing.T) {
	for _, delay := range []time.Duration{0, 5 * time.Millisecond} {
		b := quick(t, memory.New(memory.Options{Delay: delay}))
		o := create(as(t, "acme"), t, b, request(t, b, ""))
		var made canonical.ServersCreated
		if err := json.Unmarshal(o.Result, &made); err != nil || len(made.Servers) != 1 {
			t.Fatal(string(o.Result), err)
		}
		if s := made.Servers[0]; s.Tenant == nil || *s.Tenant != "acme" || len(s.Metadata) != 0 {
			t.Errorf("after %s: %v %v", delay, s.Tenant, s.Metadata)
		}
	}
}

// Several servers are made all or none: when one of them fails, none is left, and the
// operation fails for that one's reason.
func TestAllOrNone(t *testing.T) {
	made := 0
	cloud := memory.New(memory.Options{Delay: 5 * time.Millisecond, Outcome: func(op *canonical.Spec, s canonical.Server) *canonical.Fault {
		if made++; op == canonical.CreateServer.Spec() && s.Name == "web-2" {
			return &canonical.Fault{Code: 500, Message: "no host has room"}
		}
		return nil
	}})
	b := quick(t, cloud)
	req := request(t, b, "")
	req.Count = 3
	r, err := canonical.CreateServer.Do(as(t, "acme"), b, req)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it ends", func() bool { return operation(t, b, r.Task.Job).Status.Final() })
	o := operation(t, b, r.Task.Job)
	if o.Status != canonical.OperationFailed || o.Error == nil || o.Error.Detail != "no host has room" {
		t.Errorf("%s: %+v", o.Status, o.Error)
	}
	if got := held(t, cloud); len(got) != 0 {
		t.Errorf("%d servers are left", len(got))
	}
}

// Who deletes one of several servers while the others are still made keeps the others.
func TestOneOfSeveralIsDeleted(t *testing.T) {
	clock := memory.NewFakeClock(time.Now())
	cloud := memory.New(memory.Options{Delay: time.Hour, Clock: clock})
	b := quick(t, cloud)
	req := request(t, b, "")
	req.Count = 3
	r, err := canonical.CreateServer.Do(as(t, "acme"), b, req)
	if err != nil {
		t.Fatal(err)
	}
	deleted := operation(t, b, r.Task.Job).Resources[0].ID
	if _, err := canonical.DeleteServer.Do(as(t, "acme"), b, canonical.ServerDelete{ID: deleted}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it ends", func() bool {
		clock.Advance(time.Hour)
		return operation(t, b, r.Task.Job).Status.Final()
	})
	o := operation(t, b, r.Task.Job)
	var made canonical.ServersCreated
	if err := json.Unmarshal(o.Result, &made); err != nil || o.Status != canonical.OperationSucceeded || len(made.Servers) != 2 {
		t.Errorf("%s: %v, %s", o.Status, o.Error, o.Result)
	}
	eventually(t, "the others are left", func() bool { return len(held(t, cloud)) == 2 })
}

// A create whose answer was lost does not end while its cloud is away, however long: what
// the cloud has made is found when it is back.
func TestLostCreateOfACloudThatIsAwayPastTheDeadline(t *testing.T) {
	var away atomic.Bool
	cloud := memory.New(memory.Options{})
	link := &counted{Cloud: cloud, before: func(context.Context, *canonical.Spec) error {
		if away.Load() {
			return canonical.Errorf(canonical.Unavailable, "away")
		}
		return nil
	}}
	lossy := &canonical.Mux{Next: link}
	canonical.Handle(lossy, canonical.CreateServer, func(ctx context.Context, r canonical.ServerCreate) (out canonical.TypedReply[canonical.ServersCreated], err error) {
		if _, err := canonical.CreateServer.Do(ctx, link, r); err != nil {
			return out, err
		}
		away.Store(true)
		return out, silence
	})
	b := openOn(t, openStore(t, ":memory:"), broker.Options{
		Members: []broker.Member{member("m1", lossy)}, SettleFor: time.Millisecond, OperationDeadline: time.Millisecond,
	})
	r, err := canonical.CreateServer.Do(as(t, "acme"), b, request(t, b, ""))
	if err != nil {
		t.Fatal(err)
	}
	lists := link.count("server.list")
	eventually(t, "some looks", func() bool { return link.count("server.list") > lists+3 })
	if o := operation(t, b, r.Task.Job); o.Status.Final() {
		t.Errorf("%s: %v", o.Status, o.Error)
	}
	away.Store(false)
	eventually(t, "it ends", func() bool { return operation(t, b, r.Task.Job).Status.Final() })
	if o := operation(t, b, r.Task.Job); o.Status != canonical.OperationSucceeded {
		t.Errorf("%s: %v", o.Status, o.Error)
	}
	if got := names(t, as(t, "acme"), b); len(got) != 1 {
		t.Error("the tenant sees", got)
	}
}

// Who cancels a create while the cloud is still asked has nothing left of it, also where
// the servers have no room for the mark.
func TestCancelWhileTheCloudIsAsked(t *testing.T) {
	for _, items := range []int{0, 128} {
		t.Run(fmt.Sprint(items, " items"), func(t *testing.T) {
			begun, goOn := make(chan struct{}), make(chan struct{})
			cloud := memory.New(memory.Options{})
			b := openOn(t, openStore(t, ":memory:"), broker.Options{SettleFor: time.Hour, Members: []broker.Member{
				member("m1", &counted{Cloud: cloud, before: func(_ context.Context, op *canonical.Spec) error {
					if op == canonical.CreateServer.Spec() {
						close(begun)
						<-goOn
					}
					return nil
				}}),
			}})
			req := request(t, b, "")
			req.Metadata = map[string]string{}
			for i := range items {
				req.Metadata[fmt.Sprint(i)] = "x"
			}
			answered := make(chan error)
			go func() {
				_, err := canonical.CreateServer.Do(as(t, "acme"), b, req)
				answered <- err
			}()
			<-begun
			ops, err := canonical.ListOperations.Do(as(t, "acme"), b, canonical.OperationList{})
			if err != nil || len(ops.Result.Items) != 1 {
				t.Fatal(ops, err)
			}
			id := ops.Result.Items[0].ID
			if _, err := canonical.CancelOperation.Do(as(t, "acme"), b, canonical.OperationCancel{ID: id}); err != nil {
				t.Fatal(err)
			}
			close(goOn)
			if err := <-answered; err != nil {
				t.Error(err)
			}
			eventually(t, "it ends", func() bool { return operation(t, b, id).Status == canonical.OperationCancelled })
			if got := held(t, cloud); len(got) != 0 {
				t.Errorf("%d servers are left", len(got))
			}
		})
	}
}
