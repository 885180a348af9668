package canonical

// The operations on servers that are not what they should be, or deleted
// (easystack.server.reset_state, easystack.recycle_bin.restore,
// easystack.recycle_bin.force_delete).
var (
	ResetServerState = op[ServerResetState, Server]("server.reset_state", Write, "POST /v1/servers/{id}/reset-state")
	RestoreServer    = long[ServerRestore, Server]("server.restore", Write, "POST /v1/servers/{id}/restore")
	PurgeServer      = long[ServerPurge, None]("server.purge", Write, "POST /v1/servers/{id}/purge")
)

// ServerResetState makes the cloud take a server for running or failed, and forget what
// it was doing to it; the server itself is not touched. Operators only.
type ServerResetState struct {
	ID     ID           `json:"-" path:"id"`
	Status ServerStatus `json:"status" enum:"running,error"`
}

// Validate implements the check of requests.
func (r ServerResetState) Validate() error {
	if r.Status != ServerRunning && r.Status != ServerError {
		return Invalid("status", "must be running or error")
	}
	return nil
}

// ServerRestore takes a deleted server out of the recycle bin.
type ServerRestore struct {
	ID ID `json:"-" path:"id"`
}

// ServerPurge deletes a server for good, whether or not there is a recycle bin.
type ServerPurge struct {
	ID ID `json:"-" path:"id"`
}
