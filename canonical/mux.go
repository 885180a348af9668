package canonical

import "context"

// Mux is a Cloud made of one function for each operation. The zero value performs
// nothing.
type Mux struct {
	handlers map[*Spec]handler
	// Next performs and declares what no function was registered for; nil: that is
	// unsupported.
	Next Cloud
}

type handler struct {
	do      func(context.Context, any) (Reply, error)
	support func(context.Context) Support
}

var _ Cloud = (*Mux)(nil)

// Handle registers h as what performs op on m. Register before the first Do.
func Handle[Req, Res any](m *Mux, op Op[Req, Res], h func(context.Context, Req) (TypedReply[Res], error)) {
	HandleIf(m, op, func(context.Context) Support { return Support{Level: Native} }, h)
}

// HandleIf is Handle for an operation that is offered only at times, or not as the
// cloud's own: support says so.
func HandleIf[Req, Res any](m *Mux, op Op[Req, Res], support func(context.Context) Support,
	h func(context.Context, Req) (TypedReply[Res], error),
) {
	if m.handlers == nil {
		m.handlers = make(map[*Spec]handler)
	}
	m.handlers[op.spec] = handler{
		support: support,
		do: func(ctx context.Context, req any) (Reply, error) {
			r, ok := req.(Req)
			if !ok {
				return Reply{}, Errorf(Internal, "%s takes %T, not %T", op.spec.Name, r, req)
			}
			out, err := h(ctx, r)
			if err != nil {
				return Reply{}, err
			}
			return Reply{Result: out.Result, Task: out.Task, AsOf: out.AsOf}, nil
		},
	}
}

// Do implements Cloud.
func (m *Mux) Do(ctx context.Context, call Call) (Reply, error) {
	h, ok := m.handlers[call.Op]
	switch {
	case ok:
		if s := h.support(ctx); s.Level == No {
			return Reply{}, Errorf(Unsupported, "%s", s.Reason)
		}
		return h.do(ctx, call.Request)
	case m.Next != nil:
		return m.Next.Do(ctx, call)
	default:
		return Reply{}, Errorf(Unsupported, "%s is not offered here", call.Op.Name)
	}
}

// Support implements Cloud.
func (m *Mux) Support(ctx context.Context, op *Spec) Support {
	h, ok := m.handlers[op]
	switch {
	case ok:
		return h.support(ctx)
	case m.Next != nil:
		return m.Next.Support(ctx, op)
	default:
		return Unsupportedf("%s is not offered here", op.Name)
	}
}
