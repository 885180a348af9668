package canonical

import (
	"strings"
	"unicode/utf8"
)

// The operations on the extra specs of a flavor, what the cloud's scheduler and its
// hosts read: a flat map, in both directions.
var (
	GetFlavorExtraSpecs   = op[FlavorExtraSpecsGet, FlavorExtraSpecs]("flavor_extra_specs.get", Read, "GET /v1/flavors/{id}/extra-specs")
	MergeFlavorExtraSpecs = op[FlavorExtraSpecsMerge, FlavorExtraSpecs]("flavor_extra_specs.merge", Write, "PATCH /v1/flavors/{id}/extra-specs")
	SetFlavorExtraSpec    = op[FlavorExtraSpecSet, FlavorExtraSpecs]("flavor_extra_specs.set", Write, "PUT /v1/flavors/{id}/extra-specs/{key}")
	DeleteFlavorExtraSpec = op[FlavorExtraSpecDelete, None]("flavor_extra_specs.delete", Delete, "DELETE /v1/flavors/{id}/extra-specs/{key}")
)

// FlavorExtraSpecs are all extra specs of a flavor.
type FlavorExtraSpecs map[string]string

// FlavorExtraSpecsGet asks for the extra specs of a flavor.
type FlavorExtraSpecsGet struct {
	ID ID `json:"-" path:"id" of:"flavor"`
}

// FlavorExtraSpecsMerge makes, changes and takes out extra specs, by the rules of JSON
// merge patch.
type FlavorExtraSpecsMerge struct {
	ID         ID                     `json:"-" path:"id" of:"flavor"`
	ExtraSpecs map[string]Opt[string] `json:"-" body:"extra_specs" doc:"Those that are given change; null takes one out"`
}

// Validate implements the check of requests.
func (r FlavorExtraSpecsMerge) Validate() error {
	for key, value := range r.ExtraSpecs {
		if err := validateSpec(key, value.Or("")); err != nil {
			return err
		}
	}
	return nil
}

// FlavorExtraSpecSet makes or changes one extra spec.
type FlavorExtraSpecSet struct {
	ID    ID     `json:"-" path:"id" of:"flavor"`
	Key   string `json:"-" path:"key"`
	Value string `json:"value"`
}

// Validate implements the check of requests.
func (r FlavorExtraSpecSet) Validate() error { return validateSpec(r.Key, r.Value) }

// FlavorExtraSpecDelete takes out one extra spec.
type FlavorExtraSpecDelete struct {
	ID  ID     `json:"-" path:"id" of:"flavor"`
	Key string `json:"-" path:"key"`
}

func validateSpec(key, value string) error {
	known := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_:. ", r)
	}
	switch {
	case key == "" || len(key) > maxMetadata || strings.IndexFunc(key, func(r rune) bool { return !known(r) }) >= 0:
		return Invalid("extra_specs", "keys have 1 to %d letters, digits, blanks and -_:.", maxMetadata)
	case utf8.RuneCountInString(value) > maxMetadata:
		return Invalid("extra_specs", "values have at most %d characters", maxMetadata)
	default:
		return nil
	}
}
