package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/config"
	"github.com/dragoman-cloud/dragoman/gateway"
	"github.com/dragoman-cloud/dragoman/gateway/facade"
	"github.com/dragoman-cloud/dragoman/gateway/openstack"
	"github.com/dragoman-cloud/dragoman/policy"
	"github.com/dragoman-cloud/dragoman/store"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/easystack"
	"github.com/dragoman-cloud/dragoman/translate/nova"
)

// stack is a whole dragoman, from its store to its HTTP front.
type stack struct {
	store   *store.Store
	clouds  *clouds
	broker  *broker.Broker
	policy  *policy.Policy
	handler http.Handler
}

// newStack builds everything from a configuration, lowest layer first:
//
//	store -> clouds -> broker -> policy -> gateway and facades
//
// Policy stands before the broker, so that nothing is asked of a cloud for a caller
// who may not; the gateway and the facades stand before both, and see one Cloud.
func newStack(ctx context.Context, c *config.Config, log *slog.Logger) (s *stack, err error) {
	keys, err := secretOf(c)
	if err != nil {
		return nil, err
	}
	s = &stack{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	box, err := keys.box()
	if err != nil {
		return s, err
	}
	if s.store, err = openStore(ctx, c, box); err != nil {
		return s, err
	}
	if s.clouds, err = openClouds(c, nativeMembers(ctx, c, s.store, box), log); err != nil {
		return s, err
	}
	if s.policy, err = newPolicy(ctx, s.store, c, box); err != nil {
		return s, err
	}
	s.broker, err = broker.New(broker.Options{Members: s.clouds.members, Store: s.store, Log: log})
	if err != nil {
		return s, err
	}
	guarded := s.policy.Wrap(s.broker)
	mounts := map[string]http.Handler{}
	if table := openStackTable(c); table != nil {
		mounts = openstack.Mounts(openstack.Options{
			Table: table, Cloud: guarded, Authenticate: s.policy.Authenticate, Lookup: s.policy.Lookup, Tenants: s.policy.Tenants,
			Revoke: s.store.RevokeToken, Revoked: s.store.TokenRevoked, Secrets: keys.derive("keystone"), PublicURL: c.PublicURL, Log: log,
			IDs: &facade.IDs{Clouds: s.clouds.known, Zones: len(s.clouds.members) > 1},
		})
	}
	g, err := gateway.New(gateway.Options{
		Cloud: guarded, Authenticate: s.policy.Authenticate, CursorKeys: keys.derive("cursors"),
		Store: s.store, Box: box, Now: s.broker.Now,
		Ready: func(ctx context.Context) error { return s.store.CheckKey(ctx, box) }, Mounts: mounts, Log: log, Version: version,
	})
	if err != nil {
		return s, err
	}
	s.handler = g.Handler()
	return s, nil
}

// openStackTable is the table of the OpenStack facade: Nova's own, or that of a dialect
// made of it, which stands in its place; nil where none is served.
func openStackTable(c *config.Config) *translate.Table {
	for _, f := range c.Facades {
		if f.Dialect == easystack.Dialect {
			return easystack.Table()
		}
	}
	if serves(c, "nova") {
		return nova.Table()
	}
	return nil
}

// openStore opens the store of a configuration, and makes sure of its key.
func openStore(ctx context.Context, c *config.Config, box *store.Box) (*store.Store, error) {
	st, err := store.Open(ctx, c.Store)
	if err != nil {
		return nil, err
	}
	if err := st.ProveKey(ctx, box); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return st, nil
}

// newPolicy is the policy over the store, with the tenants that the file declares.
func newPolicy(ctx context.Context, st *store.Store, c *config.Config, box *store.Box) (*policy.Policy, error) {
	p, err := policy.New(ctx, st, policy.Options{Box: box, BootstrapKey: c.BootstrapKey.Reveal()})
	if err != nil {
		return nil, err
	}
	for _, t := range c.Tenants {
		if err := p.EnsureTenant(ctx, t.Name); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// close ends the work of what was built, top layer first.
func (s *stack) close() error {
	var errs []error
	if s.broker != nil {
		errs = append(errs, s.broker.Close())
	}
	if s.clouds != nil {
		s.clouds.close()
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	return errors.Join(errs...)
}
