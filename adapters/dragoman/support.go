package dragoman

import (
	"context"
	"sync"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// offersAge is how long what the remote's clouds offer is remembered.
const offersAge = time.Minute

// offers is what the remote's clouds offered when they were last asked.
type offers struct {
	mu     sync.Mutex
	clouds []canonical.CloudInfo
	asked  time.Time
}

// Support implements canonical.Cloud: an operation is offered as well as by the best
// of the remote's clouds. What dragomans do themselves, no cloud has a part in.
// It is taken to do what it could not be asked about, for the call itself then tells.
func (c *Cloud) Support(ctx context.Context, op *canonical.Spec) canonical.Support {
	switch op.Resource() {
	case "tenant", "api_key", "application_credential", "cloud", "operation", "event":
		return canonical.Support{Level: canonical.Native}
	}
	best := canonical.Support{}
	for _, info := range c.clouds(ctx) {
		s, ok := info.Capabilities[op.Name]
		if ok && rank(s.Level) > rank(best.Level) {
			best = s
		}
	}
	if best.Level == canonical.Undeclared {
		return canonical.Support{Level: canonical.Native}
	}
	return best
}

func rank(l canonical.Level) int {
	switch l {
	case canonical.Native:
		return 3
	case canonical.Emulated:
		return 2
	case canonical.No:
		return 1
	case canonical.Undeclared:
	}
	return 0
}

// clouds are the remote's clouds, asked for at most once in offersAge.
func (c *Cloud) clouds(ctx context.Context) []canonical.CloudInfo {
	o := &c.offers
	o.mu.Lock()
	known, asked := o.clouds, o.asked
	o.mu.Unlock()
	if time.Since(asked) < offersAge {
		return known
	}
	r, err := canonical.ListClouds.Do(canonical.WithOptions(ctx, canonical.Options{}), c,
		canonical.CloudList{ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit}})
	if err != nil {
		return known
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clouds, o.asked = r.Result.Items, time.Now()
	return o.clouds
}
