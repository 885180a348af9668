package broker_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// asks counts how often a cloud is asked what has changed.
type asks struct {
	canonical.Cloud
	n atomic.Int64
}

func (a *asks) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	if r, ok := call.Request.(canonical.ServerList); ok && r.ChangedSince != nil {
		a.n.Add(1)
	}
	return a.Cloud.Do(ctx, call)
}

// some waits until the cloud was asked some times more.
func (a *asks) some(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for from, end := a.n.Load(), time.Now().Add(10*time.Second); a.n.Load() < from+3; <-tick.C {
		if time.Now().After(end) {
			t.Fatal("the cloud is not asked what has changed")
		}
	}
}

func polledMember(name string, cloud canonical.Cloud, every time.Duration) broker.Member {
	m := member(name, cloud)
	m.Poll = every
	return m
}

// heard waits for the next event of a server in that state, and says where it was.
func heard(t *testing.T, b canonical.Cloud, tenant string, after int64, id canonical.ID, status canonical.ServerStatus) int64 {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		got, err := canonical.ListEvents.Do(as(t, tenant), b, canonical.EventList{After: after, Wait: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range got.Result.Items {
			if s := serverOf(t, e); s.ID == id && s.Status == status {
				if s.Tenant == nil || *s.Tenant != tenant || s.Cloud == "" {
					t.Errorf("the event tells of %+v", s)
				}
				return e.ID
			}
		}
		after = got.Result.Last
	}
	t.Fatalf("no event tells that %s is %s", id, status)
	return 0
}

func serverOf(t *testing.T, e canonical.Event) (s canonical.Server) {
	t.Helper()
	if e.Type != canonical.ServerEvent {
		return s
	}
	if err := json.Unmarshal(e.Data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func newest(t *testing.T, b canonical.Cloud, tenant string) int64 {
	t.Helper()
	got, err := canonical.ListEvents.Do(as(t, tenant), b, canonical.EventList{After: -1})
	if err != nil {
		t.Fatal(err)
	}
	return got.Result.Last
}

func native(id canonical.ID) canonical.ID {
	_, n := id.Split()
	return canonical.ID(n)
}

// behindOurBack does something to a server without dragoman.
func stopBehind(t *testing.T, cloud canonical.Cloud, id canonical.ID) {
	t.Helper()
	if _, err := canonical.StopServer.Do(t.Context(), cloud, canonical.ServerStop{ID: native(id)}); err != nil {
		t.Fatal(err)
	}
}

func startBehind(t *testing.T, cloud canonical.Cloud, id canonical.ID) {
	t.Helper()
	if _, err := canonical.StartServer.Do(t.Context(), cloud, canonical.ServerStart{ID: native(id)}); err != nil {
		t.Fatal(err)
	}
}

func deleteBehind(t *testing.T, cloud canonical.Cloud, id canonical.ID) {
	t.Helper()
	if _, err := canonical.DeleteServer.Do(t.Context(), cloud, canonical.ServerDelete{ID: native(id)}); err != nil {
		t.Fatal(err)
	}
}

// What happens to a server behind our back is an event for its tenant, and for nobody
// else, whatever time the cloud's clock tells.
func TestChangesBehindOurBack(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"SameClock": 0, "LateClock": -4 * time.Minute, "EarlyClock": time.Hour} {
		t.Run(name, func(t *testing.T) {
			clock := memory.NewFakeClock(time.Now().Add(ahead))
			cloud := &asks{Cloud: memory.New(memory.Options{Clock: clock})}
			b := open(t, polledMember("m1", cloud, 2*time.Millisecond))
			id := create(as(t, "acme"), t, b, request(t, b, "")).Resources[0].ID
			cloud.some(t)
			at := newest(t, b, "acme")
			for range 2 {
				clock.Advance(time.Minute)
				stopBehind(t, cloud, id)
				at = heard(t, b, "acme", at, id, canonical.ServerStopped)
				startBehind(t, cloud, id)
				at = heard(t, b, "acme", at, id, canonical.ServerRunning)
			}
			deleteBehind(t, cloud, id)
			at = heard(t, b, "acme", at, id, canonical.ServerDeleted)
			cloud.some(t)
			if now := newest(t, b, "acme"); now != at {
				t.Errorf("%d events come after the last change", now-at)
			}
			if got, err := canonical.ListEvents.Do(as(t, "other"), b, canonical.EventList{After: 0}); err != nil || len(got.Result.Items) > 0 {
				t.Errorf("another tenant is told %+v, %v", got.Result.Items, err)
			}
		})
	}
}

// What a tenant's own account had before we asked first is no news; what nobody owns on a
// shared one is nobody's.
func TestFirstLookIsNoNews(t *testing.T) {
	cloud := &asks{Cloud: memory.New(memory.Options{})}
	made, err := canonical.CreateServer.Do(t.Context(), cloud, request(t, cloud, ""))
	if err != nil {
		t.Fatal(err)
	}
	id := canonical.MakeID("m1", string(made.Result.Servers[0].ID))
	own := broker.Member{Name: "m1", Poll: 2 * time.Millisecond, Tenants: []string{"acme"}, Open: func(tenant string) (broker.Account, error) {
		if tenant != "acme" {
			return broker.Account{}, nil
		}
		return broker.Account{Cloud: cloud}, nil
	}}
	b := open(t, own)
	cloud.some(t)
	if at := newest(t, b, "acme"); at != 0 {
		t.Errorf("%d events of what was there before", at)
	}
	stopBehind(t, cloud, id)
	heard(t, b, "acme", 0, id, canonical.ServerStopped)

	common := &asks{Cloud: cloud}
	c := open(t, polledMember("m1", common, 2*time.Millisecond))
	common.some(t)
	startBehind(t, common, id)
	common.some(t)
	if at := newest(t, c, "acme"); at != 0 {
		t.Errorf("%d events of servers that nobody owns", at)
	}
}

// A cloud that is away tells what happened when it is back, and so does a dragoman that
// was down.
func TestChangesWhileAway(t *testing.T) {
	end := memory.New(memory.Options{})
	cloud := &asks{Cloud: end}
	s := openStore(t, filepath.Join(t.TempDir(), "s.db"))
	o := broker.Options{Members: []broker.Member{polledMember("m1", cloud, 2*time.Millisecond)}}
	b := openOn(t, s, o)
	id := create(as(t, "acme"), t, b, request(t, b, "")).Resources[0].ID
	cloud.some(t)
	at := newest(t, b, "acme")
	end.SetFaults(func(context.Context, *canonical.Spec) error {
		return canonical.Errorf(canonical.Unavailable, "the cloud cannot be reached")
	})
	cloud.some(t)
	end.SetFaults(nil)
	stopBehind(t, end, id)
	at = heard(t, b, "acme", at, id, canonical.ServerStopped)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	startBehind(t, end, id)
	heard(t, openOn(t, s, o), "acme", at, id, canonical.ServerRunning)
}

// Two brokers on one store ask the cloud once in an interval between them, and tell
// each change once.
func TestOneAsksForAll(t *testing.T) {
	const every = 100 * time.Millisecond
	cloud := &asks{Cloud: memory.New(memory.Options{})}
	s := openStore(t, filepath.Join(t.TempDir(), "s.db"))
	begun := time.Now()
	o := broker.Options{Members: []broker.Member{polledMember("m1", cloud, every)}}
	a, b := openOn(t, s, o), openOn(t, s, o)
	id := create(as(t, "acme"), t, a, request(t, a, "")).Resources[0].ID
	cloud.some(t)
	at := newest(t, a, "acme")
	stopBehind(t, cloud, id)
	if last := heard(t, b, "acme", at, id, canonical.ServerStopped); last != at+1 {
		t.Errorf("event %d tells of the change after %d", last, at)
	}
	cloud.some(t)
	if now := newest(t, a, "acme"); now != at+1 {
		t.Errorf("%d events of one change", now-at)
	}
	if n, most := cloud.n.Load(), int64(time.Since(begun)/every)+1; n > most {
		t.Errorf("asked %d times in %d intervals", n, most)
	}
	if err := a.Close(); err != nil { // the other goes on alone
		t.Fatal(err)
	}
	startBehind(t, cloud, id)
	heard(t, b, "acme", at+1, id, canonical.ServerRunning)
}
