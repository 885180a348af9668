package broker

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// Pauses of the keeping of leases. A process that was killed is noticed after a Lease
// and one takeOver at most.
const (
	renewEvery    = store.Lease / 4
	takeOverEvery = store.Lease / 3
	forgetEvery   = time.Hour
)

// keep renews the leases of what this process has, takes over what others have left,
// and forgets old events and operations.
func (b *Broker) keep(ctx context.Context) {
	renew, take, forget := time.NewTicker(renewEvery), time.NewTicker(takeOverEvery), time.NewTicker(forgetEvery)
	defer renew.Stop()
	defer take.Stop()
	defer forget.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-renew.C:
			b.report("renew leases", b.Store.RenewOperations(ctx, b.owner, b.atWork()))
		case <-take.C:
			b.report("read the store's clock", b.setClock(ctx))
			b.report("take over operations", b.takeOver(ctx))
		case <-forget.C:
			b.report("forget events", b.Store.ForgetEvents(ctx))
			b.report("forget operations", b.Store.ForgetOperations(ctx))
			b.report("forget the owners of what is gone", b.Store.ForgetBuried(ctx))
		}
	}
}

func (b *Broker) report(what string, err error) {
	if err != nil && b.ctx.Err() == nil {
		b.Log.Error("broker: cannot "+what, "error", err)
	}
}

// atWork are the operations that somebody here works on.
func (b *Broker) atWork() []canonical.ID {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := slices.Collect(maps.Keys(b.asking))
	for _, f := range b.followers {
		ids = slices.AppendSeq(ids, maps.Keys(f.work))
	}
	return ids
}

// takeOver follows what other processes left.
func (b *Broker) takeOver(ctx context.Context) error {
	all, err := b.Store.TakeOperations(ctx, b.owner)
	if err != nil {
		return err
	}
	for _, o := range all {
		v, err := b.viewOf(o)
		switch {
		case err == nil && v != nil:
			v.follow(o)
		case err == nil:
			gone := &view{b: b, m: Member{Name: o.Cloud}}
			gone.end(ctx, o, canonical.OperationFailed, nil,
				canonical.Errorf(canonical.Unavailable, "cloud %s is not configured any more", o.Cloud))
		default:
			return err
		}
	}
	return nil
}

// viewOf is the account that an operation was begun with; nil: it is not there any
// more.
func (b *Broker) viewOf(o store.Operation) (*view, error) {
	i := slices.IndexFunc(b.Members, func(m Member) bool { return m.Name == o.Cloud })
	if i < 0 {
		return nil, nil //nolint:nilnil // a cloud that the configuration lost is no failure here
	}
	return b.view(canonical.WithCaller(b.ctx, canonical.Caller{Tenant: o.Tenant, Role: canonical.Member}), b.Members[i])
}
