package canonical

import "time"

// The operations on snapshots of whole servers.
var (
	ListServerSnapshots = op[ServerSnapshotList, Page[ServerSnapshot]](
		"server_snapshot.list", Read, "GET /v1/servers/{id}/snapshots")
	CreateServerSnapshot = long[ServerSnapshotCreate, ServerSnapshot](
		"server_snapshot.create", Write, "POST /v1/servers/{id}/snapshots")
	RollbackServerSnapshot = long[ServerSnapshotRollback, Server](
		"server_snapshot.rollback", Write, "POST /v1/servers/{id}/snapshots/{snapshot}/rollback")
)

// ServerSnapshot is the state of a whole server at one time.
type ServerSnapshot struct {
	ID        ID         `json:"id"`
	Cloud     string     `json:"cloud"`
	Server    ID         `json:"server" of:"server"`
	Name      string     `json:"name"`
	Status    string     `json:"status"` // the states of images
	CreatedAt *time.Time `json:"created_at"`
}

// ListKeys implements Listed.
func (s ServerSnapshot) ListKeys() (ID, string, string) { return s.ID, s.Name, sortTime(s.CreatedAt) }

// ServerSnapshotList asks for the snapshots of a server.
type ServerSnapshotList struct {
	ListOptions
	ID ID `json:"-" path:"id" of:"server"`
}

// ServerSnapshotCreate makes a snapshot of a server.
type ServerSnapshotCreate struct {
	ID   ID     `json:"-" path:"id" of:"server"`
	Name string `json:"name"`
}

// Validate implements the check of requests.
func (r ServerSnapshotCreate) Validate() error {
	if r.Name == "" {
		return Invalid("name", "is required")
	}
	return nil
}

// ServerSnapshotRollback puts a server back to a snapshot.
type ServerSnapshotRollback struct {
	ID       ID `json:"-" path:"id" of:"server"`
	Snapshot ID `json:"-" path:"snapshot" of:"server_snapshot"`
}
