package nova

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// usage is all optional, for a project that used nothing is told as {}.
type usage struct {
	Tenant  *string      `json:"tenant_id,omitempty"`
	Servers *[]usageLine `json:"server_usages,omitempty"`
	Hours   *float64     `json:"total_hours,omitempty"`
	VCPUs   *float64     `json:"total_vcpus_usage,omitempty"`
	RAM     *float64     `json:"total_memory_mb_usage,omitempty"`
	Disk    *float64     `json:"total_local_gb_usage,omitempty"`
	Start   *string      `json:"start,omitempty"`
	Stop    *string      `json:"stop,omitempty"`
}

type usageLine struct {
	Server    string                `json:"instance_id"`
	Name      string                `json:"name"`
	Tenant    string                `json:"tenant_id"`
	Flavor    string                `json:"flavor"`
	VCPUs     int                   `json:"vcpus"`
	RAM       int                   `json:"memory_mb"`
	Disk      int                   `json:"local_gb"`
	State     string                `json:"state"`
	StartedAt canonical.Opt[string] `json:"started_at"`
	EndedAt   canonical.Opt[string] `json:"ended_at"`
	Uptime    int                   `json:"uptime"`
	Hours     float64               `json:"hours"`
}

type usageBody struct {
	Usage *usage `json:"tenant_usage"`
	Links []link `json:"tenant_usage_links,omitempty" since:"2.40"`
}

type usagesBody struct {
	Usages []usage `json:"tenant_usages"`
	Links  []link  `json:"tenant_usages_links,omitempty" since:"2.40"`
}

const terminated = "terminated"

func sayUsageState(s canonical.ServerStatus) string {
	if s == canonical.ServerDeleted {
		return terminated
	}
	return sayVMState(s)
}

func hearUsageState(word string) canonical.ServerStatus {
	switch word {
	case terminated:
		return canonical.ServerDeleted
	case "active":
		return canonical.ServerRunning
	case "resized":
		return canonical.ServerVerifyResize
	}
	for status, state := range vmStates {
		if state == word {
			return status
		}
	}
	return canonical.ServerUnknown
}

func hearUsage(w usage, env *translate.Env) canonical.Usage {
	tenant := words.Or(w.Tenant, "")
	u := canonical.Usage{
		ID: canonical.ID(tenant), Project: canonical.Project(tenant), Servers: []canonical.ServerUsage{},
		ServerHours: words.Or(w.Hours, 0), VCPUHours: words.Or(w.VCPUs, 0), RAMMiBHours: words.Or(w.RAM, 0), DiskGiBHours: words.Or(w.Disk, 0),
		Start: words.Or(words.Time(words.Or(w.Start, "")), time.Time{}), End: words.Or(words.Time(words.Or(w.Stop, "")), time.Time{}),
	}
	if tenant == env.Project {
		u.Project = canonical.OwnProject
	}
	for _, l := range words.Or(w.Servers, nil) {
		u.Servers = append(u.Servers, canonical.ServerUsage{
			ID: canonical.ID(l.Server), Name: l.Name, Flavor: l.Flavor, VCPUs: l.VCPUs, RAMMiB: l.RAM, DiskGiB: l.Disk, Status: hearUsageState(l.State),
			StartedAt: words.Time(l.StartedAt.Or("")), EndedAt: words.Time(l.EndedAt.Or("")), UptimeS: l.Uptime, Hours: l.Hours,
		})
	}
	return u
}

func sayUsage(u canonical.Usage, env *translate.Env, detailed bool) usage {
	tenant := sayProject(u.Project, env)
	start, stop := u.Start.UTC().Format(naive), u.End.UTC().Format(naive)
	w := usage{
		Tenant: &tenant, Hours: &u.ServerHours, VCPUs: &u.VCPUHours, RAM: &u.RAMMiBHours, Disk: &u.DiskGiBHours, Start: &start, Stop: &stop,
	}
	if !detailed {
		return w
	}
	lines := make([]usageLine, len(u.Servers))
	for i, s := range u.Servers {
		lines[i] = usageLine{
			Server: string(s.ID), Name: s.Name, Tenant: tenant, Flavor: s.Flavor, VCPUs: s.VCPUs, RAM: s.RAMMiB, Disk: s.DiskGiB, State: sayUsageState(s.Status),
			StartedAt: sayOptTime(s.StartedAt, naive), EndedAt: sayOptTime(s.EndedAt, naive), Uptime: s.UptimeS, Hours: s.Hours,
		}
	}
	w.Servers = &lines
	return w
}

// merged are the usages of all clouds, one of each project, with servers in the order of
// their ids.
func merged(all []canonical.Usage) []canonical.Usage {
	var out []canonical.Usage
	for _, u := range all {
		i := slices.IndexFunc(out, func(o canonical.Usage) bool { return o.Project == u.Project })
		if i < 0 {
			i, out = len(out), append(out, canonical.Usage{ID: u.ID, Project: u.Project, Start: u.Start, End: u.End})
		}
		o := &out[i]
		o.ServerHours, o.VCPUHours = o.ServerHours+u.ServerHours, o.VCPUHours+u.VCPUHours
		o.RAMMiBHours, o.DiskGiBHours = o.RAMMiBHours+u.RAMMiBHours, o.DiskGiBHours+u.DiskGiBHours
		o.Servers = append(o.Servers, u.Servers...)
	}
	for i := range out {
		slices.SortStableFunc(out[i].Servers, func(a, b canonical.ServerUsage) int { return strings.Compare(string(a.ID), string(b.ID)) })
	}
	return out
}

// usagesOfPage are what of the usages is on the client's page. Pages are of servers, and
// there are none below 2.40.
func usagesOfPage(all []canonical.Usage, env *translate.Env) (page []canonical.Usage, links []link, err error) {
	all = merged(all)
	if env.Wire == nil || !env.Version.AtLeast(v(40)) {
		return all, nil, nil
	}
	left, marker, found := canonical.MaxLimit, env.Wire.Query.Get("marker"), false
	if n, err := strconv.Atoi(env.Wire.Query.Get("limit")); err == nil && n >= 0 {
		left = min(n, left)
	}
	asked, last := left, ""
	for _, u := range all {
		servers := u.Servers
		if marker != "" && !found {
			at := slices.IndexFunc(servers, func(s canonical.ServerUsage) bool { return string(s.ID) == marker })
			if found = at >= 0; !found {
				continue
			}
			servers = servers[at+1:]
		}
		servers = servers[:min(left, len(servers))]
		switch {
		case len(servers) == len(u.Servers) && left > 0:
			page = append(page, u)
		case len(servers) > 0:
			page = append(page, u.Of(servers))
		default:
			continue
		}
		if left -= len(servers); len(servers) > 0 {
			last = string(servers[len(servers)-1].ID)
		}
	}
	if marker != "" && !found {
		return nil, nil, canonical.Errorf(canonical.InvalidRequest, "marker [%s] not found", marker)
	}
	if asked > 0 && left == 0 {
		links = nextLinks(env, "compute", "more", last)
	}
	return page, links, nil
}

// Forms of times in queries.
var usageTimes = []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"}

// hearUsageTime is a time of a query; what is not given is now.
func hearUsageTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	for _, layout := range usageTimes {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return now, canonical.Errorf(canonical.InvalidRequest, "Datetime is in invalid format")
}

// askUsages asks for a time; which project is said and heard by the row.
func askUsages(say func(canonical.UsageList, *translate.Env, *translate.Request), hear func(*translate.Request, *translate.Env) (canonical.Project, error)) translate.Ask[canonical.UsageList, translate.NoBody] {
	return translate.Ask[canonical.UsageList, translate.NoBody]{
		Say: func(r canonical.UsageList, env *translate.Env, to *translate.Request) (translate.NoBody, error) {
			start, end, err := r.Span(time.Now())
			if err != nil {
				return translate.NoBody{}, err
			}
			say(r, env, to)
			to.Query.Set("start", start.Format(naive))
			to.Query.Set("end", end.Format(naive))
			return translate.NoBody{}, nil
		},
		Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (r canonical.UsageList, err error) {
			if r.Project, err = hear(from, env); err != nil {
				return r, err
			}
			now := time.Now().UTC()
			start, err := hearUsageTime(from.Query.Get("start"), now)
			if err != nil {
				return r, err
			}
			end, err := hearUsageTime(from.Query.Get("end"), now.Add(time.Microsecond))
			if err != nil {
				return r, err
			}
			if !start.Before(end) {
				return r, canonical.Errorf(canonical.InvalidRequest, "Invalid start time. The start time cannot occur after the end time.")
			}
			r.Start, r.End, r.ListOptions = start.Format(time.RFC3339Nano), end.Format(time.RFC3339Nano), everything()
			r.Sort = canonical.ByName
			return r, nil
		},
	}
}

var usagesAnswer = translate.List[canonical.Usage, usagesBody]{
	Say: func(p canonical.Page[canonical.Usage], env *translate.Env, _ *translate.Response) (usagesBody, error) {
		detailed := env.Wire == nil || env.Wire.Query.Get("detailed") == "1"
		page, links, err := usagesOfPage(p.Items, env)
		w := usagesBody{make([]usage, len(page)), links}
		for i, u := range page {
			w.Usages[i] = sayUsage(u, env, detailed)
		}
		return w, err
	},
	Hear: func(w usagesBody, _ *translate.Response, env *translate.Env) ([]canonical.Usage, error) {
		out := make([]canonical.Usage, len(w.Usages))
		for i, u := range w.Usages {
			out[i] = hearUsage(u, env)
		}
		return out, nil
	},
	Whole: true,
}

// usageAnswer is the usage of one project.
var usageAnswer = translate.List[canonical.Usage, usageBody]{
	Say: func(p canonical.Page[canonical.Usage], env *translate.Env, _ *translate.Response) (usageBody, error) {
		page, links, err := usagesOfPage(p.Items, env)
		if err != nil || len(page) == 0 {
			return usageBody{Usage: &usage{}}, err
		}
		w := sayUsage(page[0], env, true)
		return usageBody{&w, links}, nil
	},
	Hear: func(w usageBody, _ *translate.Response, env *translate.Env) ([]canonical.Usage, error) {
		if w.Usage == nil || w.Usage.Tenant == nil {
			return nil, nil
		}
		return []canonical.Usage{hearUsage(*w.Usage, env)}, nil
	},
	Whole: true,
}

// usageRoutes want 2.39, the last version that answers all servers in one page: a project
// on several pages is one canonical usage.
func usageRoutes() []translate.Route {
	const all, one = "/os-simple-tenant-usage", "/os-simple-tenant-usage/{project}"
	named := func(req any) bool { r, ok := req.(canonical.UsageList); return ok && r.Project != "" }
	return []translate.Route{
		{
			ID: "nova.usage.show", Service: "compute", Method: "GET", Path: one, Op: canonical.ListUsages.Spec(), Want: v(39), Can: named, Status: 200,
			Ask: askUsages(func(r canonical.UsageList, env *translate.Env, to *translate.Request) {
				to.Params["project"] = sayProject(r.Project, env)
			}, func(from *translate.Request, env *translate.Env) (canonical.Project, error) {
				return hearProject(from, env, "os-simple-tenant-usage:show")
			}),
			Answer: usageAnswer,
		},
		{
			ID: "nova.usage.list", Service: "compute", Method: "GET", Path: all, Op: canonical.ListUsages.Spec(), Want: v(39), Status: 200,
			Can: func(req any) bool { return !named(req) },
			Ask: askUsages(func(_ canonical.UsageList, _ *translate.Env, to *translate.Request) {
				to.Query.Set("detailed", "1")
			}, func(_ *translate.Request, env *translate.Env) (canonical.Project, error) {
				if !env.Role.AtLeast(canonical.Operator) {
					return "", canonical.Errorf(canonical.Forbidden, "Policy doesn't allow os_compute_api:os-simple-tenant-usage:list to be performed.")
				}
				return "", nil
			}),
			Answer: usagesAnswer,
		},
	}
}
