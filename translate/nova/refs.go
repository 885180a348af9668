package nova

import (
	"regexp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$`)

// isID says whether a reference is an id; images and networks have UUIDs.
func isID(ref canonical.Ref) bool { return ref == "" || uuidForm.MatchString(string(ref)) }

// flavorID is the id of a flavor given by id or name; what the cloud does not list
// is left for it to judge.
func flavorID(ref canonical.Ref, env *translate.Env) string {
	known, _ := translate.Fact[flavorIndex](env, factFlavors)
	if _, ok := known.byID[canonical.ID(ref)]; ok {
		return string(ref)
	}
	if f, ok := known.byName[string(ref)]; ok {
		return string(f.ID)
	}
	return string(ref)
}

func imageID(ref canonical.Ref, env *translate.Env) string { return byName(ref, env, factImages) }

func networkID(ref canonical.Ref, env *translate.Env) string { return byName(ref, env, factNetworks) }

func byName(ref canonical.Ref, env *translate.Env, fact string) string {
	ids, _ := translate.Fact[map[string]canonical.ID](env, fact)
	if id, ok := ids[string(ref)]; ok && !isID(ref) {
		return string(id)
	}
	return string(ref)
}

// needImages asks for the images where a create or rebuild names one.
func needImages() translate.Need {
	return translate.Need{
		Fact: factImages,
		Say: func(req any) (canonical.Call, bool) {
			named := false
			switch r := req.(type) {
			case canonical.ServerCreate:
				named = !isID(r.Image)
				for _, vol := range r.Volumes {
					named = named || !isID(vol.Image)
				}
			case canonical.ServerRebuild:
				named = !isID(r.Image)
			case canonical.ServerRescue:
				named = r.Image != "" && !isID(r.Image)
			}
			return translate.Question(canonical.ListImages, canonical.ImageList{
				ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit},
			}), named
		},
		Pick: func(result any, _ *translate.Env) any {
			page, _ := result.(canonical.Page[canonical.Image])
			return names(page.Items)
		},
	}
}

// needNetworks asks for the networks where a create names one.
func needNetworks() translate.Need {
	return translate.Need{
		Fact: factNetworks,
		Say: func(req any) (canonical.Call, bool) {
			named := false
			switch r := req.(type) {
			case canonical.ServerCreate:
				for _, n := range r.Networks.List {
					named = named || !isID(n.Network)
				}
			case canonical.PortCreate:
				named = !isID(r.Network)
			case canonical.SubnetCreate:
				named = !isID(r.Network)
			case canonical.FloatingIPCreate:
				named = !isID(r.Network)
			case canonical.InterfaceAttach:
				named = !isID(r.Network)
			}
			return translate.Question(canonical.ListNetworks, canonical.NetworkList{
				ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit},
			}), named
		},
		Pick: func(result any, _ *translate.Env) any {
			page, _ := result.(canonical.Page[canonical.Network])
			return names(page.Items)
		},
	}
}

func names[T canonical.Listed](items []T) map[string]canonical.ID {
	ids := make(map[string]canonical.ID, len(items))
	for _, item := range items {
		id, name, _ := item.ListKeys()
		if _, taken := ids[name]; !taken { // the newest of one name
			ids[name] = id
		}
	}
	return ids
}
