package canonical

// The operations that move servers between hosts (easystack.server.migrate,
// easystack.server.live_migrate, easystack.server.evacuate); operators only.
var (
	MigrateServer     = long[ServerMigrate, Server]("server.migrate", Write, "POST /v1/servers/{id}/migrate")
	LiveMigrateServer = long[ServerLiveMigrate, Server]("server.live_migrate", Write, "POST /v1/servers/{id}/live-migrate")
	EvacuateServer    = long[ServerEvacuate, ServerWithPassword]("server.evacuate", Write, "POST /v1/servers/{id}/evacuate")
)

// ServerMigrate moves a server with a stop. It ends as verify_resize, as a resize does.
type ServerMigrate struct {
	ID   ID     `json:"-" path:"id"`
	Host string `json:"host,omitempty" doc:"Host to move to; the cloud chooses if not given"`
}

// ServerLiveMigrate moves a running server.
type ServerLiveMigrate struct {
	ID             ID     `json:"-" path:"id"`
	Host           string `json:"host,omitempty" doc:"Host to move to; the cloud chooses if not given"`
	BlockMigration *bool  `json:"block_migration,omitempty" doc:"Copy the disks; the cloud finds out if not given"`
	Force          bool   `json:"force,omitempty" doc:"To that host, whatever the scheduler says"`
}

// Validate implements the check of requests.
func (r ServerLiveMigrate) Validate() error { return validateForce(r.Force, r.Host) }

// ServerEvacuate makes a server anew on another host when its own is down.
type ServerEvacuate struct {
	ID       ID     `json:"-" path:"id"`
	Host     string `json:"host,omitempty" doc:"Host to move to; the cloud chooses if not given"`
	Password string `json:"password,omitempty" doc:"Of the administrator; the cloud makes one if not given"`
	Force    bool   `json:"force,omitempty" doc:"To that host, whatever the scheduler says"`
}

// Validate implements the check of requests.
func (r ServerEvacuate) Validate() error { return validateForce(r.Force, r.Host) }

func validateForce(force bool, host string) error {
	if force && host == "" {
		return Invalid("force", "needs a host")
	}
	return nil
}
