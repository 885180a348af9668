package canonical

// The operations that put servers away (h3c.server.shelve, h3c.server.unshelve).
var (
	ShelveServer        = long[ServerShelve, Server]("server.shelve", Write, "POST /v1/servers/{id}/shelve")
	ShelveOffloadServer = long[ServerShelveOffload, Server]("server.shelve_offload", Write, "POST /v1/servers/{id}/shelve-offload")
	UnshelveServer      = long[ServerUnshelve, Server]("server.unshelve", Write, "POST /v1/servers/{id}/unshelve")
)

// ServerShelve stops a server and keeps its disk as an image. It ends as shelved, on
// its host yet, or as shelved_offloaded where the cloud frees the host at once.
type ServerShelve struct {
	ID ID `json:"-" path:"id"`
}

// ServerShelveOffload frees the host of a shelved server; operators only.
type ServerShelveOffload struct {
	ID ID `json:"-" path:"id"`
}

// ServerUnshelve makes a shelved server run again. A server that is not offloaded runs
// where it was, and takes neither a zone nor a host.
type ServerUnshelve struct {
	ID               ID       `json:"-" path:"id"`
	AvailabilityZone Opt[Ref] `json:"availability_zone,omitzero" of:"availability_zone" doc:"Zone to run in; null: any, from now on"`
	Host             string   `json:"host,omitempty" doc:"Host to run on; operators only"`
}

// Validate implements the check of requests.
func (r ServerUnshelve) Validate() error {
	if zone, given := r.AvailabilityZone.Get(); given && zone == "" {
		return Invalid("availability_zone", "must not be empty")
	}
	return nil
}
