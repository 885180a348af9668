package canonical

// The operations that change the shape of servers (easystack.server.resize,
// easystack.server.live_resize, hws.server.confirm_resize, hws.server.revert_resize).
var (
	ResizeServer        = long[ServerResize, Server]("server.resize", Write, "POST /v1/servers/{id}/resize")
	ConfirmServerResize = long[ServerConfirmResize, Server]("server.confirm_resize", Write, "POST /v1/servers/{id}/confirm-resize")
	RevertServerResize  = long[ServerRevertResize, Server]("server.revert_resize", Write, "POST /v1/servers/{id}/revert-resize")
)

// ServerResize gives a server another flavor. It ends as verify_resize where the cloud
// keeps the old server until confirm_resize or revert_resize, else as what it was.
type ServerResize struct {
	ID     ID   `json:"-" path:"id"`
	Flavor Ref  `json:"flavor" of:"flavor" doc:"Flavor: an id or a name"`
	Live   bool `json:"live,omitempty" doc:"Without a stop; the server must be running"`
}

// Validate implements the check of requests.
func (r ServerResize) Validate() error {
	if r.Flavor == "" {
		return Invalid("flavor", "is required")
	}
	return nil
}

// ServerConfirmResize keeps the new shape, or the new host after a migrate, and frees
// the old.
type ServerConfirmResize struct {
	ID ID `json:"-" path:"id"`
}

// ServerRevertResize goes back to the old shape or host.
type ServerRevertResize struct {
	ID ID `json:"-" path:"id"`
}
