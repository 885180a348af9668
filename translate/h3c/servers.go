package h3c

import (
	"maps"
	"strconv"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type ref struct {
	ID    string `json:"id"`
	Links []link `json:"links"`
}

// server is the detail of a server (h3c.server.show).
type server struct {
	ID           string                     `json:"id"`
	Name         string                     `json:"name"`
	Status       string                     `json:"status"`
	Created      int64                      `json:"created"` // ms since 1970
	Updated      string                     `json:"updated"`
	Addresses    map[string][]words.Address `json:"addresses"`
	HostID       string                     `json:"hostId"`
	Flavor       ref                        `json:"flavor"`
	Image        *ref                       `json:"image"`
	UserID       string                     `json:"user_id"`
	Metadata     map[string]string          `json:"metadata"`
	TenantID     string                     `json:"tenant_id"`
	Zone         *string                    `json:"OS-EXT-AZ:availability_zone"`
	Host         *string                    `json:"OS-EXT-SRV-ATTR:host"`
	Hypervisor   *string                    `json:"OS-EXT-SRV-ATTR:hypervisor_hostname"`
	InstanceName *string                    `json:"OS-EXT-SRV-ATTR:instance_name"`
	Links        []link                     `json:"links"`
	VMState      string                     `json:"OS-EXT-STS:vm_state" wire:"native"`
	Power        int                        `json:"OS-EXT-STS:power_state"`
	LaunchedAt   *string                    `json:"OS-SRV-USG:launched_at"`
	TerminatedAt *string                    `json:"OS-SRV-USG:terminated_at"`
	DiskConfig   string                     `json:"OS-DCF:diskConfig" wire:"native"`
	AccessIPv4   string                     `json:"accessIPv4"`
	AccessIPv6   string                     `json:"accessIPv6"`
	ConfigDrive  bool                       `json:"config_drive"`
	KeyName      *string                    `json:"key_name"`
	Volumes      []volume                   `json:"os-extended-volumes:volumes_attached"`
}

type volume struct {
	ID string `json:"id"`
}

type serverBody struct {
	Server server `json:"server"`
}

type serversBody struct {
	Servers []server `json:"servers"`
}

const iso = "2006-01-02T15:04:05Z"

func fromServer(s *canonical.Server, env *translate.Env) server {
	w := server{
		ID: string(s.ID), Name: s.Name, Status: sayStatus(s.Status, s.NativeStatus), Updated: words.Stamp(s.UpdatedAt, iso),
		Addresses: words.SayAddresses(s.Addresses), HostID: words.Or(s.HostID, ""), UserID: words.Or(s.UserID, env.User),
		TenantID: words.Or(s.ProjectID, env.Project), Zone: s.AvailabilityZone, Host: s.Host, Hypervisor: s.HypervisorHostname,
		InstanceName: s.InstanceName, VMState: sayVMState(s.Status), Power: words.SayPower(s.Power), DiskConfig: "MANUAL",
		AccessIPv4: words.Or(s.AccessIPv4, ""), AccessIPv6: words.Or(s.AccessIPv6, ""), ConfigDrive: s.ConfigDrive, KeyName: s.Keypair,
		LaunchedAt: words.Filled(words.Stamp(s.LaunchedAt, time.RFC3339Nano)), TerminatedAt: words.Filled(words.Stamp(s.TerminatedAt, time.RFC3339Nano)),
		Links:  []link{{env.Base(Compute) + "/v2/" + env.Project + "/servers/" + string(s.ID), "self"}},
		Flavor: ref{string(words.Or(s.Flavor.ID, "")), []link{}}, Metadata: map[string]string{},
	}
	if s.CreatedAt != nil {
		w.Created = s.CreatedAt.UnixMilli()
	}
	if s.Image != nil {
		w.Image = &ref{string(s.Image.ID), []link{}}
	}
	for _, v := range s.Volumes {
		w.Volumes = append(w.Volumes, volume{string(v.ID)})
	}
	maps.Copy(w.Metadata, s.Metadata)
	if s.Description != nil {
		w.Metadata["description"] = *s.Description
	}
	for _, key := range append(vendor, "zone_uuid", "cvk", "enableAdminPass") {
		if v, ok := s.Native[key].(string); ok {
			w.Metadata[key] = v
		}
	}
	return w
}

func toServer(w *server, env *translate.Env) canonical.Server {
	id := canonical.ID(w.Flavor.ID)
	s := canonical.Server{
		ID: canonical.ID(w.ID), Name: w.Name, Kind: canonical.VM, Status: hearStatus(w.Status), NativeStatus: w.Status,
		Power: words.HearPower(w.Power), UpdatedAt: words.Time(w.Updated), Addresses: words.HearAddresses(w.Addresses),
		HostID: words.Filled(w.HostID), UserID: words.Filled(w.UserID), ProjectID: words.Filled(w.TenantID),
		AvailabilityZone: w.Zone, Host: w.Host, HypervisorHostname: w.Hypervisor, InstanceName: w.InstanceName,
		AccessIPv4: words.Filled(w.AccessIPv4), AccessIPv6: words.Filled(w.AccessIPv6), ConfigDrive: w.ConfigDrive, Keypair: w.KeyName,
		LaunchedAt: words.Time(words.Or(w.LaunchedAt, "")), TerminatedAt: words.Time(words.Or(w.TerminatedAt, "")),
		Volumes: []canonical.ServerVolume{}, SecurityGroups: []canonical.Link{}, Tags: []string{}, Metadata: map[string]string{},
		Flavor: canonical.ServerFlavor{ExtraSpecs: map[string]string{}},
	}
	if id != "" {
		s.Flavor.ID = &id
	}
	if w.Created != 0 {
		t := time.UnixMilli(w.Created).UTC()
		s.CreatedAt = &t
	}
	if w.Image != nil && w.Image.ID != "" {
		s.Image = &canonical.Link{ID: canonical.ID(w.Image.ID)}
	}
	for _, v := range w.Volumes {
		s.Volumes = append(s.Volumes, canonical.ServerVolume{ID: canonical.ID(v.ID)})
	}
	hearServerMetadata(w.Metadata, env, &s)
	return s
}

// hearServerMetadata parts the vendor's keys from the user's.
func hearServerMetadata(m map[string]string, env *translate.Env, s *canonical.Server) {
	maps.Copy(s.Metadata, m)
	if d, ok := m["description"]; ok {
		s.Description = &d
	}
	for _, key := range append(vendor, ours...) {
		v, ok := m[key]
		if delete(s.Metadata, key); !ok || !env.Native || key == "description" {
			continue
		}
		if s.Native == nil {
			s.Native = map[string]any{}
		}
		s.Native[key] = v
	}
}

func sayShown(r canonical.TypedReply[canonical.Server], env *translate.Env, _ *translate.Response) (serverBody, error) {
	return serverBody{fromServer(&r.Result, env)}, nil
}

func hearShown(w serverBody, _ *translate.Response, env *translate.Env) (canonical.Server, error) {
	return toServer(&w.Server, env), nil
}

// pageSize is how many servers are asked for at once.
const pageSize = 1000

func sayList(_ canonical.ServerList, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
	to.Query.Set("limit", strconv.Itoa(pageSize))
	return translate.NoBody{}, nil
}

func hearList(_ translate.NoBody, from *translate.Request, _ *translate.Env) (canonical.ServerList, error) {
	for key := range from.Query {
		if key != "limit" && key != "marker" {
			return canonical.ServerList{}, canonical.Invalid(key, "is not a parameter of this call")
		}
	}
	if l := from.Query.Get("limit"); l != "" {
		if n, err := strconv.Atoi(l); err != nil || n < 1 {
			return canonical.ServerList{}, canonical.Invalid("limit", "must be a positive number")
		}
	}
	return canonical.ServerList{ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit}}, nil
}

// sayServers cuts the page that begins after marker out of all servers.
func sayServers(p canonical.Page[canonical.Server], env *translate.Env, _ *translate.Response) (serversBody, error) {
	w, marker, limit := serversBody{[]server{}}, "", 0
	if env.Wire != nil {
		marker = env.Wire.Query.Get("marker")
		limit, _ = strconv.Atoi(env.Wire.Query.Get("limit")) // checked by hearList
	}
	after := marker == ""
	for i := range p.Items {
		if after && (limit == 0 || len(w.Servers) < limit) {
			w.Servers = append(w.Servers, fromServer(&p.Items[i], env))
		}
		after = after || string(p.Items[i].ID) == marker
	}
	if !after {
		return w, canonical.Invalid("marker", "names no server")
	}
	return w, nil
}

func hearServers(w serversBody, _ *translate.Response, env *translate.Env) ([]canonical.Server, error) {
	out := []canonical.Server{}
	for i := range w.Servers {
		out = append(out, toServer(&w.Servers[i], env))
	}
	return out, nil
}

func nextServers(_ serversBody, asked *translate.Request, got []canonical.Server) *translate.Request {
	if len(got) < pageSize {
		return nil
	}
	next := *asked
	next.Query = maps.Clone(asked.Query)
	next.Query.Set("marker", string(got[len(got)-1].ID))
	return &next
}
