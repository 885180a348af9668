package broker

import (
	"context"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

func (b *Broker) mayOperate(ctx context.Context, tenant string) bool {
	c, o := canonical.CallerOf(ctx), canonical.OptionsOf(ctx)
	if c.Role.AtLeast(canonical.Operator) {
		return o.Tenant == "" || o.Tenant == tenant
	}
	return c.Tenant == tenant
}

func (b *Broker) getOperation(ctx context.Context, r canonical.OperationGet) (out canonical.TypedReply[canonical.Operation], err error) {
	o, err := b.Store.Operation(ctx, r.ID)
	if err == nil && !b.mayOperate(ctx, o.Tenant) {
		err = canonical.Errorf(canonical.NotFound, "there is no such operation")
	}
	if err != nil {
		return out, err
	}
	out.Result = o.Operation
	return out, nil
}

func (b *Broker) listOperations(ctx context.Context, r canonical.OperationList) (out canonical.TypedReply[canonical.Page[canonical.Operation]], err error) {
	c, opts := canonical.CallerOf(ctx), canonical.OptionsOf(ctx)
	tenant := c.Tenant
	if c.Role.AtLeast(canonical.Operator) {
		tenant = opts.Tenant
	}
	all, err := b.Store.Operations(ctx, store.OperationFilter{
		Tenant: tenant, Status: r.Status, Operation: r.Operation, Clouds: opts.Clouds, Resource: r.Resource,
	})
	if err != nil {
		return out, err
	}
	out.Result, err = canonical.Arrange(all, r.ListOptions)
	return out, err
}

// cancelOperation ends work that has an undo: the making of servers, which are
// removed again. What else a cloud was asked to do has no end but its own.
func (b *Broker) cancelOperation(ctx context.Context, r canonical.OperationCancel) (out canonical.TypedReply[canonical.Operation], err error) {
	got, err := b.getOperation(ctx, canonical.OperationGet(r))
	switch {
	case err != nil:
		return out, err
	case got.Result.Status.Final():
		return out, canonical.Errorf(canonical.FailedPrecondition, "the operation has ended as %s", got.Result.Status)
	case got.Result.Operation != canonical.CreateServer.Spec().Name:
		return out, canonical.Errorf(canonical.FailedPrecondition, "the cloud is at work, and its present step cannot be ended")
	}
	out.Result, err = b.cancel(ctx, r.ID)
	return out, err
}
