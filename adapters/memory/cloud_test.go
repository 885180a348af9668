package memory_test

import (
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/canonical/cloudtest"
)

func TestConformance(t *testing.T) {
	for name, delay := range map[string]time.Duration{"at once": 0, "later": 3 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			cloudtest.Run(t, cloudtest.Harness{
				Open:  func(*testing.T) canonical.Cloud { return memory.New(memory.Options{Delay: delay}) },
				First: time.Millisecond,
			})
		})
	}
}

func TestConformanceQualified(t *testing.T) {
	cloudtest.Run(t, cloudtest.Harness{
		Open: func(*testing.T) canonical.Cloud {
			return canonical.Qualify("mem", memory.New(memory.Options{Delay: time.Millisecond}))
		},
		First: time.Millisecond,
	})
}
