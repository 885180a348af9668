package nova

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// metadataBody is the metadata of a server, a resource of its own in Nova.
type metadataBody struct {
	Metadata map[string]canonical.Opt[string] `json:"metadata"`
}

// metadataRoutes change the metadata alone. They stand before the row of the rest of
// an update, which cannot carry metadata.
func metadataRoutes() []translate.Route {
	return []translate.Route{{
		ID: "nova.server.metadata.update", Service: "compute", Method: "POST", Path: "/servers/{id}/metadata",
		Op: canonical.UpdateServer.Spec(), Can: mergesMetadata,
		Ask:    translate.Ask[canonical.ServerUpdate, metadataBody]{Say: sayMetadata, Hear: hearMetadata},
		Answer: translate.Answer[canonical.Server, metadataBody]{Say: sayMerged, Hear: hearMerged},
		Status: 200,
	}}
}

// mergesMetadata says whether an update sets keys of the metadata and nothing else.
func mergesMetadata(req any) bool {
	r, _ := req.(canonical.ServerUpdate)
	changes, ok := r.Metadata.Get()
	for _, value := range changes {
		ok = ok && !value.IsNull()
	}
	return ok && r.Name.IsZero() && r.Description.IsZero() && r.AccessIPv4.IsZero() && r.AccessIPv6.IsZero() && r.Tags.IsZero()
}

func sayMetadata(r canonical.ServerUpdate, _ *translate.Env, to *translate.Request) (metadataBody, error) {
	to.Params["id"] = string(r.ID)
	changes, _ := r.Metadata.Get()
	return metadataBody{changes}, nil
}

func hearMetadata(w metadataBody, from *translate.Request, _ *translate.Env) (canonical.ServerUpdate, error) {
	if w.Metadata == nil {
		return canonical.ServerUpdate{}, canonical.Errorf(canonical.InvalidRequest,
			"Invalid input for field/attribute metadata. 'metadata' is a required property")
	}
	for key, value := range w.Metadata {
		if value.IsNull() {
			return canonical.ServerUpdate{}, canonical.Errorf(canonical.InvalidRequest,
				"Invalid input for field/attribute %s. Value: None. None is not of type 'string'", key)
		}
	}
	return canonical.ServerUpdate{ID: canonical.ID(from.Params["id"]), Metadata: canonical.Some(w.Metadata)}, nil
}

func sayMerged(r canonical.TypedReply[canonical.Server], _ *translate.Env, _ *translate.Response) (metadataBody, error) {
	all := make(map[string]canonical.Opt[string], len(r.Result.Metadata))
	for key, value := range r.Result.Metadata {
		all[key] = canonical.Some(value)
	}
	return metadataBody{all}, nil
}

// hearMerged knows the metadata alone; the adapter asks for the whole server.
func hearMerged(w metadataBody, _ *translate.Response, env *translate.Env) (canonical.Server, error) {
	asked, _ := env.Asked.(canonical.ServerUpdate)
	s := canonical.Server{ID: asked.ID, Metadata: map[string]string{}}
	for key, value := range w.Metadata {
		s.Metadata[key] = value.Or("")
	}
	return s, nil
}
