package h3c

import (
	"maps"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type createBody struct {
	Server createServer `json:"server"`
	Hints  *hints       `json:"os:scheduler_hints,omitempty"`
}

type hints struct {
	Group string `json:"group"`
}

type createServer struct {
	Name           string            `json:"name"`
	ImageRef       string            `json:"imageRef"`
	FlavorRef      string            `json:"flavorRef"`
	Networks       []network         `json:"networks"`
	AdminPass      string            `json:"adminPass,omitempty"`
	KeyName        string            `json:"key_name,omitempty"`
	SecurityGroups []group           `json:"security_groups"`
	Metadata       map[string]string `json:"metadata"` // the vendor's own keys among the user's
	Zone           string            `json:"availability_zone"`
	ConfigDrive    *bool             `json:"config_drive,omitempty"`
}

type network struct {
	UUID          string `json:"uuid"`
	FixedIP       string `json:"fixed_ip,omitempty"`
	EnableGateway string `json:"enable_gateway"` // "true" or "false", which is binding
}

type group struct {
	Name string `json:"name"`
}

// ours are the keys of metadata that have a place outside of it.
var ours = []string{"zone_uuid", "cvk", "enableAdminPass", "description"}

// vendor are the keys of metadata that travel in native: no other cloud has them.
var vendor = []string{"user_name", "alias", "storageTypeId", "location", "h3c_extend_api"}

func sayCreate(r canonical.ServerCreate, env *translate.Env, _ *translate.Request) (createBody, error) {
	if err := refuse(&r); err != nil {
		return createBody{}, err
	}
	z, ok := zoneOf(env, string(r.AvailabilityZone))
	if !ok {
		return createBody{}, canonical.Invalid("availability_zone", "must name a zone of the cloud")
	}
	nets, err := sayNetworks(r.Networks)
	if err != nil {
		return createBody{}, err
	}
	s := createServer{
		Name: r.Name, ImageRef: string(r.Image), FlavorRef: string(r.Flavor), Networks: nets, AdminPass: r.AdminPassword,
		KeyName: string(r.Keypair), SecurityGroups: []group{}, Metadata: sayMetadata(&r, &z, env), Zone: z.Name, ConfigDrive: r.ConfigDrive,
	}
	if r.Host != "" {
		s.Zone += ":" + r.Host
	}
	for _, g := range r.SecurityGroups {
		s.SecurityGroups = append(s.SecurityGroups, group{string(g)})
	}
	body := createBody{Server: s}
	if r.ServerGroup != "" {
		body.Hints = &hints{string(r.ServerGroup)}
	}
	return body, nil
}

func refuse(r *canonical.ServerCreate) error {
	for _, key := range append(vendor, ours...) {
		if _, taken := r.Metadata[key]; taken {
			return words.Refuse("metadata."+key, "the dialect keeps this key for itself")
		}
	}
	return words.RefuseSet(map[string]bool{
		"count": r.Count > 1, "volumes": len(r.Volumes) > 0, "user_data": r.UserData != "", "files": len(r.Files) > 0,
		"tags": len(r.Tags) > 0, "scheduler_hints": len(r.SchedulerHints) > 0, "root_disk_gib": r.RootDiskGiB != 0,
		"access_ipv4": r.AccessIPv4 != "", "access_ipv6": r.AccessIPv6 != "",
	})
}

func sayNetworks(n canonical.Networks) ([]network, error) {
	if n.Mode != canonical.NetworksList || len(n.List) == 0 {
		return nil, words.Refuse("networks", "the dialect needs at least one by name")
	}
	var out []network
	for _, c := range n.List {
		if c.Network == "" || c.Subnet != "" || len(c.SecurityGroups) > 0 {
			return nil, words.Refuse("networks", "the dialect takes a network and an address only")
		}
		out = append(out, network{UUID: string(c.Network), FixedIP: c.IP, EnableGateway: "true"})
	}
	return out, nil
}

func sayMetadata(r *canonical.ServerCreate, z *canonical.AvailabilityZone, env *translate.Env) map[string]string {
	m := map[string]string{"user_name": env.User, "alias": r.Name, "zone_uuid": string(z.ID)}
	maps.Copy(m, r.Metadata)
	for _, key := range vendor {
		if v, ok := r.Native[key].(string); ok {
			m[key] = v
		}
	}
	if r.Description != "" {
		m["description"] = r.Description
	}
	if _, cvk, ok := strings.Cut(r.Host, ":"); ok {
		m["cvk"] = cvk
	}
	m["enableAdminPass"] = "1"
	if native(r.Native, "enableAdminPass", "") == "0" && r.AdminPassword == "" && r.Keypair == "" {
		m["enableAdminPass"] = "0"
	}
	return m
}

func hearCreate(w createBody, _ *translate.Request, env *translate.Env) (canonical.ServerCreate, error) {
	s := w.Server
	r := canonical.ServerCreate{
		Name: s.Name, Image: canonical.Ref(s.ImageRef), Flavor: canonical.Ref(s.FlavorRef), AdminPassword: s.AdminPass,
		Keypair: canonical.Ref(s.KeyName), ConfigDrive: s.ConfigDrive, Description: s.Metadata["description"],
	}
	if w.Hints != nil {
		r.ServerGroup = canonical.Ref(w.Hints.Group)
	}
	for _, g := range s.SecurityGroups {
		r.SecurityGroups = append(r.SecurityGroups, canonical.Ref(g.Name))
	}
	if err := hearPlace(&s, env, &r); err != nil {
		return r, err
	}
	if err := hearNetworks(s.Networks, &r); err != nil {
		return r, err
	}
	return r, hearMetadata(s.Metadata, env, &r)
}

// hearPlace takes the zone of one to three parts apart.
func hearPlace(s *createServer, env *translate.Env, r *canonical.ServerCreate) error {
	place, host := env.Place(s.Zone)
	name := string(place)
	z, ok := zoneOf(env, name)
	switch {
	case name == "" || !ok:
		return canonical.Invalid("server.availability_zone", "must name a zone")
	case s.Metadata["zone_uuid"] != string(z.ID):
		return canonical.Invalid("server.metadata.zone_uuid", "is not the id of zone %s", name)
	}
	cvk := s.Metadata["cvk"]
	_, third, both := strings.Cut(host, ":")
	switch {
	case cvk != "" && host == "":
		return canonical.Invalid("server.metadata.cvk", "goes together with a host in availability_zone")
	case cvk != "" && both && third != cvk:
		return canonical.Invalid("server.metadata.cvk", "is not the one in availability_zone")
	case cvk != "" && !both:
		host += ":" + cvk
	}
	r.AvailabilityZone, r.Host = place, host
	return nil
}

func hearNetworks(nets []network, r *canonical.ServerCreate) error {
	if len(nets) == 0 {
		return canonical.Invalid("server.networks", "is required")
	}
	r.Networks.Mode = canonical.NetworksList
	for _, n := range nets {
		switch n.EnableGateway {
		case "true":
		case "false":
			return words.Refuse("server.networks.enable_gateway", "a network without its gateway cannot be had here")
		default:
			return canonical.Invalid("server.networks.enable_gateway", `must be "true" or "false"`)
		}
		r.Networks.List = append(r.Networks.List, canonical.NetworkChoice{Network: canonical.Ref(n.UUID), IP: n.FixedIP})
	}
	return nil
}

func hearMetadata(m map[string]string, env *translate.Env, r *canonical.ServerCreate) error {
	usual := map[string]string{"user_name": env.User, "alias": r.Name}
	if _, ok := m["user_name"]; !ok {
		return canonical.Invalid("server.metadata.user_name", "is required")
	}
	rest := maps.Clone(m)
	keep := func(key, value string) {
		if r.Native == nil {
			r.Native = map[string]any{}
		}
		r.Native[key] = value
	}
	for _, key := range vendor {
		if v, ok := m[key]; ok && v != usual[key] {
			keep(key, v)
		}
		delete(rest, key)
	}
	for _, key := range ours {
		delete(rest, key)
	}
	if len(rest) > 0 {
		r.Metadata = rest
	}
	switch given := r.AdminPassword != "" || r.Keypair != ""; m["enableAdminPass"] {
	case "1":
	case "0":
		if given {
			return canonical.Invalid("server.metadata.enableAdminPass", `must be "1" with adminPass or key_name`)
		}
		keep("enableAdminPass", "0")
	default:
		return canonical.Invalid("server.metadata.enableAdminPass", `must be "1" or "0"`)
	}
	return nil
}

type createdBody struct {
	Server createdServer `json:"server"`
}

type createdServer struct {
	SecurityGroups []group `json:"security_groups"`
	DiskConfig     string  `json:"OS-DCF:diskConfig" wire:"native"`
	ID             string  `json:"id"`
	Links          []link  `json:"links"`
	AdminPass      string  `json:"adminPass,omitempty"`
}

func sayCreated(r canonical.TypedReply[canonical.ServersCreated], env *translate.Env, _ *translate.Response) (createdBody, error) {
	w := createdServer{DiskConfig: "MANUAL", SecurityGroups: []group{}}
	if asked, ok := env.Asked.(canonical.ServerCreate); ok {
		for _, g := range asked.SecurityGroups {
			w.SecurityGroups = append(w.SecurityGroups, group{string(g)})
		}
	}
	switch {
	case len(r.Result.Servers) > 0:
		w.ID, w.AdminPass = string(r.Result.Servers[0].ID), words.Or(r.Result.Servers[0].AdminPassword, "")
	case r.Task != nil && len(r.Task.Resources) > 0:
		w.ID = string(r.Task.Resources[0].ID)
	default:
		return createdBody{}, canonical.Errorf(canonical.Internal, "the cloud did not name the server")
	}
	w.Links = []link{{env.Base(Compute) + "/v2/" + env.Project + "/servers/" + w.ID, "self"}}
	return createdBody{w}, nil
}

func hearCreated(w createdBody, _ *translate.Response, env *translate.Env) (canonical.ServersCreated, error) {
	if w.Server.ID == "" {
		return canonical.ServersCreated{}, canonical.Errorf(canonical.UpstreamError, "the cloud did not name the server")
	}
	s := toServer(&server{ID: w.Server.ID, Status: "BUILD"}, env)
	if asked, ok := env.Asked.(canonical.ServerCreate); ok {
		s.Name = asked.Name
	}
	return canonical.ServersCreated{Servers: []canonical.ServerWithPassword{{Server: s, AdminPassword: words.Filled(w.Server.AdminPass)}}}, nil
}

func created(_, res any, _ *translate.Env) *canonical.Task {
	made, _ := res.(canonical.ServersCreated)
	if len(made.Servers) == 0 {
		return nil
	}
	return canonical.WaitStatus(made.Servers[0].ID, canonical.ServerRunning)
}
