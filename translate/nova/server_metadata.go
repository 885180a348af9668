package nova

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// metadataBody is the metadata of a server, a resource of its own in Nova.
type metadataBody struct {
	Metadata map[string]canonical.Opt[string] `json:"metadata"`
}

// metaBody is one item of it: a map of one.
type metaBody struct {
	Meta map[string]canonical.Opt[string] `json:"meta"`
}

// hearItems are the items of a request's body. Null is no value in Nova.
func hearItems(w map[string]canonical.Opt[string], field string) (map[string]string, error) {
	if w == nil {
		return nil, canonical.Errorf(canonical.InvalidRequest,
			"Invalid input for field/attribute %s. '%s' is a required property", field, field)
	}
	all := make(map[string]string, len(w))
	for key, value := range w {
		if value.IsNull() {
			return nil, canonical.Errorf(canonical.InvalidRequest,
				"Invalid input for field/attribute %s. Value: None. None is not of type 'string'", key)
		}
		all[key] = value.Or("")
	}
	return all, nil
}

func sayItems(all map[string]string) map[string]canonical.Opt[string] {
	w := make(map[string]canonical.Opt[string], len(all))
	for key, value := range all {
		w[key] = canonical.Some(value)
	}
	return w
}

var metadataAnswer = translate.Answer[canonical.Metadata, metadataBody]{
	Say: func(r canonical.TypedReply[canonical.Metadata], _ *translate.Env, _ *translate.Response) (metadataBody, error) {
		return metadataBody{sayItems(r.Result)}, nil
	},
	Hear: func(w metadataBody, _ *translate.Response, _ *translate.Env) (canonical.Metadata, error) {
		all := canonical.Metadata{}
		for key, value := range w.Metadata {
			all[key] = value.Or("")
		}
		return all, nil
	},
}

var metaAnswer = translate.Answer[canonical.MetadataItem, metaBody]{
	Say: func(r canonical.TypedReply[canonical.MetadataItem], _ *translate.Env, _ *translate.Response) (metaBody, error) {
		return metaBody{sayItems(map[string]string{r.Result.Key: r.Result.Value})}, nil
	},
	Hear: func(w metaBody, _ *translate.Response, _ *translate.Env) (canonical.MetadataItem, error) {
		for key, value := range w.Meta {
			return canonical.MetadataItem{Key: key, Value: value.Or("")}, nil
		}
		return canonical.MetadataItem{}, canonical.Errorf(canonical.UpstreamError, "the cloud's answer holds no item")
	},
}

var askMerge = translate.Ask[canonical.MetadataMerge, metadataBody]{
	Say: func(r canonical.MetadataMerge, _ *translate.Env, to *translate.Request) (metadataBody, error) {
		translate.SayPath(r, to)
		return metadataBody{dict(r.Metadata)}, nil
	},
	Hear: func(w metadataBody, from *translate.Request, _ *translate.Env) (r canonical.MetadataMerge, err error) {
		translate.HearPath(from, &r)
		all, err := hearItems(w.Metadata, "metadata")
		r.Metadata = sayItems(all)
		return r, err
	},
}

// setsOnly says whether a merge takes no items out: Nova has calls of their own for that.
func setsOnly(req any) bool {
	r, ok := req.(canonical.MetadataMerge)
	for _, value := range r.Metadata {
		_, sets := value.Get()
		ok = ok && sets
	}
	return ok
}

var askReplace = translate.Ask[canonical.MetadataReplace, metadataBody]{
	Say: func(r canonical.MetadataReplace, _ *translate.Env, to *translate.Request) (metadataBody, error) {
		translate.SayPath(r, to)
		return metadataBody{sayItems(r.Metadata)}, nil
	},
	Hear: func(w metadataBody, from *translate.Request, _ *translate.Env) (r canonical.MetadataReplace, err error) {
		translate.HearPath(from, &r)
		r.Metadata, err = hearItems(w.Metadata, "metadata")
		return r, err
	},
}

var askSet = translate.Ask[canonical.MetadataSet, metaBody]{
	Say: func(r canonical.MetadataSet, _ *translate.Env, to *translate.Request) (metaBody, error) {
		translate.SayPath(r, to)
		return metaBody{sayItems(map[string]string{r.Key: r.Value})}, nil
	},
	Hear: func(w metaBody, from *translate.Request, _ *translate.Env) (r canonical.MetadataSet, err error) {
		translate.HearPath(from, &r)
		item, err := hearItems(w.Meta, "meta")
		value, ok := item[r.Key]
		switch {
		case err != nil:
		case len(item) > 1:
			err = canonical.Errorf(canonical.InvalidRequest, "Invalid input for field/attribute meta. %d items are too many", len(item))
		case !ok:
			err = canonical.Errorf(canonical.InvalidRequest, "Request body and URI mismatch")
		}
		r.Value = value
		return r, err
	},
}

func metadataRoutes() []translate.Route {
	const all, item = "/servers/{id}/metadata", "/servers/{id}/metadata/{key}"
	return []translate.Route{
		{
			ID: "nova.server.metadata.list", Service: "compute", Method: "GET", Path: all, Op: canonical.ListMetadata.Spec(),
			Ask: translate.ByPath[canonical.MetadataList](), Answer: metadataAnswer, Status: 200,
		},
		{
			ID: "nova.server.metadata.update", Service: "compute", Method: "POST", Path: all, Op: canonical.MergeMetadata.Spec(),
			Can: setsOnly, Ask: askMerge, Answer: metadataAnswer, Status: 200,
		},
		{
			ID: "nova.server.metadata.replace", Service: "compute", Method: "PUT", Path: all, Op: canonical.ReplaceMetadata.Spec(),
			Ask: askReplace, Answer: metadataAnswer, Status: 200,
		},
		{
			ID: "nova.server.metadata.item.show", Service: "compute", Method: "GET", Path: item, Op: canonical.GetMetadata.Spec(),
			Ask: translate.ByPath[canonical.MetadataGet](), Answer: metaAnswer, Status: 200,
		},
		{
			ID: "nova.server.metadata.item.set", Service: "compute", Method: "PUT", Path: item, Op: canonical.SetMetadata.Spec(),
			Ask: askSet, Answer: metaAnswer, Status: 200,
		},
		{
			ID: "nova.server.metadata.item.delete", Service: "compute", Method: "DELETE", Path: item, Op: canonical.DeleteMetadata.Spec(),
			Ask: translate.ByPath[canonical.MetadataDelete](), Answer: translate.Nothing[canonical.None](), Status: 204,
		},
	}
}
