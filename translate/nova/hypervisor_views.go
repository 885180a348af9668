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
	}
}
