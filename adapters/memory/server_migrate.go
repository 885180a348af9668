package memory

import (
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func (c *Cloud) migrateServer(r canonical.ServerMigrate) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "migrate", states{canonical.ServerRunning, canonical.ServerStopped})
	if err != nil {
		return refuse[canonical.Server](err)
	}
	to, err := c.otherHost(s, r.Host)
	if err != nil {
		return refuse[canonical.Server](err)
	}
	return c.move(canonical.MigrateServer.Spec(), s, "migration", s.Flavor, to)
}

// otherHost is the host that was asked for, or the one with the fewest servers of those
// that the server is not on.
func (c *Cloud) otherHost(s *server, asked string) (string, error) {
	switch {
	case asked != "" && !slices.Contains(hosts, asked):
		return "", canonical.Invalid("host", "there is no host %q", asked)
	case asked == *s.Host:
		return "", canonical.Invalid("host", "is where the server is")
	case asked != "":
		return asked, nil
	}
	others := slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return h == *s.Host })
	return slices.MinFunc(others, func(a, b string) int { return c.load[a] - c.load[b] }), nil
}

func (c *Cloud) liveMigrateServer(r canonical.ServerLiveMigrate) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "live-migrate", states{canonical.ServerRunning, canonical.ServerPaused})
	if err != nil {
		return refuse[canonical.Server](err)
	}
	to, err := c.otherHost(s, r.Host)
	if err != nil {
		return refuse[canonical.Server](err)
	}
	after := s.Status
	s.rest(canonical.ServerMigrating, s.Power)
	c.migrates(s, "live-migration", to)
	return c.act(canonical.LiveMigrateServer.Spec(), s, "migrating", after, func() {
		c.settleOn(s, to)
		c.migrated(s, migrationCompleted)
	})
}

// evacuateServer refuses, for no host of this cloud is ever down; but what Nova refuses
// first is refused first here too.
func (c *Cloud) evacuateServer(r canonical.ServerEvacuate) (canonical.TypedReply[canonical.ServerWithPassword], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.ServerWithPassword](err)
	}
	if no := canonical.Hindered("evacuate", &s.Server, rebuildable...); no != nil {
		return refuse[canonical.ServerWithPassword](no)
	}
	if _, err := c.otherHost(s, r.Host); err != nil {
		return refuse[canonical.ServerWithPassword](err)
	}
	return refuse[canonical.ServerWithPassword](canonical.Errorf(canonical.InvalidRequest, "host %s is still in use", *s.Host))
}
