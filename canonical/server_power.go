package canonical

import "unicode/utf8"

// The operations that change what a server does, after Nova's actions of these names
// (easystack.server.pause and those after it).
var (
	PauseServer   = long[ServerPause, Server]("server.pause", Write, "POST /v1/servers/{id}/pause")
	UnpauseServer = long[ServerUnpause, Server]("server.unpause", Write, "POST /v1/servers/{id}/unpause")
	SuspendServer = long[ServerSuspend, Server]("server.suspend", Write, "POST /v1/servers/{id}/suspend")
	ResumeServer  = long[ServerResume, Server]("server.resume", Write, "POST /v1/servers/{id}/resume")

	LockServer   = op[ServerLock, Server]("server.lock", Write, "POST /v1/servers/{id}/lock")
	UnlockServer = op[ServerUnlock, Server]("server.unlock", Write, "POST /v1/servers/{id}/unlock")
)

// ServerPause stops the processors of a running server; its memory stays as it is.
type ServerPause struct {
	ID ID `json:"-" path:"id"`
}

// ServerUnpause lets a paused server go on.
type ServerUnpause struct {
	ID ID `json:"-" path:"id"`
}

// ServerSuspend writes the memory of a running server to disk and frees it.
type ServerSuspend struct {
	ID ID `json:"-" path:"id"`
}

// ServerResume lets a suspended server go on.
type ServerResume struct {
	ID ID `json:"-" path:"id"`
}

// ServerLock keeps all but operators from doing anything to a server but unlock it. A
// locked server keeps the reason that it has.
type ServerLock struct {
	ID     ID     `json:"-" path:"id"`
	Reason string `json:"reason,omitempty" doc:"Why, for people; at most 255 characters"`
}

// Validate implements the check of requests.
func (r ServerLock) Validate() error {
	if utf8.RuneCountInString(r.Reason) > 255 {
		return Invalid("reason", "is longer than 255 characters")
	}
	return nil
}

// ServerUnlock takes the lock off; a server without one stays as it is.
type ServerUnlock struct {
	ID ID `json:"-" path:"id"`
}
