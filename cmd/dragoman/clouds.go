package main

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"

	remote "github.com/dragoman-cloud/dragoman/adapters/dragoman"
	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/adapters/nova"
	"github.com/dragoman-cloud/dragoman/adapters/transport"
	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/config"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/easystack"
	novatable "github.com/dragoman-cloud/dragoman/translate/nova"
)

// clouds are the members of the broker, and what ends with them.
type clouds struct {
	members []broker.Member
	closers []func()
}

func (c *clouds) close() {
	for _, end := range c.closers {
		end()
	}
}

// known says whether there is a cloud of that name.
func (c *clouds) known(name string) bool {
	for _, m := range c.members {
		if m.Name == name {
			return true
		}
	}
	return false
}

// openClouds makes every cloud that the file declares; none of them is asked yet.
// native makes those of our own hosts.
func openClouds(c *config.Config, native nativeOpener, log *slog.Logger) (*clouds, error) {
	all := &clouds{}
	for _, cc := range c.Clouds {
		if cc.Dialect == "native" {
			m, end, err := native(cc, log.With("cloud", cc.Name))
			if err != nil {
				all.close()
				return nil, fmt.Errorf("cloud %s: %w", cc.Name, err)
			}
			all.members, all.closers = append(all.members, m), append(all.closers, end)
			continue
		}
		open, err := all.opener(cc, accountsOf(c, cc.Name), log.With("cloud", cc.Name))
		if err != nil {
			all.close()
			return nil, fmt.Errorf("cloud %s: %w", cc.Name, err)
		}
		all.members = append(all.members, broker.Member{
			Name: cc.Name, Dialect: cc.Dialect, Region: cc.Region, Labels: cc.Labels,
			Timeout: cc.Timeout, Open: open, Poll: cc.Polls(), Tenants: slices.Sorted(maps.Keys(accountsOf(c, cc.Name))),
		})
	}
	return all, nil
}

// accountsOf are the tenants' own accounts on a cloud.
func accountsOf(c *config.Config, cloud string) map[string]config.Auth {
	accounts := map[string]config.Auth{}
	for _, t := range c.Tenants {
		if a, ok := t.Accounts[cloud]; ok {
			accounts[t.Name] = a
		}
	}
	return accounts
}

// opener makes the accounts of one cloud and returns how a tenant gets its own.
func (c *clouds) opener(cc config.Cloud, accounts map[string]config.Auth, log *slog.Logger) (func(string) (broker.Account, error), error) {
	var open func(config.Auth) (canonical.Cloud, error)
	switch cc.Dialect {
	case "memory":
		o := memory.Options{Name: cc.Name}
		if cc.Memory != nil {
			o.Delay = cc.Memory.Delay
		}
		m := memory.New(o)
		open = func(config.Auth) (canonical.Cloud, error) { return m, nil }
	case "dragoman":
		open = func(a config.Auth) (canonical.Cloud, error) {
			r, err := remote.New(remote.Options{Endpoint: cc.Endpoint, Key: a.Key.Reveal(), Timeout: cc.Timeout, Nested: true})
			if err != nil {
				return nil, err
			}
			c.closers = append(c.closers, r.Close)
			return r, nil
		}
	case "nova":
		open = c.openStackOpener(cc, novatable.Table, log)
	case "easystack":
		open = c.openStackOpener(cc, easystack.Table, log)
	default:
		return nil, fmt.Errorf("clouds of dialect %q cannot be reached by this version", cc.Dialect)
	}
	return perTenant(cc, accounts, open)
}

// openStackOpener opens accounts of a cloud that speaks that table, be it Nova's own or
// one made of it. They have one transport, so that the limits and the breaker are the
// cloud's and not each account's.
func (c *clouds) openStackOpener(cc config.Cloud, table func() *translate.Table, log *slog.Logger) func(config.Auth) (canonical.Cloud, error) {
	o := transport.Options{
		Name: cc.Name, Timeout: cc.Timeout, Log: log, Limits: transport.Limits(cc.Limits), Breaker: transport.Breaker(cc.Breaker),
	}
	shared := transport.New(o)
	c.closers = append(c.closers, shared.Close)
	return func(a config.Auth) (canonical.Cloud, error) {
		n, err := nova.Open(nova.Options{
			Endpoint: cc.Endpoint, Region: cc.Region, Transport: o, Shared: shared,
			Auth: nova.Auth{
				Username: a.Username, Password: a.Password.Reveal(), UserDomain: a.UserDomain,
				Project: a.Project, ProjectID: a.ProjectID, ProjectDomain: a.ProjectDomain, Token: a.Token.Reveal(),
				ApplicationCredentialID: a.CredentialID, ApplicationCredentialName: a.CredentialName,
				ApplicationCredentialSecret: a.CredentialSecret.Reveal(),
			},
		}, table())
		if err != nil {
			return nil, err
		}
		c.closers = append(c.closers, n.Close)
		return n, nil
	}
}

// perTenant opens every account now, so that a wrong one is found at start. A tenant
// without one has the cloud's own where the cloud is shared, and else none.
func perTenant(cc config.Cloud, accounts map[string]config.Auth, open func(config.Auth) (canonical.Cloud, error)) (func(string) (broker.Account, error), error) {
	own := map[string]canonical.Cloud{}
	for tenant, a := range accounts {
		cloud, err := open(a)
		if err != nil {
			return nil, fmt.Errorf("the account of tenant %s: %w", tenant, err)
		}
		own[tenant] = cloud
	}
	var common canonical.Cloud
	if cc.Shared {
		var err error
		if common, err = open(cc.Auth); err != nil {
			return nil, err
		}
	}
	return func(tenant string) (broker.Account, error) {
		if cloud, ok := own[tenant]; ok {
			return broker.Account{Cloud: cloud}, nil
		}
		return broker.Account{Cloud: common, Shared: true}, nil
	}, nil
}
