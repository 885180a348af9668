package broker_test

import (
	"context"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/canonical/cloudtest"
)

// TestConformance: many clouds as one are still a Cloud.
func TestConformance(t *testing.T) {
	for name, delay := range map[string]time.Duration{"at once": 0, "later": 3 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			cloudtest.Run(t, cloudtest.Harness{
				Open: func(t *testing.T) canonical.Cloud {
					return open(t, member("mem", memory.New(memory.Options{Delay: delay})))
				},
				Context: func() context.Context {
					return canonical.WithCaller(context.Background(), canonical.Caller{Tenant: "acme", Role: canonical.Member})
				},
				First: time.Millisecond, Most: 20 * time.Millisecond,
			})
		})
	}
}
