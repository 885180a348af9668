package canonical

// ListServerAddresses asks for the addresses of a server.
var ListServerAddresses = op[ServerAddressList, ServerAddresses]("server.list_addresses", Read, "GET /v1/servers/{id}/addresses")

// ServerAddressList names the server.
type ServerAddressList struct {
	ID      ID     `json:"-" path:"id" of:"server"`
	Network string `json:"-" query:"network" doc:"Only those on the network of this name"`
}

// ServerAddresses are the addresses of a server.
type ServerAddresses struct {
	Items []Address `json:"items"`
}
