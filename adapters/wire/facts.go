package wire

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// facts remembers for a while what rows needed to know: zones, networks and
// flavors change seldom, and creates ask for them each time. What a need wants
// fresh is never remembered.
type facts struct {
	keep time.Duration
	now  func() time.Time

	mu    sync.Mutex
	known map[string]fact
}

type fact struct {
	result any
	until  time.Time
}

// maxFacts bounds the memory; beyond it all are forgotten.
const maxFacts = 1000

// ask asks c; where the answer need not be fresh, a remembered one does.
func (f *facts) ask(ctx context.Context, c canonical.Cloud, call canonical.Call, fresh bool) (any, error) {
	key := fmt.Sprintf("%s %+v", call.Op.Name, call.Request)
	if res, ok := f.lookUp(key); ok && !fresh {
		return res, nil
	}
	opts := canonical.OptionsOf(ctx)
	opts.Native = true // what a row needs to know may be the dialect's own (a network's VPC)
	reply, err := canonical.Do(canonical.WithOptions(ctx, opts), c, call)
	if err == nil && !fresh {
		f.remember(key, reply.Result)
	}
	return reply.Result, err
}

func (f *facts) remember(key string, result any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil || len(f.known) >= maxFacts {
		f.known = make(map[string]fact)
	}
	f.known[key] = fact{result, f.now().Add(f.keep)}
}

// forget forgets all: something was made or deleted that rows may name.
func (f *facts) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known = nil
}

func (f *facts) lookUp(key string) (any, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	got, ok := f.known[key]
	return got.result, ok && f.now().Before(got.until)
}
