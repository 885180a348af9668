package nova

import (
	"strconv"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// Facts of list rows.
const (
	factMarker = "marker" // the item that the client names as the last of the page before
	factKeep   = "keep"   // func(*T) bool: the filters that no canonical one can say
)

// needMarker looks up the marker of a page, northwards.
func needMarker[Req any, T canonical.Listed](get canonical.Op[Req, T], req func(canonical.ID) Req) translate.Need {
	return translate.Need{
		Fact: factMarker, Unshown: true,
		Hear: func(from *translate.Request) (canonical.Call, bool) {
			id := from.Query.Get("marker")
			return translate.Question(get, req(canonical.ID(id))), id != ""
		},
	}
}

// pagingOf is the order of a list, unless the client asks for another.
type pagingOf canonical.Sort

// hearPaging reads limit and marker.
func hearPaging(from *translate.Request, env *translate.Env, by pagingOf) (canonical.ListOptions, error) {
	o := canonical.ListOptions{Limit: canonical.MaxLimit, Sort: canonical.Sort(by)}
	if text := from.Query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return o, canonical.Errorf(canonical.InvalidRequest,
				"Invalid input for query parameters limit. Value: %s. '%s' does not match '^[0-9]*$'", text, text)
		}
		if n > 0 { // of 0, see keepBy
			o.Limit = min(n, canonical.MaxLimit)
		}
	}
	id := from.Query.Get("marker")
	if id == "" {
		return o, nil
	}
	item, ok := translate.Fact[canonical.Listed](env, factMarker)
	if !ok {
		return o, canonical.Errorf(canonical.InvalidRequest, "marker [%s] not found", id)
	}
	o.Cursor = canonical.Cursor{Sort: o.Sort, After: map[string]canonical.Position{
		"": canonical.PositionOf(item, o.Sort),
	}}.String()
	return o, nil
}

// keepBy filters by what the row's Hear left in the facts. A limit of 0 keeps nothing,
// but in the network service, where it is none.
func keepBy[T any](item *T, env *translate.Env) bool {
	if env.Wire != nil && env.Wire.Service != "network" && zeroLimit(env.Wire.Query.Get("limit")) {
		return false
	}
	keep, ok := translate.Fact[func(*T) bool](env, factKeep)
	return !ok || keep(item)
}

func zeroLimit(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n == 0
}

func lastID[T canonical.Listed](items []T) string {
	if len(items) == 0 {
		return ""
	}
	id, _, _ := items[len(items)-1].ListKeys()
	return string(id)
}
