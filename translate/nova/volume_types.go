package nova

import (
	"strconv"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

type volumeType struct {
	ID          string                           `json:"id"`
	Name        string                           `json:"name"`
	Public      bool                             `json:"is_public"`
	Description canonical.Opt[string]            `json:"description"`
	ExtraSpecs  canonical.Opt[map[string]string] `json:"extra_specs,omitzero"`
	Access      canonical.Opt[bool]              `json:"os-volume-type-access:is_public,omitzero"`
	QoS         canonical.Opt[string]            `json:"qos_specs_id,omitzero" wire:"native"`
}

type volumeTypeBody struct {
	Type volumeType `json:"volume_type"`
}

type volumeTypesBody struct {
	Types []volumeType `json:"volume_types"`
	Links []link       `json:"volume_type_links,omitempty"`
}

// factDefaultType is the type of volumes that name none, southwards.
const factDefaultType = "default volume type"

func hearVolumeType(w volumeType, env *translate.Env) canonical.VolumeType {
	t := canonical.VolumeType{
		ID: canonical.ID(w.ID), Name: w.Name, Public: w.Public || w.Access.Or(false), Description: ptr(w.Description),
		ExtraSpecs: dict(w.ExtraSpecs.Or(nil)),
	}
	if id, known := translate.Fact[canonical.ID](env, factDefaultType); known {
		is := id == t.ID
		t.Default = &is
	}
	return t
}

func sayVolumeType(t canonical.VolumeType) volumeType {
	return volumeType{
		ID: string(t.ID), Name: t.Name, Public: t.Public, Description: opt(t.Description), ExtraSpecs: canonical.Some(dict(t.ExtraSpecs)),
		Access: canonical.Some(t.Public), QoS: canonical.Null[string](),
	}
}

func isDefaultList(req any) bool {
	r, ok := req.(canonical.VolumeTypeList)
	return ok && r.Default != nil && *r.Default
}

// needDefaultType asks which type is the default, of whatever tells types.
func needDefaultType() translate.Need {
	yes := true
	return translate.Need{
		Fact: factDefaultType,
		Say: func(req any) (canonical.Call, bool) {
			return translate.Question(canonical.ListVolumeTypes, canonical.VolumeTypeList{Default: &yes}), !isDefaultList(req)
		},
		Pick: func(result any, _ *translate.Env) any {
			if page, ok := result.(canonical.Page[canonical.VolumeType]); ok && len(page.Items) > 0 {
				return page.Items[0].ID
			}
			return nil
		},
	}
}

var askVolumeTypes = translate.Ask[canonical.VolumeTypeList, translate.NoBody]{
	Say: func(canonical.VolumeTypeList, *translate.Env, *translate.Request) (translate.NoBody, error) {
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (r canonical.VolumeTypeList, err error) {
		if public, err := strconv.ParseBool(from.Query.Get("is_public")); err == nil {
			r.Public = &public
		}
		r.ListOptions, err = hearPaging(from, env, pagingOf(canonical.ByName))
		return r, err
	},
}

var volumeTypesAnswer = translate.List[canonical.VolumeType, volumeTypesBody]{
	Say: func(p canonical.Page[canonical.VolumeType], env *translate.Env, _ *translate.Response) (volumeTypesBody, error) {
		w := volumeTypesBody{Types: make([]volumeType, len(p.Items)), Links: nextLinks(env, "volume", p.NextCursor, lastID(p.Items))}
		for i, t := range p.Items {
			w.Types[i] = sayVolumeType(t)
		}
		return w, nil
	},
	Hear: func(w volumeTypesBody, _ *translate.Response, env *translate.Env) ([]canonical.VolumeType, error) {
		out := make([]canonical.VolumeType, len(w.Types))
		for i, t := range w.Types {
			out[i] = hearVolumeType(t, env)
		}
		return out, nil
	},
	Next: func(w volumeTypesBody, asked *translate.Request, _ []canonical.VolumeType) *translate.Request {
		return follow(w.Links, asked)
	},
}

// defaultTypeAnswer is the list of the one type that is the default.
var defaultTypeAnswer = translate.List[canonical.VolumeType, volumeTypeBody]{
	Say: func(p canonical.Page[canonical.VolumeType], _ *translate.Env, _ *translate.Response) (volumeTypeBody, error) {
		if len(p.Items) == 0 {
			return volumeTypeBody{}, canonical.Errorf(canonical.NotFound, "Default volume type can not be found.")
		}
		return volumeTypeBody{sayVolumeType(p.Items[0])}, nil
	},
	Hear: func(w volumeTypeBody, _ *translate.Response, env *translate.Env) ([]canonical.VolumeType, error) {
		t, is := hearVolumeType(w.Type, env), true
		t.Default = &is
		return []canonical.VolumeType{t}, nil
	},
}

var askDefaultType = translate.Ask[canonical.VolumeTypeList, translate.NoBody]{
	Say: func(canonical.VolumeTypeList, *translate.Env, *translate.Request) (translate.NoBody, error) {
		return translate.NoBody{}, nil
	},
	Hear: func(translate.NoBody, *translate.Request, *translate.Env) (canonical.VolumeTypeList, error) {
		yes := true
		return canonical.VolumeTypeList{Default: &yes, ListOptions: canonical.ListOptions{Limit: 1, Sort: canonical.ByName}}, nil
	},
}

var volumeTypeAnswer = translate.Answer[canonical.VolumeType, volumeTypeBody]{
	Say: func(r canonical.TypedReply[canonical.VolumeType], _ *translate.Env, _ *translate.Response) (volumeTypeBody, error) {
		return volumeTypeBody{sayVolumeType(r.Result)}, nil
	},
	Hear: func(w volumeTypeBody, _ *translate.Response, env *translate.Env) (canonical.VolumeType, error) {
		return hearVolumeType(w.Type, env), nil
	},
}

func volumeTypeRoutes() []translate.Route {
	marker := needMarker(canonical.GetVolumeType, func(id canonical.ID) canonical.VolumeTypeGet { return canonical.VolumeTypeGet{ID: id} })
	return []translate.Route{
		{
			ID: "cinder.type.default", Service: "volume", Method: "GET", Path: "/types/default", Op: canonical.ListVolumeTypes.Spec(),
			Can: isDefaultList, Ask: askDefaultType, Answer: defaultTypeAnswer, Status: 200,
		},
		{
			ID: "cinder.type.list", Service: "volume", Method: "GET", Path: "/types", Op: canonical.ListVolumeTypes.Spec(),
			Needs: []translate.Need{marker, needDefaultType()}, Ask: askVolumeTypes, Answer: volumeTypesAnswer, Status: 200,
		},
		{
			ID: "cinder.type.show", Service: "volume", Method: "GET", Path: "/types/{id}", Op: canonical.GetVolumeType.Spec(),
			Needs: []translate.Need{needDefaultType()}, Ask: translate.ByPath[canonical.VolumeTypeGet](), Answer: volumeTypeAnswer, Status: 200,
		},
	}
}
