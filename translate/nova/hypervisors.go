package nova

import (
	"encoding/json"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// hypervisorID is a number below 2.53 and a UUID from then on.
type hypervisorID struct {
	Text   string `json:"text"`
	Number bool   `json:"number"`
}

// MarshalJSON implements json.Marshaler.
func (i hypervisorID) MarshalJSON() ([]byte, error) {
	if i.Number {
		return []byte(numberOf(i.Text)), nil
	}
	return json.Marshal(i.Text)
}

// UnmarshalJSON implements json.Unmarshaler.
func (i *hypervisorID) UnmarshalJSON(b []byte) error {
	if err := json.Unmarshal(b, &i.Text); err == nil {
		return nil
	}
	var n number
	if err := n.UnmarshalJSON(b); err != nil {
		return canonical.Errorf(canonical.UpstreamError, "an id is neither a text nor a number")
	}
	i.Text = strconv.Itoa(int(n))
	return nil
}

// numberOf is the number by which clients below 2.53 know a hypervisor: its own, or
// one made of its id.
func numberOf(id string) string {
	if n, err := strconv.ParseUint(id, 10, 31); err == nil {
		return strconv.FormatUint(n, 10)
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	return strconv.FormatUint(uint64(h.Sum32()&0x7fffffff), 10)
}

type hypervisor struct {
	ID       hypervisorID          `json:"id"`
	Hostname string                `json:"hypervisor_hostname"`
	State    string                `json:"state"`
	Status   string                `json:"status"`
	Type     string                `json:"hypervisor_type"`
	Version  hypervisorVersion     `json:"hypervisor_version"`
	IP       *string               `json:"host_ip"`
	Service  hypervisorService     `json:"service" wire:"native"`
	Uptime   canonical.Opt[string] `json:"uptime,omitzero" since:"2.88" wire:"native"`

	VCPUs     canonical.Opt[int] `json:"vcpus,omitzero" until:"2.87"`
	VCPUsUsed canonical.Opt[int] `json:"vcpus_used,omitzero" until:"2.87"`
	RAM       canonical.Opt[int] `json:"memory_mb,omitzero" until:"2.87"`
	RAMUsed   canonical.Opt[int] `json:"memory_mb_used,omitzero" until:"2.87"`
	Disk      canonical.Opt[int] `json:"local_gb,omitzero" until:"2.87"`
	DiskUsed  canonical.Opt[int] `json:"local_gb_used,omitzero" until:"2.87"`
	FreeRAM   canonical.Opt[int] `json:"free_ram_mb,omitzero" until:"2.87" wire:"native"`
	FreeDisk  canonical.Opt[int] `json:"free_disk_gb,omitzero" until:"2.87" wire:"native"`
	Workload  canonical.Opt[int] `json:"current_workload,omitzero" until:"2.87" wire:"native"`
	Running   canonical.Opt[int] `json:"running_vms,omitzero" until:"2.87"`
	LeastFree canonical.Opt[int] `json:"disk_available_least,omitzero" until:"2.87" wire:"native"`
	CPUInfo   json.RawMessage    `json:"cpu_info,omitempty" until:"2.87" wire:"native"`
}

type hypervisorService struct {
	ID     hypervisorID `json:"id"`
	Host   string       `json:"host"`
	Reason *string      `json:"disabled_reason"`
}

// hypervisorVersion is a number: major × 1,000,000 + minor × 1,000 + release; 0 where
// the version is no such thing.
type hypervisorVersion string

// MarshalJSON implements json.Marshaler.
func (v hypervisorVersion) MarshalJSON() ([]byte, error) {
	return []byte(strconv.FormatUint(v.number(), 10)), nil
}

func (v hypervisorVersion) number() uint64 {
	if n, err := strconv.ParseUint(string(v), 10, 31); err == nil {
		return n
	}
	n := uint64(0)
	for _, part := range strings.SplitN(string(v)+".0.0", ".", 4)[:3] {
		i, err := strconv.ParseUint(part, 10, 31)
		if err != nil || i > 999 {
			return 0
		}
		n = n*1000 + i
	}
	return n
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *hypervisorVersion) UnmarshalJSON(b []byte) error {
	*v = hypervisorVersion(strings.Trim(string(b), `"`))
	return nil
}

type hypervisorBody struct {
	Hypervisor hypervisor `json:"hypervisor"`
}

type hypervisorsBody struct {
	Hypervisors []hypervisor `json:"hypervisors"`
	Links       []link       `json:"hypervisors_links,omitempty" since:"2.33"`
}

type hypervisorBrief struct {
	ID       hypervisorID `json:"id"`
	Hostname string       `json:"hypervisor_hostname"`
	State    string       `json:"state"`
	Status   string       `json:"status"`
}

type hypervisorBriefsBody struct {
	Hypervisors []hypervisorBrief `json:"hypervisors"`
	Links       []link            `json:"hypervisors_links,omitempty" since:"2.33"`
}

func hearHypervisor(w hypervisor) canonical.Hypervisor {
	return canonical.Hypervisor{
		ID: canonical.ID(w.ID.Text), Hostname: w.Hostname, Type: w.Type, Version: string(w.Version), State: w.State, Status: w.Status,
		VCPUs: ptr(w.VCPUs), VCPUsUsed: ptr(w.VCPUsUsed), RAMMiB: ptr(w.RAM), RAMUsedMiB: ptr(w.RAMUsed),
		DiskGiB: ptr(w.Disk), DiskUsedGiB: ptr(w.DiskUsed), Servers: ptr(w.Running), IP: words.Filled(words.Or(w.IP, "")),
	}
}

func sayHypervisor(h canonical.Hypervisor, env *translate.Env) hypervisor {
	number := numbered(env)
	// Clients want numbers, and a text of the uptime though Nova itself may say null.
	count := func(n *int) canonical.Opt[int] { return canonical.Some(words.Or(n, 0)) }
	free := func(all, used *int) canonical.Opt[int] { return canonical.Some(words.Or(all, 0) - words.Or(used, 0)) }
	w := hypervisor{
		ID: hypervisorID{string(h.ID), number}, Hostname: h.Hostname, State: h.State, Status: h.Status, Type: h.Type,
		Version: hypervisorVersion(h.Version), IP: ptr(canonical.Some(words.Or(h.IP, ""))),
		Service: hypervisorService{ID: hypervisorID{string(h.ID), number}, Host: h.Hostname}, Uptime: canonical.Some(""),
		VCPUs: count(h.VCPUs), VCPUsUsed: count(h.VCPUsUsed), RAM: count(h.RAMMiB), RAMUsed: count(h.RAMUsedMiB),
		Disk: count(h.DiskGiB), DiskUsed: count(h.DiskUsedGiB), FreeRAM: free(h.RAMMiB, h.RAMUsedMiB), FreeDisk: free(h.DiskGiB, h.DiskUsedGiB),
		Workload: canonical.Some(0), Running: count(h.Servers), LeastFree: free(h.DiskGiB, h.DiskUsedGiB), CPUInfo: json.RawMessage(`""`),
	}
	if env.Version.AtLeast(v(28)) {
		w.CPUInfo = json.RawMessage(`{}`)
	}
	return w
}

// numbered says whether ids are numbers.
func numbered(env *translate.Env) bool { return !env.Version.AtLeast(v(53)) }

var askHypervisors = translate.Ask[canonical.HypervisorList, translate.NoBody]{
	Say: func(canonical.HypervisorList, *translate.Env, *translate.Request) (translate.NoBody, error) {
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (r canonical.HypervisorList, err error) {
		if r.ListOptions, err = hearPaging(from, env, pagingOf(canonical.ByName)); err != nil {
			return r, err
		}
		if pattern := from.Query.Get("hypervisor_hostname_pattern"); pattern != "" {
			setFact(env, factKeep, func(h *canonical.Hypervisor) bool { return strings.Contains(h.Hostname, pattern) })
		}
		return r, nil
	},
}

var hypervisorsAnswer = translate.List[canonical.Hypervisor, hypervisorsBody]{
	Say: func(p canonical.Page[canonical.Hypervisor], env *translate.Env, _ *translate.Response) (hypervisorsBody, error) {
		w := hypervisorsBody{make([]hypervisor, len(p.Items)), nextLinks(env, "compute", p.NextCursor, lastID(p.Items))}
		for i, h := range p.Items {
			w.Hypervisors[i] = sayHypervisor(h, env)
		}
		return w, nil
	},
	Hear: func(w hypervisorsBody, _ *translate.Response, _ *translate.Env) ([]canonical.Hypervisor, error) {
		out := make([]canonical.Hypervisor, len(w.Hypervisors))
		for i, h := range w.Hypervisors {
			out[i] = hearHypervisor(h)
		}
		return out, nil
	},
	Next: func(w hypervisorsBody, asked *translate.Request, _ []canonical.Hypervisor) *translate.Request {
		return follow(w.Links, asked)
	},
	Keep: keepBy[canonical.Hypervisor],
}

var hypervisorBriefsAnswer = translate.List[canonical.Hypervisor, hypervisorBriefsBody]{
	Say: func(p canonical.Page[canonical.Hypervisor], env *translate.Env, _ *translate.Response) (hypervisorBriefsBody, error) {
		w := hypervisorBriefsBody{make([]hypervisorBrief, len(p.Items)), nextLinks(env, "compute", p.NextCursor, lastID(p.Items))}
		for i, h := range p.Items {
			w.Hypervisors[i] = hypervisorBrief{hypervisorID{string(h.ID), numbered(env)}, h.Hostname, h.State, h.Status}
		}
		return w, nil
	},
	Hear: func(w hypervisorBriefsBody, _ *translate.Response, _ *translate.Env) ([]canonical.Hypervisor, error) {
		out := make([]canonical.Hypervisor, len(w.Hypervisors))
		for i, h := range w.Hypervisors {
			out[i] = canonical.Hypervisor{ID: canonical.ID(h.ID.Text), Hostname: h.Hostname, State: h.State, Status: h.Status}
		}
		return out, nil
	},
	Next: func(w hypervisorBriefsBody, asked *translate.Request, _ []canonical.Hypervisor) *translate.Request {
		return follow(w.Links, asked)
	},
	Keep: keepBy[canonical.Hypervisor],
}

// factHypervisor is the id of the hypervisor whose number a client gave.
const factHypervisor = "hypervisor"

// needHypervisor finds the hypervisor of a number, northwards.
func needHypervisor() translate.Need {
	return translate.Need{
		Fact: factHypervisor,
		Hear: func(req *translate.Request) (canonical.Call, bool) {
			return translate.Question(canonical.ListHypervisors, canonical.HypervisorList{
				ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit},
			}), !uuidForm.MatchString(req.Params["id"])
		},
		Pick: func(result any, env *translate.Env) any {
			page, _ := result.(canonical.Page[canonical.Hypervisor])
			for _, h := range page.Items {
				if id := env.Wire.Params["id"]; id == string(h.ID) || numbered(env) && id == numberOf(string(h.ID)) {
					return h.ID
				}
			}
			return nil
		},
	}
}

func hearHypervisorGet(_ translate.NoBody, from *translate.Request, env *translate.Env) (canonical.HypervisorGet, error) {
	given := from.Params["id"]
	known, ok := translate.Fact[canonical.ID](env, factHypervisor)
	switch {
	case ok:
		return canonical.HypervisorGet{ID: known}, nil
	case uuidForm.MatchString(given):
		return canonical.HypervisorGet{ID: canonical.ID(given)}, nil
	case numbered(env):
		e := canonical.Errorf(canonical.NotFound, "Compute host %s could not be found.", given)
		e.Operation = canonical.GetHypervisor.Spec().Name
		return canonical.HypervisorGet{}, e
	}
	return canonical.HypervisorGet{}, canonical.Errorf(canonical.InvalidRequest, "Invalid uuid %s", given)
}

func hypervisorRoutes() []translate.Route {
	show := translate.ByID[canonical.HypervisorGet]("id")
	show.Hear = hearHypervisorGet
	marker := needMarker(canonical.GetHypervisor, func(id canonical.ID) canonical.HypervisorGet { return canonical.HypervisorGet{ID: id} })
	return []translate.Route{
		{
			ID: "nova.hypervisor.list_detail", Service: "compute", Method: "GET", Path: "/os-hypervisors/detail", Op: canonical.ListHypervisors.Spec(),
			Want: v(87), Needs: []translate.Need{marker}, Ask: askHypervisors, Answer: hypervisorsAnswer, Status: 200,
		},
		{
			ID: "nova.hypervisor.list", Service: "compute", Method: "GET", Path: "/os-hypervisors", Op: canonical.ListHypervisors.Spec(),
			Want: v(87), Needs: []translate.Need{marker}, Ask: askHypervisors, Answer: hypervisorBriefsAnswer, Status: 200,
		},
		{
			ID: "nova.hypervisor.show", Service: "compute", Method: "GET", Path: "/os-hypervisors/{id}", Op: canonical.GetHypervisor.Spec(),
			Want: v(87), Needs: []translate.Need{needHypervisor()}, Ask: show, Status: 200,
			When: func(req *translate.Request, _ *translate.Env) bool {
				return req.Params["id"] != "detail" && req.Params["id"] != "statistics"
			},
			Answer: translate.Answer[canonical.Hypervisor, hypervisorBody]{
				Say: func(r canonical.TypedReply[canonical.Hypervisor], env *translate.Env, _ *translate.Response) (hypervisorBody, error) {
					return hypervisorBody{sayHypervisor(r.Result, env)}, nil
				},
				Hear: func(w hypervisorBody, _ *translate.Response, _ *translate.Env) (canonical.Hypervisor, error) {
					return hearHypervisor(w.Hypervisor), nil
				},
			},
		},
		{ // what clients ask beside a hypervisor: nobody here knows when it was started
			ID: "nova.hypervisor.uptime", Service: "compute", Method: "GET", Path: "/os-hypervisors/{id}/uptime", Op: canonical.GetHypervisor.Spec(), Until: v(87),
			Can: never, Needs: []translate.Need{needHypervisor()}, Ask: show, Answer: noUptime, Status: 200,
		},
	}
}
