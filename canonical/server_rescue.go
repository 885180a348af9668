package canonical

// The operations that repair servers.
var (
	RescueServer   = long[ServerRescue, ServerWithPassword]("server.rescue", Write, "POST /v1/servers/{id}/rescue")
	UnrescueServer = long[ServerUnrescue, Server]("server.unrescue", Write, "POST /v1/servers/{id}/unrescue")
)

// ServerRescue boots a server from another disk, its own beside that.
type ServerRescue struct {
	ID       ID     `json:"-" path:"id"`
	Image    Ref    `json:"image,omitempty" of:"image" doc:"Image to boot: an id or a name; the server's own if not given"`
	Password string `json:"password,omitempty" doc:"Of the administrator in that system; the cloud makes one if not given"`
}

// ServerUnrescue boots a rescued server from its own disk again.
type ServerUnrescue struct {
	ID ID `json:"-" path:"id"`
}
