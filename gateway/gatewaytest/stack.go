// Package gatewaytest builds the layers of a dragoman for tests, as cmd/dragoman
// stacks them: gateway before policy before broker, over a store in memory.
package gatewaytest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway"
	"github.com/dragoman-cloud/dragoman/policy"
	"github.com/dragoman-cloud/dragoman/store"
	postgrestest "github.com/dragoman-cloud/dragoman/test/postgres"
)

// Stack is a dragoman that ends with its test.
type Stack struct {
	Handler http.Handler
	Broker  *broker.Broker
	tb      testing.TB
	policy  *policy.Policy
}

// Share is a cloud that all tenants share.
func Share(name string, c canonical.Cloud) broker.Member {
	return broker.Member{Name: name, Dialect: "memory", Open: func(string) (broker.Account, error) {
		return broker.Account{Cloud: c, Shared: true}, nil
	}}
}

// New builds a Stack over these clouds. Its polling is quick.
func New(tb testing.TB, members ...broker.Member) *Stack {
	tb.Helper()
	must := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	key := bytes.Repeat([]byte{7}, 32)
	db, err := store.Open(context.Background(), postgrestest.Store(tb, ":memory:"))
	must(err)
	tb.Cleanup(func() { must(db.Close()) })
	s := &Stack{tb: tb}
	box, err := store.NewBox(key)
	must(err)
	s.policy, err = policy.New(tb.Context(), db, policy.Options{Box: box})
	must(err)
	s.Broker, err = broker.New(broker.Options{Members: members, Store: db, PollFirst: time.Millisecond, PollMost: 20 * time.Millisecond})
	must(err)
	tb.Cleanup(func() { must(s.Broker.Close()) })
	g, err := gateway.New(gateway.Options{
		Cloud: s.policy.Wrap(s.Broker), Authenticate: s.policy.Authenticate, Store: db, Now: s.Broker.Now, CursorKeys: [][]byte{key}, Box: box,
		PollFirst: time.Millisecond, PollMost: 20 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	})
	must(err)
	s.Handler = g.Handler()
	return s
}

// Key is the bearer text of a new key of that tenant, which is made if it is missing.
func (s *Stack) Key(tenant string, role canonical.Role) string {
	s.tb.Helper()
	if err := s.policy.EnsureTenant(s.tb.Context(), tenant); err != nil {
		s.tb.Fatal(err)
	}
	k, err := s.policy.IssueKey(s.tb.Context(), canonical.APIKeyCreate{Tenant: tenant, Role: role})
	if err != nil {
		s.tb.Fatal(err)
	}
	return k.Key
}

// Serve is the URL of the Stack behind a listener with the gateway's own timeouts.
func (s *Stack) Serve() string {
	s.tb.Helper()
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = gateway.NewServer(s.Handler, nil)
	srv.Start()
	s.tb.Cleanup(srv.Close)
	return srv.URL
}
