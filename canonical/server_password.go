package canonical

// SetServerPassword changes the password of a server's administrator
// (easystack.server.change_password, hws.cloudserver.reset_password).
var SetServerPassword = long[ServerSetPassword, Server]("server.set_password", Write, "POST /v1/servers/{id}/set-password")

// ServerSetPassword asks for another password of the administrator of a running
// server; its guest must take part.
type ServerSetPassword struct {
	ID       ID     `json:"-" path:"id"`
	Password string `json:"password"`
}

// Validate implements the check of requests.
func (r ServerSetPassword) Validate() error {
	if r.Password == "" {
		return Invalid("password", "is required")
	}
	return nil
}
