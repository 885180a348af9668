package memory

import (
	"slices"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// maxMigrations is how many migrations are remembered, the newest.
const maxMigrations = 1000

// The states of migrations, in Nova's words.
const (
	migrating          = "migrating"
	migrationFinished  = "finished" // of a resize or a cold migration: it waits for its confirmation
	migrationConfirmed = "confirmed"
	migrationReverted  = "reverted"
	migrationCompleted = "completed" // of a live migration
)

func copyMigration(m *canonical.ServerMigration) canonical.ServerMigration {
	out := *m
	for _, p := range []**string{
		&out.SourceHost, &out.SourceHypervisor, &out.DestHost, &out.DestHypervisor, &out.DestIP, &out.ProjectID, &out.UserID,
	} {
		*p = own(*p)
	}
	out.CreatedAt, out.UpdatedAt = own(out.CreatedAt), own(out.UpdatedAt)
	return out
}

func (c *Cloud) listServerMigrations(r canonical.ServerMigrationList) (canonical.TypedReply[canonical.Page[canonical.ServerMigration]], error) {
	var found []*canonical.ServerMigration
	for _, m := range c.migrations {
		if r.Match(m) {
			found = append(found, m)
		}
	}
	return arrange(found, r.ListOptions, copyMigration)
}

// migrates notes that a server begins to go to a host.
func (c *Cloud) migrates(s *server, kind, to string) {
	now, from := c.now(), *s.Host
	s.migration = &canonical.ServerMigration{
		ID: canonical.ID(uuid.NewString()), Server: s.ID, Kind: kind, Status: migrating,
		SourceHost: &from, SourceHypervisor: &from, DestHost: &to, DestHypervisor: &to, CreatedAt: &now, UpdatedAt: &now,
	}
	c.migrations = append(c.migrations, s.migration)
	c.migrations = slices.Delete(c.migrations, 0, max(0, len(c.migrations)-maxMigrations))
}

// migrated notes how far the server's last migration has come.
func (c *Cloud) migrated(s *server, status string) {
	now := c.now()
	s.migration.Status, s.migration.UpdatedAt = status, &now
}
