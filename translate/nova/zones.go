package nova

import (
	"maps"
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type zone struct {
	Name  string    `json:"zoneName"`
	State zoneState `json:"zoneState"`
	// Hosts are the services of each host, null where the caller may not know.
	Hosts map[string]map[string]zoneService `json:"hosts"`
}

type zoneState struct {
	Available bool `json:"available"`
}

type zoneService struct {
	Available bool    `json:"available"`
	Active    bool    `json:"active"`
	UpdatedAt *string `json:"updated_at"`
}

type zonesBody struct {
	Zones []zone `json:"availabilityZoneInfo"`
}

func zonesAnswer(detail bool) translate.List[canonical.AvailabilityZone, zonesBody] {
	return translate.List[canonical.AvailabilityZone, zonesBody]{
		Say: func(p canonical.Page[canonical.AvailabilityZone], _ *translate.Env, _ *translate.Response) (zonesBody, error) {
			w := zonesBody{make([]zone, len(p.Items))}
			for i, z := range p.Items {
				w.Zones[i] = zone{Name: z.Name, State: zoneState{z.Available}}
				if detail {
					w.Zones[i].Hosts = sayHosts(z)
				}
			}
			return w, nil
		},
		Hear: func(w zonesBody, _ *translate.Response, env *translate.Env) ([]canonical.AvailabilityZone, error) {
			out := []canonical.AvailabilityZone{}
			for _, z := range w.Zones {
				c := canonical.AvailabilityZone{
					ID: canonical.ID(z.Name), Name: z.Name, Available: z.State.Available, Hosts: words.List(slices.Sorted(maps.Keys(z.Hosts))),
				}
				if env.Native && z.Hosts != nil {
					c.Native = map[string]any{"hosts": z.Hosts}
				}
				out = append(out, c)
			}
			return out, nil
		},
	}
}

func sayHosts(z canonical.AvailabilityZone) map[string]map[string]zoneService {
	if same := kept(z.Native, "hosts", map[string]map[string]zoneService(nil)); same != nil {
		return same
	}
	hosts := map[string]map[string]zoneService{}
	for _, h := range z.Hosts {
		hosts[h] = map[string]zoneService{"nova-compute": {Available: z.Available, Active: true}}
	}
	return hosts
}

var askZones = translate.Ask[canonical.AvailabilityZoneList, translate.NoBody]{
	Say: func(canonical.AvailabilityZoneList, *translate.Env, *translate.Request) (translate.NoBody, error) {
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (r canonical.AvailabilityZoneList, err error) {
		if strings.HasSuffix(from.Path, "/detail") && !env.Role.AtLeast(canonical.Operator) {
			return r, canonical.Errorf(canonical.Forbidden,
				"Policy doesn't allow os_compute_api:os-availability-zone:detail to be performed.")
		}
		r.Limit, r.Sort = canonical.MaxLimit, canonical.ByName
		return r, nil
	},
}

// zoneRoutes has the call without hosts first: everybody may make it.
func zoneRoutes() []translate.Route {
	return []translate.Route{
		{
			ID: "nova.availability_zone.list", Service: "compute", Method: "GET", Path: "/os-availability-zone",
			Op: canonical.ListAvailabilityZones.Spec(), Ask: askZones, Answer: zonesAnswer(false), Status: 200,
		},
		{
			ID: "nova.availability_zone.list_detail", Service: "compute", Method: "GET", Path: "/os-availability-zone/detail",
			Op: canonical.ListAvailabilityZones.Spec(), Ask: askZones, Answer: zonesAnswer(true), Status: 200,
		},
	}
}
