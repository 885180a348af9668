package nova

import (
	"strconv"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type statisticsBody struct {
	Statistics *statistics `json:"hypervisor_statistics"`
}

type statistics struct {
	Count     int `json:"count"`
	VCPUs     int `json:"vcpus"`
	RAM       int `json:"memory_mb"`
	Disk      int `json:"local_gb"`
	VCPUsUsed int `json:"vcpus_used"`
	RAMUsed   int `json:"memory_mb_used"`
	DiskUsed  int `json:"local_gb_used"`
	FreeRAM   int `json:"free_ram_mb"`
	FreeDisk  int `json:"free_disk_gb"`
	Workload  int `json:"current_workload"`
	Running   int `json:"running_vms"`
	LeastFree int `json:"disk_available_least"`
}

// statisticsAnswer is the sum of all hypervisors. Southwards they are listed.
var statisticsAnswer = translate.List[canonical.Hypervisor, statisticsBody]{
	Say: func(p canonical.Page[canonical.Hypervisor], _ *translate.Env, _ *translate.Response) (statisticsBody, error) {
		var s statistics
		for _, h := range p.Items {
			s.Count++
			s.VCPUs += words.Or(h.VCPUs, 0)
			s.RAM += words.Or(h.RAMMiB, 0)
			s.Disk += words.Or(h.DiskGiB, 0)
			s.VCPUsUsed += words.Or(h.VCPUsUsed, 0)
			s.RAMUsed += words.Or(h.RAMUsedMiB, 0)
			s.DiskUsed += words.Or(h.DiskUsedGiB, 0)
			s.Running += words.Or(h.Servers, 0)
		}
		s.FreeRAM, s.FreeDisk = s.RAM-s.RAMUsed, s.Disk-s.DiskUsed
		s.LeastFree = s.FreeDisk
		return statisticsBody{&s}, nil
	},
	Hear: func(w statisticsBody, _ *translate.Response, _ *translate.Env) ([]canonical.Hypervisor, error) {
		s := w.Statistics
		if s == nil || s.Count < 0 || s.Count > canonical.MaxLimit {
			return nil, canonical.Errorf(canonical.UpstreamError, "the cloud's answer holds no statistics")
		}
		out := make([]canonical.Hypervisor, s.Count) // of which the first has what all have
		for i := range out {
			out[i].ID = canonical.ID(strconv.Itoa(i + 1))
		}
		if len(out) > 0 {
			h := &out[0]
			h.VCPUs, h.RAMMiB, h.DiskGiB, h.Servers = &s.VCPUs, &s.RAM, &s.Disk, &s.Running
			h.VCPUsUsed, h.RAMUsedMiB, h.DiskUsedGiB = &s.VCPUsUsed, &s.RAMUsed, &s.DiskUsed
		}
		return out, nil
	},
	Whole: true,
}

// askMatching is the search by a part of the name, in the path up to 2.52.
var askMatching = translate.Ask[canonical.HypervisorList, translate.NoBody]{
	Say: func(canonical.HypervisorList, *translate.Env, *translate.Request) (translate.NoBody, error) {
		return translate.NoBody{}, words.Refuse("name", "is looked for in the whole list")
	},
	Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (canonical.HypervisorList, error) {
		part := from.Params["id"]
		setFact(env, factKeep, func(h *canonical.Hypervisor) bool { return strings.Contains(h.Hostname, part) })
		return canonical.HypervisorList{ListOptions: everything()}, nil
	},
}

// matchingAnswer is NotFound where nothing matches.
func matchingAnswer() translate.List[canonical.Hypervisor, hypervisorBriefsBody] {
	a := hypervisorBriefsAnswer
	say := a.Say
	a.Say = func(p canonical.Page[canonical.Hypervisor], env *translate.Env, to *translate.Response) (hypervisorBriefsBody, error) {
		if len(p.Items) == 0 {
			e := canonical.Errorf(canonical.NotFound, "No hypervisor matching '%s' could be found.", env.Wire.Params["id"])
			e.Operation = canonical.ListHypervisors.Spec().Name
			return hypervisorBriefsBody{}, e
		}
		return say(p, env, to)
	}
	a.Whole = true
	return a
}

// noUptime refuses to tell the uptime of a hypervisor that is there.
var noUptime = translate.Answer[canonical.Hypervisor, hypervisorBody]{
	Say: func(canonical.TypedReply[canonical.Hypervisor], *translate.Env, *translate.Response) (hypervisorBody, error) {
		return hypervisorBody{}, canonical.Errorf(canonical.Unsupported, "Virt driver does not implement uptime function.")
	},
	Hear: func(w hypervisorBody, _ *translate.Response, _ *translate.Env) (canonical.Hypervisor, error) {
		return hearHypervisor(w.Hypervisor), nil
	},
}

type hypervisorServer struct {
	Name string `json:"name"`
	UUID string `json:"uuid"`
}

// hypervisorWithServers is a hypervisor with what runs on it, left out where nothing does.
type hypervisorWithServers struct {
	hypervisorBrief
	Servers []hypervisorServer `json:"servers,omitempty"`
}

type hypervisorServersBody struct {
	Hypervisors []hypervisorWithServers `json:"hypervisors"`
}

// factServersOn is the servers by the name of their hypervisor.
const factServersOn = "servers on hypervisors"

// needServersOn asks for the servers, northwards. Only operators are told their hosts.
func needServersOn() translate.Need {
	return translate.Need{
		Fact: factServersOn, Fresh: true,
		Hear: func(*translate.Request) (canonical.Call, bool) {
			return translate.Question(canonical.ListServers, canonical.ServerList{ListOptions: everything()}), true
		},
		Pick: func(result any, _ *translate.Env) any {
			page, _ := result.(canonical.Page[canonical.Server])
			on := map[string][]hypervisorServer{}
			for _, s := range page.Items {
				host := words.Or(s.HypervisorHostname, words.Or(s.Host, ""))
				on[host] = append(on[host], hypervisorServer{words.Or(s.InstanceName, s.Name), string(s.ID)})
			}
			return on
		},
	}
}

// hypervisorServersAnswer is the hypervisors that match, each with its servers.
func hypervisorServersAnswer() translate.List[canonical.Hypervisor, hypervisorServersBody] {
	briefs := matchingAnswer()
	return translate.List[canonical.Hypervisor, hypervisorServersBody]{
		Say: func(p canonical.Page[canonical.Hypervisor], env *translate.Env, to *translate.Response) (hypervisorServersBody, error) {
			said, err := briefs.Say(p, env, to)
			on, _ := translate.Fact[map[string][]hypervisorServer](env, factServersOn)
			w := hypervisorServersBody{make([]hypervisorWithServers, len(said.Hypervisors))}
			for i, h := range said.Hypervisors {
				w.Hypervisors[i] = hypervisorWithServers{h, on[h.Hostname]}
			}
			return w, err
		},
		Hear: func(w hypervisorServersBody, from *translate.Response, env *translate.Env) ([]canonical.Hypervisor, error) {
			plain := hypervisorBriefsBody{Hypervisors: make([]hypervisorBrief, len(w.Hypervisors))}
			for i, h := range w.Hypervisors {
				plain.Hypervisors[i] = h.hypervisorBrief
			}
			return briefs.Hear(plain, from, env)
		},
		Keep: briefs.Keep, Whole: true,
	}
}

func hypervisorViewRoutes() []translate.Route {
	return []translate.Route{
		{
			ID: "nova.hypervisor.statistics", Service: "compute", Method: "GET", Path: "/os-hypervisors/statistics", Op: canonical.ListHypervisors.Spec(), Until: v(87),
			Can: never, Ask: askHypervisors, Answer: statisticsAnswer, Status: 200,
		},
		{
			ID: "nova.hypervisor.search", Service: "compute", Method: "GET", Path: "/os-hypervisors/{id}/search", Op: canonical.ListHypervisors.Spec(), Until: v(52),
			Can: never, Ask: askMatching, Answer: matchingAnswer(), Status: 200,
		},
		{
			ID: "nova.hypervisor.servers", Service: "compute", Method: "GET", Path: "/os-hypervisors/{id}/servers", Op: canonical.ListHypervisors.Spec(), Until: v(52),
			Can: never, Needs: []translate.Need{needServersOn()}, Ask: askMatching, Answer: hypervisorServersAnswer(), Status: 200,
		},
	}
}
