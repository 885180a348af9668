package h3c

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

type zone struct {
	ID           string `json:"id"`
	LabelName    string `json:"labelName" wire:"native"`
	Description  string `json:"description" wire:"native"`
	Zone         string `json:"zone"`
	VirtType     string `json:"virtType" wire:"native"`
	ResourceType string `json:"resourceType" wire:"native"`
	Deleted      int    `json:"deleted"`
}

func sayZones(p canonical.Page[canonical.AvailabilityZone], _ *translate.Env, _ *translate.Response) ([]zone, error) {
	out := []zone{}
	for _, z := range p.Items {
		w := zone{ID: string(z.ID), Zone: z.Name, LabelName: native(z.Native, "labelName", z.Name)}
		w.Description, w.VirtType = native(z.Native, "description", ""), native(z.Native, "virtType", "")
		w.ResourceType = native(z.Native, "resourceType", "nova")
		if !z.Available {
			w.Deleted = 1
		}
		out = append(out, w)
	}
	return out, nil
}

func hearZones(w []zone, _ *translate.Response, env *translate.Env) ([]canonical.AvailabilityZone, error) {
	out := []canonical.AvailabilityZone{}
	for _, z := range w {
		c := canonical.AvailabilityZone{ID: canonical.ID(z.ID), Name: z.Zone, Available: z.Deleted == 0, Hosts: []string{}}
		if env.Native {
			c.Native = map[string]any{
				"labelName": z.LabelName, "description": z.Description, "virtType": z.VirtType, "resourceType": z.ResourceType,
			}
		}
		out = append(out, c)
	}
	return out, nil
}

func native(from map[string]any, key, def string) string {
	if got, ok := from[key].(string); ok {
		return got
	}
	return def
}

// zones is the Need of the zones' ids, both ways.
var zones = translate.Need{
	Fact: "zones",
	Say:  func(any) (canonical.Call, bool) { return askZones(), true },
	Hear: func(*translate.Request) (canonical.Call, bool) { return askZones(), true },
	Pick: func(res any, _ *translate.Env) any {
		p, _ := res.(canonical.Page[canonical.AvailabilityZone])
		return p.Items
	},
}

func askZones() canonical.Call {
	return translate.Question(canonical.ListAvailabilityZones,
		canonical.AvailabilityZoneList{ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit}})
}

// zoneOf is the zone of that name, or the only one where none is named.
func zoneOf(env *translate.Env, name string) (canonical.AvailabilityZone, bool) {
	known, _ := translate.Fact[[]canonical.AvailabilityZone](env, zones.Fact)
	for _, z := range known {
		if z.Name == name || name == "" && len(known) == 1 {
			return z, true
		}
	}
	return canonical.AvailabilityZone{}, false
}
