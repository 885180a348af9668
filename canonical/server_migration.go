package canonical

import "time"

// ListServerMigrations tells of the moves of servers between hosts; for operators.
var ListServerMigrations = op[ServerMigrationList, Page[ServerMigration]]("server_migration.list", Read, "GET /v1/server-migrations")

// ServerMigration is a move of a server, or a change of its size, which is one.
type ServerMigration struct {
	ID               ID         `json:"id"`
	Cloud            string     `json:"cloud"`
	Server           ID         `json:"server" of:"server"`
	Kind             string     `json:"kind"`   // migration, live-migration, resize, evacuation
	Status           string     `json:"status"` // the cloud's own word
	SourceHost       *string    `json:"source_host"`
	SourceHypervisor *string    `json:"source_hypervisor"`
	DestHost         *string    `json:"dest_host"`
	DestHypervisor   *string    `json:"dest_hypervisor"`
	DestIP           *string    `json:"dest_ip"`
	ProjectID        *string    `json:"project_id"`
	UserID           *string    `json:"user_id"`
	CreatedAt        *time.Time `json:"created_at"`
	UpdatedAt        *time.Time `json:"updated_at"`

	Native map[string]any `json:"native,omitempty"`
}

// ListKeys implements Listed.
func (m ServerMigration) ListKeys() (ID, string, string) {
	return m.ID, m.Kind, sortTime(m.CreatedAt)
}

// ServerMigrationList asks for migrations.
type ServerMigrationList struct {
	ListOptions
	Server ID     `json:"-" query:"server" of:"server" doc:"Id of the server"`
	Host   string `json:"-" query:"host" doc:"Host that it goes from or to"`
	Kind   string `json:"-" query:"kind" doc:"migration, live-migration, resize or evacuation"`
	Status string `json:"-" query:"status" doc:"The cloud's own word"`
}

// Match says whether m passes the filters.
func (r ServerMigrationList) Match(m *ServerMigration) bool {
	at := func(host *string) bool { return host != nil && *host == r.Host }
	return (r.Server == "" || m.Server == r.Server) && (r.Host == "" || at(m.SourceHost) || at(m.DestHost)) &&
		(r.Kind == "" || m.Kind == r.Kind) && (r.Status == "" || m.Status == r.Status)
}
