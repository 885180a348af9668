package broker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
	postgrestest "github.com/dragoman-cloud/dragoman/test/postgres"
)

func member(name string, cloud canonical.Cloud) broker.Member {
	return broker.Member{Name: name, Dialect: "memory", Timeout: 5 * time.Second, Open: shared(cloud)}
}

func shared(cloud canonical.Cloud) func(string) (broker.Account, error) {
	return func(string) (broker.Account, error) { return broker.Account{Cloud: cloud, Shared: true}, nil }
}

func openStore(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), postgrestest.Store(t, path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openOn(t *testing.T, s *store.Store, o broker.Options) *broker.Broker {
	t.Helper()
	o.Store, o.PollFirst, o.PollMost = s, time.Millisecond, 10*time.Millisecond
	b, err := broker.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func open(t *testing.T, members ...broker.Member) *broker.Broker {
	t.Helper()
	return openOn(t, openStore(t, ":memory:"), broker.Options{Members: members})
}

func as(t *testing.T, tenant string) context.Context {
	return canonical.WithCaller(t.Context(), canonical.Caller{Tenant: tenant, Role: canonical.Member})
}

// request asks for a server of the first flavor and image by name.
func request(t *testing.T, c canonical.Cloud, cloud string) canonical.ServerCreate {
	t.Helper()
	ctx := as(t, "acme")
	f, err := canonical.ListFlavors.Do(ctx, c, canonical.FlavorList{})
	if err != nil {
		t.Fatal(err)
	}
	i, err := canonical.ListImages.Do(ctx, c, canonical.ImageList{})
	if err != nil {
		t.Fatal(err)
	}
	return canonical.ServerCreate{Name: "web", Cloud: cloud, Flavor: canonical.Ref(f.Result.Items[0].Name), Image: canonical.Ref(i.Result.Items[0].Name)}
}

func create(ctx context.Context, t *testing.T, b *broker.Broker, req canonical.ServerCreate) canonical.Operation {
	t.Helper()
	r, err := canonical.CreateServer.Do(ctx, b, req)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := r.Task.Await(ctx, b, time.Millisecond, 10*time.Millisecond); err != nil || p.Verdict != canonical.TaskSucceeded {
		t.Fatal(p, err)
	}
	o, err := canonical.GetOperation.Do(ctx, b, canonical.OperationGet{ID: r.Task.Job})
	if err != nil || len(o.Result.Resources) == 0 {
		t.Fatal(o, err)
	}
	return o.Result
}

// On a shared cloud a tenant reaches what it made, others get NotFound, and after
// the delete nobody reaches it.
func TestOwnership(t *testing.T) {
	b := open(t, member("m1", memory.New(memory.Options{})))
	o := create(as(t, "acme"), t, b, request(t, b, ""))
	id := o.Resources[0].ID
	if got, err := canonical.GetServer.Do(as(t, "acme"), b, canonical.ServerGet{ID: id}); err != nil || *got.Result.Tenant != "acme" {
		t.Fatal(got, err)
	}
	if _, err := canonical.GetServer.Do(as(t, "other"), b, canonical.ServerGet{ID: id}); canonical.CodeOf(err) != canonical.NotFound {
		t.Error(err)
	}
	if _, err := canonical.DeleteServer.Do(as(t, "other"), b, canonical.ServerDelete{ID: id}); canonical.CodeOf(err) != canonical.NotFound {
		t.Error(err)
	}
	if _, err := canonical.GetOperation.Do(as(t, "other"), b, canonical.OperationGet{ID: o.ID}); canonical.CodeOf(err) != canonical.NotFound {
		t.Error(err)
	}
	if l, err := canonical.ListServers.Do(as(t, "other"), b, canonical.ServerList{}); err != nil || len(l.Result.Items) != 0 {
		t.Error(l, err)
	}
	r, err := canonical.DeleteServer.Do(as(t, "acme"), b, canonical.ServerDelete{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := r.Task.Await(as(t, "acme"), b, time.Millisecond, 10*time.Millisecond); err != nil || p.Verdict != canonical.TaskSucceeded {
		t.Fatal(p, err)
	}
	if _, err := canonical.GetServer.Do(as(t, "acme"), b, canonical.ServerGet{ID: id}); canonical.CodeOf(err) != canonical.NotFound {
		t.Error(err)
	}
}

// Pages over two clouds hold every server once, in order, though a third is down.
func TestListsMerge(t *testing.T) {
	down := new(canonical.Mux)
	canonical.Handle(down, canonical.ListServers, func(context.Context, canonical.ServerList) (r canonical.TypedReply[canonical.Page[canonical.Server]], err error) {
		return r, canonical.Errorf(canonical.Unavailable, "down")
	})
	b := open(t, member("m1", memory.New(memory.Options{})), member("m2", memory.New(memory.Options{})), member("m3", down))
	ctx := as(t, "acme")
	for i := range 7 {
		req := request(t, b, fmt.Sprintf("m%d", i%2+1))
		req.Name = fmt.Sprintf("s%d", i)
		create(ctx, t, b, req)
	}
	var got []string
	req := canonical.ServerList{ListOptions: canonical.ListOptions{Limit: 2, Sort: canonical.ByName}}
	for {
		p, err := canonical.ListServers.Do(ctx, b, req)
		if err != nil || len(p.Result.Unreachable) != 1 || p.Result.Unreachable[0].Cloud != "m3" {
			t.Fatal(p, err)
		}
		for _, s := range p.Result.Items {
			got = append(got, s.Name)
		}
		if req.Cursor = p.Result.NextCursor; req.Cursor == "" {
			break
		}
	}
	if fmt.Sprint(got) != "[s0 s1 s2 s3 s4 s5 s6]" {
		t.Error(got)
	}
	only := canonical.WithOptions(ctx, canonical.Options{Clouds: []string{"m3"}})
	if _, err := canonical.ListServers.Do(only, b, canonical.ServerList{}); canonical.CodeOf(err) != canonical.Unavailable || canonical.AsError(err).RetryAfter == 0 {
		t.Error(err)
	}
}

func TestPlacement(t *testing.T) {
	b := open(t, member("m1", memory.New(memory.Options{})), member("m2", memory.New(memory.Options{})))
	bad := func(change func(*canonical.ServerCreate)) canonical.ServerCreate {
		r := request(t, b, "m1")
		change(&r)
		return r
	}
	cases := map[string]struct {
		reason string
		req    canonical.ServerCreate
		want   canonical.Code
		field  string
	}{
		"Several":       {"two clouds could, and none is named", request(t, b, ""), canonical.FailedPrecondition, ""},
		"UnknownCloud":  {"a typing error is told", request(t, b, "m9"), canonical.InvalidRequest, "cloud"},
		"UnknownFlavor": {"a name that is nowhere is told by its field", bad(func(r *canonical.ServerCreate) { r.Flavor = "none" }), canonical.InvalidRequest, "flavor"},
		"OtherCloud":    {"a reference to another cloud cannot be placed here", bad(func(r *canonical.ServerCreate) { r.Image = "m2:x" }), canonical.InvalidRequest, "image"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := canonical.CreateServer.Do(as(t, "acme"), b, c.req)
			e := canonical.AsError(err)
			if canonical.CodeOf(err) != c.want || c.field != "" && (len(e.Fields) != 1 || e.Fields[0].Field != c.field) {
				t.Errorf("%s: %v", c.reason, err)
			}
		})
	}
}

// A cloud that is away may be the one that has what the others lack: then the create
// cannot be placed now, which is not the caller's fault.
func TestPlacementWhileACloudIsAway(t *testing.T) {
	away := memory.New(memory.Options{Faults: func(context.Context, *canonical.Spec) error {
		return canonical.Errorf(canonical.Unavailable, "down")
	}})
	for _, order := range [][]broker.Member{
		{member("m1", memory.New(memory.Options{})), member("m2", away)},
		{member("m2", away), member("m1", memory.New(memory.Options{}))},
	} {
		b := open(t, order...)
		r := request(t, b, "")
		r.Flavor = "none"
		if _, err := canonical.CreateServer.Do(as(t, "acme"), b, r); canonical.CodeOf(err) != canonical.Unavailable {
			t.Errorf("%s first: %v", order[0].Name, err)
		}
	}
}

// A cloud whose account cannot be opened is unreachable; the others answer.
func TestClosedAccount(t *testing.T) {
	shut := broker.Member{Name: "m2", Open: func(string) (broker.Account, error) {
		return broker.Account{}, canonical.Errorf(canonical.Unavailable, "no login")
	}}
	b := open(t, member("m1", memory.New(memory.Options{})), shut)
	p, err := canonical.ListFlavors.Do(as(t, "acme"), b, canonical.FlavorList{})
	if err != nil || len(p.Result.Items) == 0 || len(p.Result.Unreachable) != 1 {
		t.Fatal(p, err)
	}
}
