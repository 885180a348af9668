package memory

import "github.com/dragoman-cloud/dragoman/canonical"

// records are what the cloud keeps beside servers, images and volumes.
type records struct {
	granted map[canonical.ID][]string // projects by flavor
}

func newRecords() records {
	return records{granted: map[canonical.ID][]string{}}
}
