package dragoman_test

import (
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/dragoman"
	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/canonical/cloudtest"
	"github.com/dragoman-cloud/dragoman/gateway/gatewaytest"
)

// over is a client of a whole dragoman over that cloud.
func over(t *testing.T, c canonical.Cloud, nested bool) canonical.Cloud {
	t.Helper()
	s := gatewaytest.New(t, gatewaytest.Share("mem", c))
	r, err := dragoman.New(dragoman.Options{Endpoint: s.Serve(), Key: s.Key("acme", canonical.Member), Nested: nested})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func TestConformance(t *testing.T) {
	for name, open := range map[string]func(*testing.T) canonical.Cloud{
		"at once": func(t *testing.T) canonical.Cloud { return over(t, memory.New(memory.Options{}), false) },
		"later": func(t *testing.T) canonical.Cloud {
			return over(t, memory.New(memory.Options{Delay: 5 * time.Millisecond}), false)
		},
		"cascade": func(t *testing.T) canonical.Cloud {
			return over(t, over(t, memory.New(memory.Options{Delay: 5 * time.Millisecond}), true), false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := open(t)
			cloudtest.Run(t, cloudtest.Harness{Open: func(*testing.T) canonical.Cloud { return cloud }, First: time.Millisecond, Most: 50 * time.Millisecond})
		})
	}
}
