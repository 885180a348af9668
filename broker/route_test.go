package broker_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// An id that names no cloud is found where it is; while a cloud that may have it is
// away, nobody says that it is nowhere.
func TestIDsWithoutACloud(t *testing.T) {
	away := false
	third := &counted{Cloud: memory.New(memory.Options{}), before: func(context.Context, *canonical.Spec) error {
		if away {
			return canonical.Errorf(canonical.Unavailable, "away")
		}
		return nil
	}}
	b := open(t, member("m1", memory.New(memory.Options{})), member("m2", memory.New(memory.Options{})), member("m3", third))
	id := create(as(t, "acme"), t, b, request(t, b, "m2")).Resources[0].ID
	bare := canonical.ID(strings.TrimPrefix(string(id), "m2:"))
	got, err := canonical.GetServer.Do(as(t, "acme"), b, canonical.ServerGet{ID: bare})
	if err != nil || got.Result.ID != id {
		t.Error(got, err)
	}
	if _, err := canonical.GetServer.Do(as(t, "other"), b, canonical.ServerGet{ID: bare}); canonical.CodeOf(err) != canonical.NotFound {
		t.Error("another tenant's:", err)
	}
	if _, err := canonical.GetServer.Do(as(t, "acme"), b, canonical.ServerGet{ID: "m1:nowhere"}); canonical.CodeOf(err) != canonical.NotFound {
		t.Error(err)
	}
	if _, err := canonical.GetFlavor.Do(as(t, "acme"), b, canonical.FlavorGet{ID: "nowhere"}); canonical.CodeOf(err) != canonical.NotFound {
		t.Error(err)
	}
	away = true
	if _, err := canonical.GetFlavor.Do(as(t, "acme"), b, canonical.FlavorGet{ID: "nowhere"}); canonical.CodeOf(err) != canonical.Unavailable {
		t.Error("it may be on the cloud that is away:", err)
	}
}

// A slow cloud costs a list its own time limit and no more.
func TestASlowCloudIsLeftOut(t *testing.T) {
	slow := memory.New(memory.Options{Faults: func(ctx context.Context, _ *canonical.Spec) error {
		<-ctx.Done()
		return ctx.Err()
	}})
	m2 := member("m2", slow)
	m2.Timeout = 20 * time.Millisecond
	b := open(t, member("m1", memory.New(memory.Options{})), m2)
	l, err := canonical.ListFlavors.Do(as(t, "acme"), b, canonical.FlavorList{})
	if err != nil || len(l.Result.Items) == 0 || len(l.Result.Unreachable) != 1 || l.Result.Unreachable[0].Code != canonical.Timeout {
		t.Error(l, err)
	}
	if _, err := canonical.GetFlavor.Do(as(t, "acme"), b, canonical.FlavorGet{ID: "m2:x"}); canonical.CodeOf(err) != canonical.Timeout {
		t.Error(err)
	}
}

// A position of no cloud, such as a dialect's marker, goes on in all of them: nothing
// is told twice and nothing is left out, though all share the time of creation.
func TestMarkersGoOnInEveryCloud(t *testing.T) {
	clock := memory.NewFakeClock(time.Now().Truncate(time.Second))
	cloud := func() canonical.Cloud { return memory.New(memory.Options{Clock: clock}) }
	b := open(t, member("m-2", cloud()), member("m", cloud()), member("z", cloud()))
	for i := range 9 {
		create(as(t, "acme"), t, b, request(t, b, []string{"m", "z", "m-2"}[i%3]))
	}
	var want []canonical.Server
	all, err := canonical.ListServers.Do(as(t, "acme"), b, canonical.ServerList{})
	if err != nil {
		t.Fatal(err)
	}
	want = all.Result.Items
	for i, marker := range want {
		at := canonical.Cursor{Sort: canonical.NewestFirst, After: map[string]canonical.Position{"": canonical.PositionOf(marker, canonical.NewestFirst)}}
		rest, err := canonical.ListServers.Do(as(t, "acme"), b, canonical.ServerList{ListOptions: canonical.ListOptions{Cursor: at.String()}})
		if err != nil {
			t.Fatal(err)
		}
		if len(rest.Result.Items) != len(want)-i-1 {
			t.Fatalf("after %d of %d come %d", i+1, len(want), len(rest.Result.Items))
		}
		for j, s := range rest.Result.Items {
			if s.ID != want[i+1+j].ID {
				t.Fatalf("after %d: item %d is another", i, j)
			}
		}
	}
}

// A cloud's own health is what the list of clouds shows.
func TestCloudsShowTheirHealth(t *testing.T) {
	sick := memory.New(memory.Options{Faults: func(context.Context, *canonical.Spec) error {
		return canonical.Errorf(canonical.Unavailable, "away")
	}})
	shut := broker.Member{Name: "m3", Open: func(string) (broker.Account, error) {
		return broker.Account{}, canonical.Errorf(canonical.Unauthenticated, "no login")
	}}
	b := open(t, member("m1", memory.New(memory.Options{})), member("m2", sick), shut)
	for range 10 {
		if _, err := canonical.ListFlavors.Do(as(t, "acme"), b, canonical.FlavorList{}); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]canonical.CloudStatus{}
	l, err := canonical.ListClouds.Do(as(t, "acme"), b, canonical.CloudList{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range l.Result.Items {
		got[c.Name] = c.Status
	}
	if got["m1"] != canonical.CloudUp || got["m2"] == canonical.CloudUp || got["m3"] != canonical.CloudDown {
		t.Error(got)
	}
}
