package cloudtest

import (
	"context"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// promptly is how soon a call ends whose context has ended.
const promptly = 5 * time.Second

// under performs part with another context.
func (k *check) under(ctx context.Context, part func(*check)) {
	own := k.ctx
	k.ctx = ctx
	defer func() { k.ctx = own }()
	part(k)
}

// testCanceledBefore: a call whose context has ended fails at once, and does nothing.
func testCanceledBefore(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.ListServers.Spec())
	canceled, cancel := context.WithCancel(k.ctx)
	cancel()
	expired, done := context.WithDeadline(k.ctx, time.Now().Add(-time.Second))
	defer done()
	req := k.request(k.name("canceled"))
	for want, ctx := range map[canonical.Code]context.Context{canonical.Canceled: canceled, canonical.Timeout: expired} {
		for what, attempt := range map[*canonical.Spec]func() error{
			canonical.ListServers.Spec():   func() error { return try(k, canonical.ListServers, canonical.ServerList{}) },
			canonical.GetServer.Spec():     func() error { return try(k, canonical.GetServer, canonical.ServerGet{ID: unknown}) },
			canonical.ListFlavors.Spec():   func() error { return try(k, canonical.ListFlavors, canonical.FlavorList{}) },
			canonical.StopServer.Spec():    func() error { return try(k, canonical.StopServer, canonical.ServerStop{ID: unknown}) },
			canonical.CreateServer.Spec():  func() error { return try(k, canonical.CreateServer, req) },
			canonical.CreateKeypair.Spec(): func() error { return try(k, canonical.CreateKeypair, canonical.KeypairCreate{Name: req.Name}) },
		} {
			if k.cloud.Support(k.ctx, what).Level == canonical.No {
				continue
			}
			began := time.Now()
			k.under(ctx, func(k *check) { k.code(what.Name+" whose context has ended", attempt(), want) })
			if took := time.Since(began); took > promptly {
				k.errorf("%s whose context has ended took %s", what.Name, took)
			}
		}
	}
	if items := k.named(req.Name); len(items) > 0 {
		k.errorf("a create whose context had ended made %v", idsOf(items))
		k.deleteAll(idsOf(items))
	}
}

// delays are after how long calls are canceled, in the hope to meet them in their
// middle.
func (k *check) delays() []time.Duration {
	if k.h.Costly {
		return []time.Duration{30 * time.Millisecond, 150 * time.Millisecond}
	}
	return []time.Duration{
		10 * time.Microsecond, 50 * time.Microsecond, 200 * time.Microsecond, time.Millisecond, 3 * time.Millisecond, 10 * time.Millisecond,
	}
}

// canceledAfter performs part with a context that is canceled after d.
func (k *check) canceledAfter(d time.Duration, part func(*check)) {
	ctx, cancel := context.WithCancel(k.ctx)
	timer := time.AfterFunc(d, cancel)
	defer func() { timer.Stop(); cancel() }()
	began := time.Now()
	k.under(ctx, part)
	if took := time.Since(began); took > d+promptly {
		k.errorf("a call that was canceled after %s took %s", d, took)
	}
}

// testCanceledReads: a canceled read ends soon, with its answer or as canceled.
func testCanceledReads(k *check) {
	f := k.theFleet()
	for _, d := range k.delays() {
		k.canceledAfter(d, func(k *check) {
			for k.ctx.Err() == nil {
				r, err := canonical.ListServers.Do(k.ctx, k.cloud, canonical.ServerList{NamePrefix: f.prefix})
				if err != nil {
					k.code("a canceled list", err, canonical.Canceled)
				} else if len(r.Result.Items) != fleetSize {
					k.errorf("a canceled list gave %d servers and no error", len(r.Result.Items))
				}
			}
		})
	}
	if got := k.get(f.ids[0]); got.ID != f.ids[0] {
		k.errorf("after canceled calls server.get gave %+v", got)
	}
}

// testCanceledCreate: a create that is canceled in its middle has made its server or
// not; if it has, the server is found by its name, once, and can be deleted.
func testCanceledCreate(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.ListServers.Spec(), canonical.GetServer.Spec(), canonical.DeleteServer.Spec())
	for _, d := range k.delays() {
		r := k.request(k.name("canceled"))
		var err error
		k.canceledAfter(d, func(k *check) { _, err = canonical.CreateServer.Do(k.ctx, k.cloud, r) })
		if err != nil {
			k.code("a canceled create", err, canonical.Canceled)
		}
		k.settles(r.Name, err == nil)
	}
}

// creating says whether the cloud has a create under way; one that keeps operations goes
// on with what it accepted, whoever has left.
func (k *check) creating() bool {
	if k.cloud.Support(k.ctx, canonical.ListOperations.Spec()).Level == canonical.No {
		return false
	}
	for _, status := range []canonical.OperationStatus{canonical.OperationPending, canonical.OperationRunning} {
		r := canonical.OperationList{Status: status, Operation: canonical.CreateServer.Spec().Name}
		if len(do(k, canonical.ListOperations, r).Items) > 0 {
			return true
		}
	}
	return false
}

// settles waits until it is clear whether there is a server of that name: a request
// that was sent may arrive after it was canceled.
func (k *check) settles(name string, must bool) {
	var found []canonical.Server
	for n := 0; ; n++ {
		under := k.creating() // before the look: what ends between is seen by it
		if found = k.named(name); len(found) > 0 || n >= 5 && !under {
			break
		}
		k.pause(k.h.First)
	}
	switch {
	case len(found) > 1:
		k.errorf("a canceled create made %d servers", len(found))
	case len(found) == 0 && must:
		k.errorf("a create was answered and made nothing")
	}
	for _, s := range found {
		if got := k.get(s.ID); got.Name != name {
			k.errorf("the server of a canceled create is named %q, want %q", got.Name, name)
		}
		do(k, canonical.DeleteServer, canonical.ServerDelete{ID: s.ID})
		k.gone(s.ID)
	}
}
