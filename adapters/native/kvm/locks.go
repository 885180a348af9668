package kvm

import (
	"context"
	"sync"
)

// keyLocks are locks by name. The zero value is ready.
type keyLocks struct {
	mu   sync.Mutex
	held map[string]*keyLock
}

type keyLock struct {
	token chan struct{} // taken by who holds it
	users int           // holders and waiters: at 0 it is forgotten
}

// lock waits for the lock of that name until ctx ends.
func (k *keyLocks) lock(ctx context.Context, name string) (unlock func(), err error) {
	l := k.join(name)
	select {
	case l.token <- struct{}{}:
		return func() {
			<-l.token
			k.leave(name, l)
		}, nil
	case <-ctx.Done():
		k.leave(name, l)
		return nil, ctx.Err()
	}
}

func (k *keyLocks) join(name string) *keyLock {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held == nil {
		k.held = map[string]*keyLock{}
	}
	l := k.held[name]
	if l == nil {
		l = &keyLock{token: make(chan struct{}, 1)}
		k.held[name] = l
	}
	l.users++
	return l
}

func (k *keyLocks) leave(name string, l *keyLock) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(k.held, name)
	}
}
