package transport

import (
	"sync"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Health is how the cloud has been within the breaker's window: down while calls are
// refused, degraded while some fail or one is let through to find out. It asks
// nobody.
func (t *Transport) Health() canonical.Health {
	state, _ := t.breaker.status()
	h := canonical.Health{
		Status: t.breaker.health(), Breaker: string(state), Latency: t.meter.status().Latency,
		Versions: map[string]string{},
	}
	if h.Status != canonical.CloudUp {
		h.Detail = t.breaker.lastFault()
	}
	h.Since = t.condition.note(h.Status)
	return h
}

// condition remembers when the health last changed.
type condition struct {
	now func() time.Time

	mu     sync.Mutex
	status canonical.CloudStatus
	since  time.Time
}

// note is when that status was first noticed; zero if there never was another.
func (c *condition) note(status canonical.CloudStatus) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if status != c.status {
		c.status, c.since = status, c.now()
	}
	return c.since
}
