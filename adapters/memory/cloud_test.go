package memory_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/canonical/cloudtest"
)

// conform runs the suite on a cloud of o, in which work can be made to fail.
func conform(t *testing.T, o memory.Options, pause func(time.Duration)) {
	t.Helper()
	var failing atomic.Bool
	o.Outcome = func(*canonical.Spec, canonical.Server) *canonical.Fault {
		if failing.Load() {
			return &canonical.Fault{Code: 500, Message: "injected"}
		}
		return nil
	}
	c := memory.New(o)
	cloudtest.Run(t, cloudtest.Harness{
		Open:  func(*testing.T) canonical.Cloud { return canonical.Qualify("mem", c) },
		First: time.Millisecond, Pause: pause,
		Enter: map[string]cloudtest.Way{
			"error": func(ctx context.Context, id canonical.ID) (func(context.Context) error, error) {
				failing.Store(true)
				defer failing.Store(false)
				_, native := id.Split()
				r, err := canonical.RebootServer.Do(ctx, c, canonical.ServerReboot{ID: canonical.ID(native)})
				for r.Task != nil && err == nil {
					var p canonical.Progress
					if p, err = r.Task.Check(ctx, c); p.Verdict == canonical.TaskFailed {
						break
					}
					if pause != nil {
						pause(time.Second)
					}
				}
				return nil, err
			},
		},
	})
}

func TestConformance(t *testing.T) {
	t.Run("at once", func(t *testing.T) { conform(t, memory.Options{}, nil) })
	t.Run("fake clock", func(t *testing.T) {
		clock := memory.NewFakeClock(time.Unix(1_800_000_000, 0))
		conform(t, memory.Options{Delay: time.Second, Clock: clock}, func(time.Duration) { clock.Advance(300 * time.Millisecond) })
	})
	t.Run("later", func(t *testing.T) { conform(t, memory.Options{Delay: 3 * time.Millisecond, KeepShelved: true}, nil) })
	t.Run("slow", func(t *testing.T) {
		conform(t, memory.Options{Delay: time.Millisecond, Latency: 300 * time.Microsecond}, nil)
	})
}
