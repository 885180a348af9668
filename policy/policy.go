// Package policy decides who asks and what they may: it knows keys by their sealed
// secrets, holds the one table of roles, and performs the operations on tenants and
// keys. It reaches no cloud; it stands before the one that does.
//
// # Seals
//
// A secret is 256 random bits, so nobody guesses it from its hash however fast the
// hash is made: SHA-256 suffices, and costs microseconds on each request where a
// password hash would cost tens of milliseconds. The hash is sealed in the store's
// box, which keeps a stolen database from being used to try anything; unlike an HMAC
// it can be sealed anew with another key without the secret.
package policy

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// remembered is how long a key counts without asking the store again: so long may
// one that another process revoked still work.
const remembered = 5 * time.Second

// mostRemembered bounds the memory that keys take.
const mostRemembered = 10_000

// Options are what a Policy is made with.
type Options struct {
	Box          *store.Box // seals the secrets of keys
	BootstrapKey string     // <id>.<secret> of an admin, "" for none
	Clock        func() time.Time
}

// Policy authenticates callers and authorises calls. It is safe for concurrent use.
type Policy struct {
	store *store.Store
	box   *store.Box
	now   func() time.Time

	mu    sync.Mutex
	known map[string]session // by the hash of the bearer text, so that memory holds no secrets
}

type session struct {
	caller canonical.Caller
	until  time.Time
}

// New makes a Policy, and the bootstrap key with a tenant of its own where one is
// given. A bootstrap key whose id is stored already gets the secret given now.
func New(ctx context.Context, s *store.Store, o Options) (*Policy, error) {
	if o.Box == nil {
		return nil, errors.New("policy: Options.Box is missing")
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	p := &Policy{store: s, box: o.Box, now: o.Clock, known: make(map[string]session)}
	if o.BootstrapKey != "" {
		if err := p.bootstrap(ctx, o.BootstrapKey); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Authenticate finds who holds a bearer text, <id>.<secret>. Whatever is wrong with
// it, the answer is the same Unauthenticated.
func (p *Policy) Authenticate(ctx context.Context, bearer string) (canonical.Caller, error) {
	id, secret, ok := strings.Cut(bearer, ".")
	if !ok || id == "" || secret == "" {
		return canonical.Caller{}, unauthenticated()
	}
	memo := string(hash(bearer))
	if c, ok := p.recall(memo); ok {
		return c, nil
	}
	k, err := p.store.Key(ctx, canonical.ID(id))
	switch {
	case canonical.CodeOf(err) == canonical.NotFound, canonical.CodeOf(err) == canonical.InvalidRequest:
		return canonical.Caller{}, unauthenticated()
	case err != nil:
		return canonical.Caller{}, err
	case !p.fits(secret, k):
		return canonical.Caller{}, unauthenticated()
	}
	return p.callerOf(memo, k)
}

func unauthenticated() error {
	return canonical.Errorf(canonical.Unauthenticated, "the key is missing, malformed, unknown or revoked")
}

func (p *Policy) recall(memo string) (canonical.Caller, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.known[memo]
	return s.caller, ok && p.now().Before(s.until)
}

// callerOf is who holds a key, and remembers it; one that has expired is no key.
func (p *Policy) callerOf(memo string, k store.Key) (canonical.Caller, error) {
	until := p.now().Add(remembered)
	if k.ExpiresAt != nil {
		if !p.now().Before(*k.ExpiresAt) {
			return canonical.Caller{}, unauthenticated()
		}
		if k.ExpiresAt.Before(until) {
			until = *k.ExpiresAt
		}
	}
	c := canonical.Caller{Tenant: k.Tenant, Key: string(k.ID), Parent: string(k.Parent), Role: k.Role}
	p.remember(memo, session{c, until})
	return c, nil
}

func (p *Policy) remember(memo string, s session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= mostRemembered {
		clear(p.known)
	}
	p.known[memo] = s
}

// forget asks the store again about a key and what was made of it.
func (p *Policy) forget(key canonical.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for memo, s := range p.known {
		if s.caller.Key == string(key) || s.caller.Parent == string(key) {
			delete(p.known, memo)
		}
	}
}

// Lookup finds the caller of a key that was authenticated before and is known by
// its id alone, as in a token of a facade; Unauthenticated where it was revoked.
func (p *Policy) Lookup(ctx context.Context, keyID string) (canonical.Caller, error) {
	memo := "id " + keyID
	if c, ok := p.recall(memo); ok {
		return c, nil
	}
	k, err := p.store.Key(ctx, canonical.ID(keyID))
	switch {
	case canonical.CodeOf(err) == canonical.NotFound, canonical.CodeOf(err) == canonical.InvalidRequest:
		return canonical.Caller{}, unauthenticated()
	case err != nil:
		return canonical.Caller{}, err
	}
	return p.callerOf(memo, k)
}
