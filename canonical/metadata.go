package canonical

import "maps"

// The operations on the metadata of a server: a flat map, in both directions.
var (
	ListMetadata    = op[MetadataList, Metadata]("metadata.list", Read, "GET /v1/servers/{id}/metadata")
	GetMetadata     = op[MetadataGet, MetadataItem]("metadata.get", Read, "GET /v1/servers/{id}/metadata/{key}")
	SetMetadata     = op[MetadataSet, MetadataItem]("metadata.set", Write, "PUT /v1/servers/{id}/metadata/{key}")
	DeleteMetadata  = op[MetadataDelete, None]("metadata.delete", Delete, "DELETE /v1/servers/{id}/metadata/{key}")
	MergeMetadata   = op[MetadataMerge, Metadata]("metadata.merge", Write, "PATCH /v1/servers/{id}/metadata")
	ReplaceMetadata = op[MetadataReplace, Metadata]("metadata.replace", Write, "PUT /v1/servers/{id}/metadata")
)

// Metadata is all metadata of a server.
type Metadata map[string]string

// MetadataItem is one item of a server's metadata.
type MetadataItem struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// MetadataList asks for the metadata of a server.
type MetadataList struct {
	ID ID `json:"-" path:"id" of:"server"`
}

// MetadataGet asks for one item.
type MetadataGet struct {
	ID  ID     `json:"-" path:"id" of:"server"`
	Key string `json:"-" path:"key"`
}

// MetadataSet makes or changes one item.
type MetadataSet struct {
	ID    ID     `json:"-" path:"id" of:"server"`
	Key   string `json:"-" path:"key"`
	Value string `json:"value"`
}

// Validate implements the check of requests.
func (r MetadataSet) Validate() error {
	item := map[string]string{r.Key: r.Value}
	return validateMetadata(maps.Keys(item), maps.Values(item))
}

// MetadataDelete takes out one item.
type MetadataDelete struct {
	ID  ID     `json:"-" path:"id" of:"server"`
	Key string `json:"-" path:"key"`
}

// MetadataMerge makes, changes and takes out items, by the rules of JSON merge patch.
type MetadataMerge struct {
	ID       ID                     `json:"-" path:"id" of:"server"`
	Metadata map[string]Opt[string] `json:"-" body:"metadata" doc:"Items that are given change; null takes an item out"`
}

// Validate implements the check of requests.
func (r MetadataMerge) Validate() error {
	return validateMetadata(maps.Keys(r.Metadata), given(r.Metadata))
}

// MetadataReplace sets all metadata.
type MetadataReplace struct {
	ID       ID                `json:"-" path:"id" of:"server"`
	Metadata map[string]string `json:"-" body:"metadata" doc:"All items; others are taken out"`
}

// Validate implements the check of requests.
func (r MetadataReplace) Validate() error {
	return validateMetadata(maps.Keys(r.Metadata), maps.Values(r.Metadata))
}

// given are the values of changes; null counts as the empty one.
func given(changes map[string]Opt[string]) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, v := range changes {
			if !yield(v.Or("")) {
				return
			}
		}
	}
}
