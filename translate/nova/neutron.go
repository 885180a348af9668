package nova

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// reserved are the keys of Neutron's lists that are no filters.
var reserved = []string{"fields", "limit", "marker", "page_reverse", "sort_key", "sort_dir"}

// neutronList carries lists of T as Neutron has them: filtered by any attribute of W,
// sorted by any, and with pages that go both ways. Northwards it needs all items.
func neutronList[T canonical.Listed, W, B any](
	wrap func([]W, []link) B, open func(B) ([]W, []link), say func(T, *translate.Env) W, hear func(W, *translate.Env) T,
) translate.List[T, B] {
	return translate.List[T, B]{
		Whole: true,
		Say: func(p canonical.Page[T], env *translate.Env, _ *translate.Response) (B, error) {
			all := make([]W, len(p.Items))
			for i, item := range p.Items {
				all[i] = say(item, env)
			}
			page, links, err := neutronPage(all, env)
			return wrap(page, links), err
		},
		Hear: func(w B, _ *translate.Response, env *translate.Env) ([]T, error) {
			all, _ := open(w)
			out := make([]T, len(all))
			for i, item := range all {
				out[i] = hear(item, env)
			}
			return out, nil
		},
		Next: func(w B, asked *translate.Request, _ []T) *translate.Request {
			_, links := open(w)
			return follow(links, asked)
		},
	}
}

// neutronOne carries one T.
func neutronOne[T, W, B any](
	wrap func(W) B, open func(B) W, say func(T, *translate.Env) W, hear func(W, *translate.Env) T,
) translate.Answer[T, B] {
	return translate.Answer[T, B]{
		Say: func(r canonical.TypedReply[T], env *translate.Env, _ *translate.Response) (B, error) {
			return wrap(say(r.Result, env)), nil
		},
		Hear: func(w B, _ *translate.Response, env *translate.Env) (T, error) { return hear(open(w), env), nil },
	}
}

// asList is the request of a list, northwards: all of it, for the answer filters, sorts
// and cuts by attributes that no canonical request knows.
func asList[Req any](say func(r Req, q url.Values), hear func(q url.Values, r *Req)) translate.Ask[Req, translate.NoBody] {
	return translate.Ask[Req, translate.NoBody]{
		Say: func(r Req, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
			say(r, to.Query)
			return translate.NoBody{}, nil
		},
		Hear: func(_ translate.NoBody, from *translate.Request, _ *translate.Env) (r Req, err error) {
			hear(from.Query, &r)
			opts := canonical.ListOptions{Limit: canonical.MaxLimit, Sort: canonical.ByName}
			reflect.ValueOf(&r).Elem().FieldByName("ListOptions").Set(reflect.ValueOf(opts))
			return r, nil
		},
	}
}

// only is the one value of a filter, "" where there are none or several.
func only(q url.Values, key string) string {
	if len(q[key]) == 1 {
		return q[key][0]
	}
	return ""
}

// setQuery puts filters into a query; those that are empty ask for nothing.
func setQuery(q url.Values, filters map[string]string) {
	for key, value := range filters {
		if value != "" {
			q.Set(key, value)
		}
	}
}

// attributes is an item as its JSON has it.
type attributes = map[string]any

// neutronPage is the part of all that the request asks for.
func neutronPage[W any](all []W, env *translate.Env) ([]W, []link, error) {
	if env.Wire == nil || len(env.Wire.Query) == 0 {
		return all, nil, nil
	}
	q := env.Wire.Query
	known := keysOf(reflect.TypeFor[W]())
	if err := checkQuery(q, known); err != nil {
		return nil, nil, err
	}
	type row struct {
		item W
		has  attributes
	}
	var rows []row
	for _, item := range all {
		has, err := attributesOf(item)
		if err != nil {
			return nil, nil, err
		}
		if matches(has, q) {
			rows = append(rows, row{item, has})
		}
	}
	keys, dirs := q["sort_key"], q["sort_dir"]
	if len(keys) > 0 || q.Get("limit") != "" || q.Get("marker") != "" {
		slices.SortStableFunc(rows, func(a, b row) int { return compareBy(a.has, b.has, keys, dirs) })
	}
	from, to, err := pageOf(len(rows), func(i int) string { return texts(rows[i].has["id"])[0] }, q)
	if err != nil {
		return nil, nil, err
	}
	out := make([]W, 0, to-from)
	for _, r := range rows[from:to] {
		out = append(out, r.item)
	}
	var links []link
	if len(out) > 0 && q.Get("limit") != "" {
		first, last := texts(rows[from].has["id"])[0], texts(rows[to-1].has["id"])[0]
		links = pageLinks(env, first, last, from > 0, to < len(rows))
	}
	return out, links, nil
}

// pageLinks lead to the pages after and before this one.
func pageLinks(env *translate.Env, first, last string, before, after bool) []link {
	to := func(rel, marker string, reverse bool) link {
		q := url.Values{}
		for key, values := range env.Wire.Query {
			q[key] = values
		}
		q.Del("page_reverse")
		q.Set("marker", marker)
		if reverse {
			q.Set("page_reverse", "True")
		}
		return link{Rel: rel, Href: env.Base("network") + env.Wire.Path + "?" + q.Encode()}
	}
	var links []link
	if after {
		links = append(links, to("next", last, false))
	}
	if before {
		links = append(links, to("previous", first, true))
	}
	return links
}

// pageOf is which of n sorted rows are the page.
func pageOf(n int, id func(int) string, q url.Values) (from, to int, err error) {
	limit := n
	if text := q.Get("limit"); text != "" {
		got, err := strconv.Atoi(text)
		if err != nil || got < 0 {
			e := canonical.Errorf(canonical.InvalidRequest, "Bad limit request: Limit must be an integer 0 or greater and not '%s'.", text)
			e.Upstream = &canonical.Upstream{Code: "BadRequest", Message: e.Detail}
			return 0, 0, e
		}
		if got > 0 {
			limit = got
		}
	}
	reverse := yesWord(q.Get("page_reverse"))
	at := -1
	if marker := q.Get("marker"); marker != "" {
		for i := range n {
			if id(i) == marker {
				at = i
			}
		}
		if at < 0 {
			return 0, 0, canonical.Errorf(canonical.NotFound, "The marker %s could not be found.", marker)
		}
	}
	switch {
	case reverse && at < 0:
		return max(0, n-limit), n, nil
	case reverse:
		return max(0, at-limit), at, nil
	default:
		return at + 1, min(n, at+1+limit), nil
	}
}

func yesWord(text string) bool { return strings.EqualFold(text, "true") || text == "1" }

// keysOf are the attributes of a wire struct.
func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		keys = append(keys, name)
	}
	return keys
}

// tagFilters are the filters by tags that Neutron has.
var tagFilters = []string{"tags", "tags-any", "not-tags", "not-tags-any"}

// checkQuery refuses filters and sort keys that are no attributes.
func checkQuery(q url.Values, known []string) error {
	bad := func(keys []string, what string) error {
		slices.Sort(keys)
		return canonical.Errorf(canonical.InvalidRequest, "['%s'] is invalid attribute for %s", strings.Join(keys, "', '"), what)
	}
	var odd []string
	for key := range q {
		if !slices.Contains(reserved, key) && !slices.Contains(tagFilters, key) && !slices.Contains(known, key) {
			odd = append(odd, key)
		}
	}
	if len(odd) > 0 {
		return bad(odd, "filtering")
	}
	for _, key := range q["sort_key"] {
		if !slices.Contains(known, key) {
			return bad([]string{key}, "sort_keys")
		}
	}
	if n := len(q["sort_dir"]); n != len(q["sort_key"]) && n > 0 || n == 0 && len(q["sort_key"]) > 0 {
		return canonical.Errorf(canonical.InvalidRequest, "The number of sort_keys and sort_dirs must be same")
	}
	return nil
}

func attributesOf(item any) (attributes, error) {
	b, err := json.Marshal(item)
	if err != nil {
		return nil, canonical.Errorf(canonical.Internal, "an item does not encode: %v", err)
	}
	var has attributes
	if err := json.Unmarshal(b, &has); err != nil {
		return nil, canonical.Errorf(canonical.Internal, "an item does not decode: %v", err)
	}
	return has, nil
}

// texts are an attribute's values as a query has them.
func texts(v any) []string {
	switch x := v.(type) {
	case nil:
		return []string{""}
	case bool:
		return []string{strconv.FormatBool(x)}
	case float64:
		return []string{strconv.FormatFloat(x, 'f', -1, 64)}
	case []any:
		var all []string
		for _, item := range x {
			all = append(all, texts(item)...)
		}
		return all
	case map[string]any: // as fixed_ips=ip_address=10.0.0.5
		var all []string
		for key, value := range x {
			for _, text := range texts(value) {
				all = append(all, key+"="+text)
			}
		}
		return all
	default:
		return []string{fmt.Sprint(x)}
	}
}

// matches says whether an item passes all filters; of one that is given several times
// one value does.
func matches(has attributes, q url.Values) bool {
	for key, wanted := range q {
		switch {
		case slices.Contains(tagFilters, key):
			if !matchTags(texts(has["tags"]), key, wanted) {
				return false
			}
		case slices.Contains(reserved, key):
		case key == "fixed_ips":
			if !matchFixed(texts(has[key]), wanted) {
				return false
			}
		case !slices.ContainsFunc(wanted, func(want string) bool { return matchOne(has[key], want) }):
			return false
		}
	}
	return true
}

func matchOne(got any, want string) bool {
	if b, is := got.(bool); is {
		return b == yesWord(want) && (yesWord(want) || strings.EqualFold(want, "false") || want == "0")
	}
	return slices.Contains(texts(got), want)
}

// matchFixed is the filter by addresses, which may name a part of one.
func matchFixed(got, wanted []string) bool {
	for _, want := range wanted {
		part, like := strings.CutPrefix(want, "ip_address_substr=")
		if !slices.ContainsFunc(got, func(g string) bool {
			ip, isIP := strings.CutPrefix(g, "ip_address=")
			return g == want || like && isIP && strings.Contains(ip, part)
		}) {
			return false
		}
	}
	return true
}

func matchTags(got []string, key string, wanted []string) bool {
	n, all := 0, 0
	for _, list := range wanted {
		for tag := range strings.SplitSeq(list, ",") {
			if all++; slices.Contains(got, tag) {
				n++
			}
		}
	}
	switch key {
	case "tags":
		return n == all
	case "tags-any":
		return n > 0
	case "not-tags":
		return n < all
	default:
		return n == 0
	}
}

func compareBy(a, b attributes, keys, dirs []string) int {
	for i, key := range keys {
		c := compareValues(a[key], b[key])
		if i < len(dirs) && dirs[i] == "desc" {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return compareValues(a["id"], b["id"])
}

func compareValues(a, b any) int {
	x, isX := a.(float64)
	y, isY := b.(float64)
	if isX && isY {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(strings.Join(texts(a), ","), strings.Join(texts(b), ","))
}

// chosenFields are the attributes that a client wants to see; nil: all.
func chosenFields(env *translate.Env) []string {
	if env.Wire == nil {
		return nil
	}
	return env.Wire.Query["fields"]
}

// neutronRow is a row of Neutron's.
func neutronRow(id, method, path string, op *canonical.Spec, r translate.Route) translate.Route {
	r.ID, r.Service, r.Method, r.Path, r.Op = "neutron."+id, "network", method, "/v2.0/"+path, op
	switch {
	case r.Status != 0:
	case method == "POST":
		r.Status = 201
	case method == "DELETE":
		r.Status = 204
	default:
		r.Status = 200
	}
	if r.Fields == nil && method == "GET" {
		r.Fields = chosenFields
	}
	return r
}

// ownerOf is the project of what is said, both by its old name and its new.
func ownerOf(project *string, env *translate.Env) string {
	if project != nil && *project != "" {
		return *project
	}
	return env.Project
}

// noOther refuses to make things for another project: clouds have one account a tenant.
func noOther(env *translate.Env, projects ...string) error {
	for _, p := range projects {
		if p != "" && p != env.Project {
			return canonical.Errorf(canonical.Forbidden, "things of another project are made with a key of its tenant")
		}
	}
	return nil
}

// textOrEmpty is a description: Neutron's are never null.
func textOrEmpty(o canonical.Opt[string]) canonical.Opt[string] {
	if o.IsNull() {
		return canonical.Some("")
	}
	return o
}

func listOrEmpty[T any](o canonical.Opt[[]T]) canonical.Opt[[]T] {
	if o.IsNull() {
		return canonical.Some([]T{})
	}
	return o
}

// mapOpt is o with its value made another.
func mapOpt[A, B any](o canonical.Opt[A], f func(A) B) canonical.Opt[B] {
	switch v, ok := o.Get(); {
	case ok:
		return canonical.Some(f(v))
	case o.IsNull():
		return canonical.Null[B]()
	}
	return canonical.Opt[B]{}
}

func idsOf[T ~string](all []T) []string {
	out := make([]string, len(all))
	for i, id := range all {
		out[i] = string(id)
	}
	return out
}

func asIDs[T ~string](all []string) []T {
	out := make([]T, len(all))
	for i, id := range all {
		out[i] = T(id)
	}
	return out
}

func idText(id *canonical.ID) *string {
	if id == nil || *id == "" {
		return nil
	}
	text := string(*id)
	return &text
}

func textID(text *string) *canonical.ID {
	if text == nil || *text == "" {
		return nil
	}
	id := canonical.ID(*text)
	return &id
}
