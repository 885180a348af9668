package cloudtest

import (
	"context"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// unknown is an id that no cloud has.
const unknown canonical.ID = "00000000-dead-4bad-8bad-000000000000"

// promptly is how soon a call ends whose context has ended.
const promptly = 5 * time.Second

func testCancellation(k *check) {
	k.needs(canonical.ListServers.Spec())
	canceled, cancel := context.WithCancel(k.ctx)
	cancel()
	expired, done := context.WithDeadline(k.ctx, time.Now().Add(-time.Second))
	defer done()
	for want, ctx := range map[canonical.Code]context.Context{canonical.Canceled: canceled, canonical.Timeout: expired} {
		began := time.Now()
		_, err := canonical.ListServers.Do(ctx, k.cloud, canonical.ServerList{})
		k.code("a call whose context has ended", err, want)
		if took := time.Since(began); took > promptly {
			k.errorf("a call whose context has ended took %s", took)
		}
	}
}

func testUnknown(k *check) {
	for what, attempt := range map[*canonical.Spec]func() error{
		canonical.GetServer.Spec():    func() error { return try(k, canonical.GetServer, canonical.ServerGet{ID: unknown}) },
		canonical.DeleteServer.Spec(): func() error { return try(k, canonical.DeleteServer, canonical.ServerDelete{ID: unknown}) },
		canonical.StartServer.Spec():  func() error { return try(k, canonical.StartServer, canonical.ServerStart{ID: unknown}) },
		canonical.StopServer.Spec():   func() error { return try(k, canonical.StopServer, canonical.ServerStop{ID: unknown}) },
		canonical.RebootServer.Spec(): func() error { return try(k, canonical.RebootServer, canonical.ServerReboot{ID: unknown}) },
		canonical.UpdateServer.Spec(): func() error {
			return try(k, canonical.UpdateServer, canonical.ServerUpdate{ID: unknown, Name: canonical.Some("x")})
		},
		canonical.GetKeypair.Spec():    func() error { return try(k, canonical.GetKeypair, canonical.KeypairGet{ID: unknown}) },
		canonical.DeleteKeypair.Spec(): func() error { return try(k, canonical.DeleteKeypair, canonical.KeypairDelete{ID: unknown}) },
	} {
		if k.cloud.Support(k.ctx, what).Level != canonical.No {
			k.code(what.Name+" of an unknown id", attempt(), canonical.NotFound)
		}
	}
}

func testInvalid(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.ListServers.Spec())
	for what, change := range map[string]func(*canonical.ServerCreate){
		"no name":             func(r *canonical.ServerCreate) { r.Name = "" },
		"no flavor":           func(r *canonical.ServerCreate) { r.Flavor = "" },
		"no image":            func(r *canonical.ServerCreate) { r.Image = "" },
		"an unknown flavor":   func(r *canonical.ServerCreate) { r.Flavor = canonical.Ref(unknown) },
		"an unknown image":    func(r *canonical.ServerCreate) { r.Image = canonical.Ref(unknown) },
		"an unknown network":  func(r *canonical.ServerCreate) { r.Networks.List[0].Network = canonical.Ref(unknown) },
		"an unknown keypair":  func(r *canonical.ServerCreate) { r.Keypair = k.name("none") },
		"too many":            func(r *canonical.ServerCreate) { r.Count = 101 },
		"broken user data":    func(r *canonical.ServerCreate) { r.UserData = "%" },
		"an IP that is no IP": func(r *canonical.ServerCreate) { r.Networks.List[0].IP = "nowhere" },
	} {
		r := k.request(k.name("invalid"))
		change(&r)
		made, err := canonical.CreateServer.Do(k.ctx, k.cloud, r)
		for _, s := range made.Result.Servers {
			k.undo = append(k.undo, func() { k.deleteAll([]canonical.ID{s.ID}) })
		}
		k.code("a create with "+what, err, canonical.InvalidRequest)
	}
	list := canonical.ServerList{ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit + 1}}
	k.code("a limit over the most", try(k, canonical.ListServers, list), canonical.InvalidRequest)
	k.code("a status that is none", try(k, canonical.ListServers, canonical.ServerList{Status: "odd"}), canonical.InvalidRequest)
}
