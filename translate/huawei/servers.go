package huawei

import (
	"maps"
	"strconv"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// server is the detail of a server, RAM in MiB and disk in GiB
// (hws.cloudserver.list_detail, hws.server.rebuild).
type server struct {
	ID          string                     `json:"id"`
	Name        string                     `json:"name"`
	Status      string                     `json:"status"`
	Addresses   map[string][]words.Address `json:"addresses"`
	Flavor      flavor                     `json:"flavor"`
	Image       *image                     `json:"image"`
	AccessIPv4  string                     `json:"accessIPv4"`
	AccessIPv6  string                     `json:"accessIPv6"`
	Progress    *words.Text                `json:"progress"`
	HostID      string                     `json:"hostId"`
	Created     string                     `json:"created"`
	Updated     string                     `json:"updated"`
	Metadata    map[string]string          `json:"metadata"`
	Tags        []string                   `json:"tags"`
	Description *string                    `json:"description"`
	Locked      bool                       `json:"locked"`
	TenantID    string                     `json:"tenant_id"`
	UserID      string                     `json:"user_id"`
	KeyName     *string                    `json:"key_name"`
	Task        *string                    `json:"OS-EXT-STS:task_state"`
	Power       int                        `json:"OS-EXT-STS:power_state"`
	Zone        *string                    `json:"OS-EXT-AZ:availability_zone"`
}

type flavor struct {
	ID    string      `json:"id"`
	Name  string      `json:"name,omitempty"`
	Disk  *words.Text `json:"disk,omitempty"`
	VCPUs *words.Text `json:"vcpus,omitempty"`
	RAM   *words.Text `json:"ram,omitempty"`
}

type image struct {
	ID string `json:"id"`
}

const iso = "2006-01-02T15:04:05Z"

func fromServer(s *canonical.Server, env *translate.Env) server {
	w := server{
		ID: string(s.ID), Name: s.Name, Status: sayStatus(s.Status, s.NativeStatus), Addresses: words.SayAddresses(s.Addresses),
		AccessIPv4: words.Or(s.AccessIPv4, ""), AccessIPv6: words.Or(s.AccessIPv6, ""), HostID: words.Or(s.HostID, ""),
		Created: words.Stamp(s.CreatedAt, iso), Updated: words.Stamp(s.UpdatedAt, iso), Metadata: s.Metadata, Tags: s.Tags,
		Description: s.Description, Locked: s.Locked, TenantID: words.Or(s.ProjectID, env.Project), UserID: words.Or(s.UserID, env.User),
		KeyName: s.Keypair, Task: s.Task, Power: words.SayPower(s.Power), Zone: s.AvailabilityZone,
		Flavor: flavor{
			ID: string(words.Or(s.Flavor.ID, "")), Name: words.Or(s.Flavor.Name, ""), Disk: (*words.Text)(s.Flavor.DiskGiB),
			VCPUs: (*words.Text)(s.Flavor.VCPUs), RAM: (*words.Text)(s.Flavor.RAMMiB),
		},
	}
	progress := words.Text(s.Progress)
	w.Progress = &progress
	if s.Image != nil {
		w.Image = &image{string(s.Image.ID)}
	}
	return w
}

func toServer(w *server) canonical.Server {
	s := canonical.Server{
		ID: canonical.ID(w.ID), Name: w.Name, Kind: canonical.VM, Status: hearStatus(w.Status), NativeStatus: w.Status,
		Power: words.HearPower(w.Power), Addresses: words.HearAddresses(w.Addresses), Progress: int(words.Or(w.Progress, 0)),
		AccessIPv4: words.Filled(w.AccessIPv4), AccessIPv6: words.Filled(w.AccessIPv6), HostID: words.Filled(w.HostID),
		CreatedAt: words.Time(w.Created), UpdatedAt: words.Time(w.Updated), Metadata: map[string]string{}, Tags: words.List(w.Tags),
		Description: w.Description, Locked: w.Locked, ProjectID: words.Filled(w.TenantID), UserID: words.Filled(w.UserID),
		Keypair: w.KeyName, Task: w.Task, AvailabilityZone: w.Zone, Volumes: []canonical.ServerVolume{},
		SecurityGroups: []canonical.Link{}, Flavor: hearFlavor(&w.Flavor),
	}
	maps.Copy(s.Metadata, w.Metadata)
	if w.Image != nil && w.Image.ID != "" {
		s.Image = &canonical.Link{ID: canonical.ID(w.Image.ID)}
	}
	return s
}

func hearFlavor(w *flavor) canonical.ServerFlavor {
	f := canonical.ServerFlavor{
		ExtraSpecs: map[string]string{}, Name: words.Filled(w.Name),
		VCPUs: (*int)(w.VCPUs), RAMMiB: (*int)(w.RAM), DiskGiB: (*int)(w.Disk),
	}
	if w.ID != "" {
		id := canonical.ID(w.ID)
		f.ID = &id
	}
	return f
}

type serverBody struct {
	Server server `json:"server"`
}

func sayServer(r canonical.TypedReply[canonical.Server], env *translate.Env, _ *translate.Response) (serverBody, error) {
	if r.Result.ID == "" && r.Task != nil && len(r.Task.Resources) > 0 {
		r.Result.ID = r.Task.Resources[0].ID
	}
	return serverBody{fromServer(&r.Result, env)}, nil
}

func hearServer(w serverBody, _ *translate.Response, _ *translate.Env) (canonical.Server, error) {
	return toServer(&w.Server), nil
}

// serversBody has no servers where the request had no offset.
type serversBody struct {
	Count   int       `json:"count"`
	Servers *[]server `json:"servers,omitempty"`
}

// pageSize is the default and the most of a page.
const pageSize = 1000

func sayList(_ canonical.ServerList, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
	to.Query.Set("offset", "1") // without it the cloud answers a bare number
	to.Query.Set("limit", strconv.Itoa(pageSize))
	return translate.NoBody{}, nil
}

func hearList(_ translate.NoBody, from *translate.Request, _ *translate.Env) (canonical.ServerList, error) {
	r := canonical.ServerList{ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit}}
	for key, values := range from.Query {
		switch key {
		case "offset", "limit":
			if n, err := strconv.Atoi(values[0]); err != nil || n < 0 || key == "limit" && (n < 1 || n > pageSize) {
				return r, canonical.Invalid(key, "is not a number that this call takes")
			}
		case "flavor":
			r.Flavor = canonical.ID(values[0])
		case "status":
			r.Status = hearStatus(strings.ToUpper(values[0]))
		case "name", "detail", "expect_fields": // the first is Keep's, the others are advisory
		default:
			return r, words.Refuse(key, "no such filter here")
		}
	}
	return r, nil
}

func keepNamed(s *canonical.Server, env *translate.Env) bool {
	return env.Wire == nil || strings.Contains(s.Name, env.Wire.Query.Get("name"))
}

// sayServers cuts the page of that number out of all servers.
func sayServers(p canonical.Page[canonical.Server], env *translate.Env, _ *translate.Response) (serversBody, error) {
	w := serversBody{Count: len(p.Items)}
	if env.Wire == nil || !env.Wire.Query.Has("offset") {
		return w, nil
	}
	number, limit := 1, pageSize
	if n, err := strconv.Atoi(env.Wire.Query.Get("offset")); err == nil {
		number = max(n, 1)
	}
	if n, err := strconv.Atoi(env.Wire.Query.Get("limit")); err == nil {
		limit = n
	}
	out := []server{}
	if number <= len(p.Items)/limit+1 {
		from := (number - 1) * limit
		for i := from; i < min(from+limit, len(p.Items)); i++ {
			out = append(out, fromServer(&p.Items[i], env))
		}
	}
	w.Servers = &out
	return w, nil
}

func hearServers(w serversBody, _ *translate.Response, _ *translate.Env) ([]canonical.Server, error) {
	if w.Servers == nil {
		return nil, canonical.Errorf(canonical.UpstreamError, "the cloud's answer holds no servers")
	}
	out := []canonical.Server{}
	for i := range *w.Servers {
		out = append(out, toServer(&(*w.Servers)[i]))
	}
	return out, nil
}

func nextServers(w serversBody, asked *translate.Request, got []canonical.Server) *translate.Request {
	page, err := strconv.Atoi(asked.Query.Get("offset"))
	if err != nil || len(got) == 0 || page*pageSize >= w.Count {
		return nil
	}
	next := *asked
	next.Query = maps.Clone(asked.Query)
	next.Query.Set("offset", strconv.Itoa(page+1))
	return &next
}
