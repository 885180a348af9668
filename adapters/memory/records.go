package memory

import "github.com/dragoman-cloud/dragoman/canonical"

// records are what the cloud keeps beside servers, images and volumes.
type records struct {
	granted       map[canonical.ID][]canonical.Project     // projects by flavor
	imageMembers  map[canonical.ID][]canonical.ImageMember // by image
	events        map[canonical.ID][]canonical.ServerAction
	serverGroups  []canonical.ServerGroup
	aggregates    []canonical.Aggregate
	lastAggregate int
	quota         quota
	defaults      quota
	ended         []canonical.ServerUsage // of servers that are gone, in order
	services      []canonical.ComputeService
	migrations    []*canonical.ServerMigration // oldest first
}

func newRecords() records {
	return records{granted: map[canonical.ID][]canonical.Project{}, imageMembers: map[canonical.ID][]canonical.ImageMember{}, events: map[canonical.ID][]canonical.ServerAction{}}
}
