package canonical

import "context"

// Role is what a key may do; each role may all that the ones before it may.
type Role string

// The roles, least first.
const (
	Reader   Role = "reader"   // reads
	Member   Role = "member"   // writes its tenant's things
	Operator Role = "operator" // acts on hosts and on every tenant's servers
	Admin    Role = "admin"    // manages tenants, keys and clouds
)

// AtLeast says whether r may all that other may. An unknown role may nothing.
func (r Role) AtLeast(other Role) bool { return r.rank() >= other.rank() && r.rank() > 0 }

func (r Role) rank() int {
	switch r {
	case Reader:
		return 1
	case Member:
		return 2
	case Operator:
		return 3
	case Admin:
		return 4
	default:
		return 0
	}
}

// Caller is who asks, as authentication found.
type Caller struct {
	Tenant string // name of the tenant
	Key    string // id of the key
	Parent string // id of the key that this one, an application credential, was made of; else ""
	Role   Role
}

// Options are what every operation understands beside its own request.
type Options struct {
	Clouds []string // only these clouds; on a create: the placement; empty: all
	Tenant string   // operators and admins: only this tenant's things
	Fresh  bool     // ask the clouds, not a cache
	Native bool     // fill the native field of results
	// Dialect is of the facade that heard the request: what it put into native is for
	// clouds of that dialect, and advisory elsewhere. "" is the canonical API.
	Dialect   string
	RequestID string // of the request that caused the call
	Trace     string // traceparent (W3C Trace Context) for calls to clouds; "": there is none
	// IdempotencyKey makes a create repeatable; "" is none.
	IdempotencyKey string
	// Repeat is the gateway's own name of a request with an IdempotencyKey: what the
	// request begins is found by it when the process dies. It leaves the process in nothing.
	Repeat string
}

type callerKey struct{}

type optionsKey struct{}

// WithCaller returns a context whose calls are made for c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf is for whom calls of ctx are made; the zero Caller may nothing.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// WithOptions returns a context whose calls have these options.
func WithOptions(ctx context.Context, o Options) context.Context {
	return context.WithValue(ctx, optionsKey{}, o)
}

// OptionsOf are the options of calls of ctx.
func OptionsOf(ctx context.Context) Options {
	o, _ := ctx.Value(optionsKey{}).(Options)
	return o
}
