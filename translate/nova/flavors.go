package nova

import (
	"strconv"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

type flavor struct {
	ID          string                `json:"id"`
	Name        string                `json:"name"`
	RAM         int                   `json:"ram"`
	Disk        int                   `json:"disk"`
	Swap        swap                  `json:"swap"`
	Ephemeral   int                   `json:"OS-FLV-EXT-DATA:ephemeral"`
	Disabled    bool                  `json:"OS-FLV-DISABLED:disabled"`
	VCPUs       int                   `json:"vcpus"`
	Public      bool                  `json:"os-flavor-access:is_public"`
	RxTx        float64               `json:"rxtx_factor" wire:"native"`
	Links       []link                `json:"links,omitempty"`
	Description canonical.Opt[string] `json:"description,omitzero" since:"2.55" always:"easystack"`

	ExtraSpecs canonical.Opt[map[string]string] `json:"extra_specs,omitzero" since:"2.61" always:"easystack"`
}

type flavorBody struct {
	Flavor flavor `json:"flavor"`
}

type flavorsBody struct {
	Flavors []flavor `json:"flavors"`
	Links   []link   `json:"flavors_links,omitempty"`
}

// flavorBrief is a flavor of the list without details.
type flavorBrief struct {
	ID          string                `json:"id"`
	Name        string                `json:"name"`
	Links       []link                `json:"links,omitempty"`
	Description canonical.Opt[string] `json:"description,omitzero" since:"2.55" always:"easystack"`
}

type flavorBriefsBody struct {
	Flavors []flavorBrief `json:"flavors"`
	Links   []link        `json:"flavors_links,omitempty"`
}

func hearFlavor(w flavor, env *translate.Env) canonical.Flavor {
	f := canonical.Flavor{
		ID: canonical.ID(w.ID), Name: w.Name, Description: ptr(w.Description), VCPUs: w.VCPUs, RAMMiB: w.RAM,
		DiskGiB: w.Disk, EphemeralGiB: w.Ephemeral, SwapMiB: w.Swap.MiB, Public: w.Public,
		ExtraSpecs: dict(w.ExtraSpecs.Or(nil)), Available: !w.Disabled,
	}
	if env.Native {
		f.Native = map[string]any{"rxtx_factor": w.RxTx}
	}
	return f
}

func sayFlavor(f canonical.Flavor, env *translate.Env) flavor {
	return flavor{
		ID: string(f.ID), Name: f.Name, RAM: f.RAMMiB, Disk: f.DiskGiB,
		Swap:      swap{f.SwapMiB, !env.Version.AtLeast(v(75))},
		Ephemeral: f.EphemeralGiB, Disabled: !f.Available, VCPUs: f.VCPUs, Public: f.Public,
		RxTx: kept(f.Native, "rxtx_factor", 1.0), Links: linksOf(env, "flavors", string(f.ID)),
		Description: opt(f.Description), ExtraSpecs: canonical.Some(dict(f.ExtraSpecs)),
	}
}

// factFlavors is what the cloud's flavors are, for servers that name theirs.
const factFlavors = "flavors"

type flavorIndex struct {
	byID   map[canonical.ID]canonical.Flavor
	byName map[string]canonical.Flavor
}

// needFlavors asks for the flavors, southwards.
func needFlavors(when func(req any) bool) translate.Need {
	return translate.Need{
		Fact: factFlavors,
		Say: func(req any) (canonical.Call, bool) {
			return translate.Question(canonical.ListFlavors, canonical.FlavorList{
				ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit},
			}), when(req)
		},
		Pick: func(result any, _ *translate.Env) any {
			page, _ := result.(canonical.Page[canonical.Flavor])
			index := flavorIndex{map[canonical.ID]canonical.Flavor{}, map[string]canonical.Flavor{}}
			for _, f := range page.Items {
				index.byID[f.ID], index.byName[f.Name] = f, f
			}
			return index
		},
	}
}

func always(any) bool { return true }

var askFlavors = translate.Ask[canonical.FlavorList, translate.NoBody]{
	Say: func(_ canonical.FlavorList, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
		to.Query.Set("is_public", "None") // both kinds; Nova ignores it from whom may not ask
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (canonical.FlavorList, error) {
		var r canonical.FlavorList
		opts, err := hearPaging(from, env, pagingOf(canonical.ByName))
		if err != nil {
			return r, err
		}
		r.ListOptions = opts
		if r.Public, err = hearPublic(from.Query.Get("is_public"), env); err != nil {
			return r, err
		}
		minRAM, minDisk := atLeast(from, "minRam"), atLeast(from, "minDisk")
		setFact(env, factKeep, func(f *canonical.Flavor) bool { return f.RAMMiB >= minRAM && f.DiskGiB >= minDisk })
		return r, nil
	},
}

// hearPublic is which flavors a list is of. Operators see the public ones unless they ask
// for others; what others ask is not read: they see all that they may use.
func hearPublic(text string, env *translate.Env) (*bool, error) {
	public := true
	switch strings.ToLower(text) {
	case "none":
		return nil, nil
	case "", "1", "t", "true", "on", "y", "yes":
	case "0", "f", "false", "off", "n", "no":
		public = false
	default:
		if env.Role.AtLeast(canonical.Operator) {
			return nil, canonical.Errorf(canonical.InvalidRequest, "Invalid is_public filter [%s]", text)
		}
	}
	if !env.Role.AtLeast(canonical.Operator) {
		return nil, nil
	}
	return &public, nil
}

func atLeast(from *translate.Request, key string) int {
	n, err := strconv.Atoi(from.Query.Get(key))
	if err != nil {
		return 0
	}
	return n
}

var flavorsAnswer = translate.List[canonical.Flavor, flavorsBody]{
	Say: func(p canonical.Page[canonical.Flavor], env *translate.Env, _ *translate.Response) (flavorsBody, error) {
		w := flavorsBody{Flavors: make([]flavor, len(p.Items)), Links: nextLinks(env, "compute", p.NextCursor, lastID(p.Items))}
		for i, f := range p.Items {
			w.Flavors[i] = sayFlavor(f, env)
		}
		return w, nil
	},
	Hear: func(w flavorsBody, _ *translate.Response, env *translate.Env) ([]canonical.Flavor, error) {
		out := make([]canonical.Flavor, len(w.Flavors))
		for i, f := range w.Flavors {
			out[i] = hearFlavor(f, env)
		}
		return out, nil
	},
	Next: func(w flavorsBody, asked *translate.Request, _ []canonical.Flavor) *translate.Request {
		return follow(w.Links, asked)
	},
	Keep: keepBy[canonical.Flavor],
}

var flavorBriefsAnswer = translate.List[canonical.Flavor, flavorBriefsBody]{
	Say: func(p canonical.Page[canonical.Flavor], env *translate.Env, _ *translate.Response) (flavorBriefsBody, error) {
		w := flavorBriefsBody{Flavors: make([]flavorBrief, len(p.Items)), Links: nextLinks(env, "compute", p.NextCursor, lastID(p.Items))}
		for i, f := range p.Items {
			w.Flavors[i] = flavorBrief{string(f.ID), f.Name, linksOf(env, "flavors", string(f.ID)), opt(f.Description)}
		}
		return w, nil
	},
	Hear: func(w flavorBriefsBody, _ *translate.Response, env *translate.Env) ([]canonical.Flavor, error) {
		asked, _ := env.Asked.(canonical.FlavorList)
		out := make([]canonical.Flavor, len(w.Flavors))
		for i, f := range w.Flavors {
			out[i] = canonical.Flavor{
				ID: canonical.ID(f.ID), Name: f.Name, Description: ptr(f.Description),
				ExtraSpecs: map[string]string{}, Available: true,
				Public: asked.Public == nil || *asked.Public, // the cloud answers what it was asked for
			}
		}
		return out, nil
	},
	Next: func(w flavorBriefsBody, asked *translate.Request, _ []canonical.Flavor) *translate.Request {
		return follow(w.Links, asked)
	},
	Keep: keepBy[canonical.Flavor],
}

var flavorAnswer = translate.Answer[canonical.Flavor, flavorBody]{
	Say: func(r canonical.TypedReply[canonical.Flavor], env *translate.Env, _ *translate.Response) (flavorBody, error) {
		return flavorBody{sayFlavor(r.Result, env)}, nil
	},
	Hear: func(w flavorBody, _ *translate.Response, env *translate.Env) (canonical.Flavor, error) {
		return hearFlavor(w.Flavor, env), nil
	},
}

func flavorRoutes() []translate.Route {
	marker := needMarker(canonical.GetFlavor, func(id canonical.ID) canonical.FlavorGet { return canonical.FlavorGet{ID: id} })
	return []translate.Route{
		{
			ID: "nova.flavor.list_detail", Service: "compute", Method: "GET", Path: "/flavors/detail", Op: canonical.ListFlavors.Spec(),
			Want: v(79), Needs: []translate.Need{marker}, Ask: askFlavors, Answer: flavorsAnswer, Status: 200,
		},
		{
			ID: "nova.flavor.list", Service: "compute", Method: "GET", Path: "/flavors", Op: canonical.ListFlavors.Spec(),
			Needs: []translate.Need{marker}, Ask: askFlavors, Answer: flavorBriefsAnswer, Status: 200,
		},
		{
			ID: "nova.flavor.show", Service: "compute", Method: "GET", Path: "/flavors/{id}", Op: canonical.GetFlavor.Spec(), Want: v(79),
			Ask:    translate.ByID[canonical.FlavorGet]("id"),
			Answer: flavorAnswer, Status: 200,
		},
	}
}
