package nova

import (
	"context"
	"sync"
	"time"
)

// keeper holds the login that all calls of an account share. Whoever finds it
// missing or worn out starts a renewal; who comes meanwhile waits for the same one.
type keeper struct {
	renew func(context.Context) (*login, error)
	limit time.Duration // of one renewal

	mu      sync.Mutex
	current *login
	failed  error     // of the last renewal
	since   time.Time // with failed: of the first that failed
	pending *renewal
}

type renewal struct {
	done  chan struct{} // closed when login and err are set
	login *login
	err   error
}

// margin is how long before its end a token counts as worn out: a call must not
// begin with a token that ends under way.
const margin = 30 * time.Second

// get is a good login. One that has the token worn is not good.
func (k *keeper) get(ctx context.Context, worn string) (*login, error) {
	k.mu.Lock()
	if l := k.current; l != nil && l.token != worn && (l.expires.IsZero() || time.Until(l.expires) > margin) {
		k.mu.Unlock()
		return l, nil
	}
	if k.pending == nil {
		k.pending = &renewal{done: make(chan struct{})}
		go k.run(context.WithoutCancel(ctx), k.pending)
	}
	p := k.pending
	k.mu.Unlock()
	select {
	case <-p.done:
		return p.login, p.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run is one renewal. It serves all that wait, so the end of the first one's
// context does not end it; its own limit does.
func (k *keeper) run(ctx context.Context, r *renewal) {
	ctx, cancel := context.WithTimeout(ctx, k.limit)
	defer cancel()
	r.login, r.err = k.renew(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case r.err == nil:
		k.current = r.login
	case k.failed == nil:
		k.since = time.Now()
	}
	k.failed, k.pending = r.err, nil
	close(r.done)
}

// state is the last login, even if it is worn out, and why renewals fail, if they do,
// and since when.
func (k *keeper) state() (last *login, since time.Time, failed error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current, k.since, k.failed
}
