// Package broker makes one Cloud of many: it finds the cloud that an id or a
// request belongs to, asks many at once and merges their lists, resolves names,
// keeps tenants apart on shared clouds, and follows long work to its end.
//
// It does not authenticate or authorise (policy), caches nothing (cache), and knows
// clouds by their port alone.
package broker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// Member is one cloud behind the broker.
type Member struct {
	Name    string // before the colon of ids; never changes
	Dialect string
	Region  string
	Labels  map[string]string
	Timeout time.Duration // of each call, retries included; 0: 20 s
	// Open gives the tenant's account on the cloud, with native ids. It is asked on
	// every call and so answers from memory.
	Open func(tenant string) (Account, error)
	// Watch calls f for every server that changes, with native ids; nil: the member
	// tells nothing by itself.
	Watch func(f func(canonical.Server))
	// Poll is how often a member that tells nothing by itself is asked which servers have
	// changed, each account of it; 0: never.
	Poll time.Duration
	// Tenants are those that have accounts of their own; they are asked for Poll alone.
	Tenants []string
}

// Account is what a tenant reaches a cloud by.
type Account struct {
	Cloud canonical.Cloud // nil: the tenant has no account there
	// Shared says that it is an account of several tenants: ownership rows keep them
	// apart.
	Shared bool
}

// Options are what a Broker is made with.
type Options struct {
	Members []Member
	Store   *store.Store
	Log     *slog.Logger
	// OperationDeadline is how long an operation may take; 0: 1 h.
	OperationDeadline time.Duration
	// PollFirst and PollMost are the pauses between questions about long work, the
	// first and the longest; 0: 100 ms and 5 s.
	PollFirst, PollMost time.Duration
	// SettleFor is how long after a create whose answer was lost the cloud may still
	// come up with what it made; 0: three times the member's Timeout.
	SettleFor time.Duration
}

// Broker is the Cloud of all members. It is safe for concurrent use.
type Broker struct {
	canonical.Mux
	Options
	stop  context.CancelFunc
	ctx   context.Context //nolint:containedctx // the life of the followers, ended by Close
	wg    sync.WaitGroup
	owner string       // names this process in the leases of operations
	ahead atomic.Int64 // nanoseconds by which the store's clock is ahead of ours
	mark  string       // key of the mark of servers

	projects sync.Map // account -> canonical.Project

	mu        sync.Mutex
	followers map[account]*follower
	asking    map[canonical.ID]bool // operations whose calls are under way
	news      chan struct{}         // closed, and made anew, when an event has happened
}

var _ canonical.Cloud = (*Broker)(nil)

// New makes a Broker, which also follows the operations that other brokers on its
// store have left. Close ends it.
func New(o Options) (*Broker, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.OperationDeadline = orElse(o.OperationDeadline, time.Hour)
	o.PollFirst, o.PollMost = orElse(o.PollFirst, 100*time.Millisecond), orElse(o.PollMost, 5*time.Second)
	seen := make(map[string]bool)
	for _, m := range o.Members {
		if m.Name == "" || strings.Contains(m.Name, ":") || seen[m.Name] || m.Open == nil {
			return nil, fmt.Errorf("broker: member %q is not named, named twice, or cannot be opened", m.Name)
		}
		seen[m.Name] = true
	}
	if o.Store == nil {
		return nil, errors.New("broker: a store is needed")
	}
	b := &Broker{Options: o, owner: rand.Text(), followers: make(map[account]*follower), asking: make(map[canonical.ID]bool), news: make(chan struct{})}
	b.ctx, b.stop = context.WithCancel(context.Background())
	instance, err := b.Store.Instance(b.ctx)
	if err != nil {
		return nil, err
	}
	b.mark = canonical.Mark(instance)
	if err := b.setClock(b.ctx); err != nil {
		return nil, err
	}
	b.Next = &router{b}
	canonical.Handle(&b.Mux, canonical.ListClouds, b.listClouds)
	canonical.Handle(&b.Mux, canonical.GetCloud, b.getCloud)
	canonical.Handle(&b.Mux, canonical.ListOperations, b.listOperations)
	canonical.Handle(&b.Mux, canonical.GetOperation, b.getOperation)
	canonical.Handle(&b.Mux, canonical.CancelOperation, b.cancelOperation)
	canonical.Handle(&b.Mux, canonical.ListEvents, b.listEvents)
	if err := b.takeOver(b.ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.wg.Go(func() { b.keep(b.ctx) })
	b.watch()
	return b, nil
}

// Close waits for the calls that are under way, ends the following, and leaves the
// operations to the next broker on the store.
func (b *Broker) Close() error {
	b.mu.Lock()
	b.stop()
	b.mu.Unlock()
	b.wg.Wait()
	return b.Store.ReleaseOperations(context.Background(), b.owner)
}

// goes runs the call of an operation as part of the broker's life; false: that is over.
func (b *Broker) goes(id canonical.ID, call func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return false
	}
	b.asking[id] = true
	b.wg.Go(func() {
		call()
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.asking, id)
	})
	return true
}

// Now is the time of the store, by which the processes that share it agree when an
// operation was begun and when its time is over. Between two readings of the store's
// clock it goes on by our own.
func (b *Broker) Now() time.Time { return time.Now().UTC().Add(time.Duration(b.ahead.Load())) }

// setClock reads the store's clock.
func (b *Broker) setClock(ctx context.Context) error {
	now, err := b.Store.Clock(ctx)
	if err == nil {
		b.ahead.Store(int64(time.Until(now)))
	}
	return err
}

func orElse(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

// view is one member as one caller sees it; its cloud's ids are qualified.
type view struct {
	b       *Broker
	m       Member
	cloud   canonical.Cloud
	shared  bool   // the account is of several tenants
	account string // the tenant whose account it is; "": of several
	tenant  string // who owns what is made
	only    string // whose things are seen; "": by role
	role    canonical.Role
}

// views are the members that a call may reach, by configured order.
func (b *Broker) views(ctx context.Context) ([]*view, error) {
	o := canonical.OptionsOf(ctx)
	for _, name := range o.Clouds {
		if !slices.ContainsFunc(b.Members, func(m Member) bool { return m.Name == name }) {
			return nil, canonical.Invalid("cloud", "there is no cloud %q", name)
		}
	}
	var out []*view
	for _, m := range b.Members {
		if len(o.Clouds) > 0 && !slices.Contains(o.Clouds, m.Name) {
			continue
		}
		v, err := b.view(ctx, m)
		if err != nil {
			return nil, err
		}
		if v != nil {
			out = append(out, v)
		}
	}
	return out, nil
}

// view is nil where the tenant has no account.
func (b *Broker) view(ctx context.Context, m Member) (*view, error) {
	c, o := canonical.CallerOf(ctx), canonical.OptionsOf(ctx)
	v := &view{b: b, m: m, tenant: c.Tenant, only: c.Tenant, role: c.Role}
	if c.Role.AtLeast(canonical.Operator) {
		v.only = o.Tenant
		if o.Tenant != "" {
			v.tenant = o.Tenant
		}
	}
	a, err := m.Open(v.tenant)
	if err != nil {
		a.Cloud = closed{err}
	}
	if a.Cloud == nil {
		return nil, nil //nolint:nilnil // no account is an answer, not a failure
	}
	v.cloud, v.shared = canonical.Qualify(m.Name, projects{a.Cloud, v}), a.Shared
	if !a.Shared {
		v.account = v.tenant
	}
	return v, nil
}

// closed is a cloud whose account could not be opened: it fails alone, and lists of
// the others go on.
type closed struct{ err error }

// Do implements canonical.Cloud.
func (c closed) Do(context.Context, canonical.Call) (canonical.Reply, error) {
	return canonical.Reply{}, c.err
}

// Support implements canonical.Cloud: what it offers shows when it opens.
func (c closed) Support(context.Context, *canonical.Spec) canonical.Support {
	return canonical.Support{Level: canonical.Emulated, Reason: "the account cannot be opened now"}
}

// Health implements canonical.Healther.
func (c closed) Health() canonical.Health {
	return canonical.Health{
		Status: canonical.CloudDown, Breaker: "closed", Versions: map[string]string{}, Detail: canonical.AsError(c.err).Detail,
	}
}

// deadline bounds one call to the member.
func (v *view) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, v.timeout())
}

func (v *view) timeout() time.Duration { return orElse(v.m.Timeout, 20*time.Second) }

// settled says whether nothing more is to be expected of a create.
func (v *view) settled(o store.Operation) bool {
	return v.b.Now().Sub(o.CreatedAt) > v.grace()
}

// grace is how long after a create that was not answered its servers may turn up.
func (v *view) grace() time.Duration { return orElse(v.b.SettleFor, 3*v.timeout()) }

// call performs one operation on the member in time.
func (v *view) call(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	if call.Op.Streams {
		return canonical.Do(ctx, v.cloud, call) // its bytes take what they take
	}
	ctx, cancel := v.deadline(ctx)
	defer cancel()
	return canonical.Do(ctx, v.cloud, call)
}
