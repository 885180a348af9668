package broker_test

import (
	"context"
	"testing"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/canonical"
)

func role(t *testing.T, tenant string, r canonical.Role) context.Context {
	return canonical.WithCaller(t.Context(), canonical.Caller{Tenant: tenant, Role: r})
}

func names(t *testing.T, ctx context.Context, b canonical.Cloud) []string {
	t.Helper()
	l, err := canonical.ListServers.Do(ctx, b, canonical.ServerList{ListOptions: canonical.ListOptions{Sort: canonical.ByName}})
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, s := range l.Result.Items {
		out = append(out, s.Name)
	}
	return out
}

// In an account of its own a tenant sees everything, also what others made there.
func TestOwnAccounts(t *testing.T) {
	accounts := map[string]canonical.Cloud{"acme": memory.New(memory.Options{}), "other": memory.New(memory.Options{})}
	b := open(t, broker.Member{Name: "m1", Open: func(tenant string) (broker.Account, error) {
		return broker.Account{Cloud: accounts[tenant]}, nil
	}})
	native := request(t, accounts["acme"], "")
	native.Name = "made elsewhere"
	if _, err := canonical.CreateServer.Do(t.Context(), accounts["acme"], native); err != nil {
		t.Fatal(err)
	}
	create(as(t, "acme"), t, b, request(t, b, ""))
	if got := names(t, as(t, "acme"), b); len(got) != 2 {
		t.Error(got)
	}
	if got := names(t, as(t, "other"), b); len(got) != 0 {
		t.Error(got)
	}
	if got := names(t, as(t, "third"), b); len(got) != 0 {
		t.Error("a tenant without an account:", got)
	}
	if _, err := canonical.GetServer.Do(as(t, "third"), b, canonical.ServerGet{ID: "m1:x"}); canonical.CodeOf(err) != canonical.NotFound {
		t.Error("a tenant without an account asks for a server:", err)
	}
	if got := names(t, canonical.WithOptions(role(t, "ops", canonical.Operator), canonical.Options{Tenant: "acme"}), b); len(got) != 2 {
		t.Error("an operator who asks for the tenant:", got)
	}
}

// What rests in a recycle bin keeps its owner.
func TestRecycleBinKeepsTheOwner(t *testing.T) {
	cloud := &canonical.Mux{Next: memory.New(memory.Options{})}
	var resting canonical.ID
	canonical.Handle(cloud, canonical.DeleteServer, func(_ context.Context, r canonical.ServerDelete) (out canonical.TypedReply[canonical.None], err error) {
		resting = r.ID
		out.Task = canonical.WaitGone(r.ID)
		return out, nil
	})
	canonical.Handle(cloud, canonical.GetServer, func(ctx context.Context, r canonical.ServerGet) (canonical.TypedReply[canonical.Server], error) {
		got, err := canonical.GetServer.Do(ctx, cloud.Next, r)
		if r.ID == resting {
			got.Result.Status = canonical.ServerSoftDeleted
		}
		return got, err
	})
	b := open(t, member("m1", cloud))
	id := create(as(t, "acme"), t, b, request(t, b, "")).Resources[0].ID
	r, err := canonical.DeleteServer.Do(as(t, "acme"), b, canonical.ServerDelete{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is deleted", func() bool { return operation(t, b, r.Task.Job).Status == canonical.OperationSucceeded })
	if got, err := canonical.GetServer.Do(as(t, "acme"), b, canonical.ServerGet{ID: id}); err != nil || got.Result.Status != canonical.ServerSoftDeleted {
		t.Error(got, err)
	}
	if _, err := canonical.GetServer.Do(as(t, "other"), b, canonical.ServerGet{ID: id}); canonical.CodeOf(err) != canonical.NotFound {
		t.Error(err)
	}
}

// An operation belongs to the tenant whose server it is about, whoever began it.
func TestOperatorsWorkOnTenantsServers(t *testing.T) {
	b := open(t, member("m1", memory.New(memory.Options{})))
	id := create(as(t, "acme"), t, b, request(t, b, "")).Resources[0].ID
	r, err := canonical.StopServer.Do(role(t, "ops", canonical.Operator), b, canonical.ServerStop{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is stopped", func() bool { return operation(t, b, r.Task.Job).Status == canonical.OperationSucceeded })
	if o := operation(t, b, r.Task.Job); o.Tenant != "acme" {
		t.Errorf("it belongs to %s", o.Tenant)
	}
	if _, err := canonical.GetOperation.Do(as(t, "other"), b, canonical.OperationGet{ID: r.Task.Job}); canonical.CodeOf(err) != canonical.NotFound {
		t.Error(err)
	}
	asked := canonical.WithOptions(role(t, "ops", canonical.Operator), canonical.Options{Tenant: "other"})
	if _, err := canonical.GetServer.Do(asked, b, canonical.ServerGet{ID: id}); canonical.CodeOf(err) != canonical.NotFound {
		t.Error("tenant= limits operators too:", err)
	}
}

// Things without an owner on a shared cloud are for admins.
func TestWithoutOwner(t *testing.T) {
	cloud := memory.New(memory.Options{})
	if _, err := canonical.CreateServer.Do(t.Context(), cloud, request(t, cloud, "")); err != nil {
		t.Fatal(err)
	}
	b := open(t, member("m1", cloud))
	for r, want := range map[canonical.Role]int{canonical.Member: 0, canonical.Operator: 0, canonical.Admin: 1} {
		if got := names(t, role(t, "acme", r), b); len(got) != want {
			t.Errorf("%s sees %v", r, got)
		}
	}
}
