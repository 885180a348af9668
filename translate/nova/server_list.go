package nova

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// serverQueries are the query keys of server lists; from 2.75 others are refused.
var serverQueries = []string{
	"limit", "marker", "sort_key", "sort_dir", "name", "status", "image", "flavor", "host", "all_tenants",
	"tenant_id", "project_id", "changes-since", "changes-before", "deleted", "availability_zone", "key_name", "ip", "ip6",
	"tags", "tags-any", "not-tags", "not-tags-any", "reservation_id", "user_id", "uuid", "vm_state", "task_state",
	"power_state", "config_drive", "hostname", "node", "locked", "description", "access_ip_v4", "access_ip_v6",
	"created_at", "launched_at", "terminated_at", "launch_index", "kernel_id", "ramdisk_id", "root_device_name",
	"progress", "auto_disk_config", "soft_deleted", "instance_type_id", "display_name", "image_ref",
}

var askServers = translate.Ask[canonical.ServerList, translate.NoBody]{
	Say: func(r canonical.ServerList, env *translate.Env, to *translate.Request) (translate.NoBody, error) {
		if r.Status != "" && r.Status != canonical.ServerUnknown && r.Status != canonical.ServerRebooting {
			to.Query.Set("status", words.SayStatus(r.Status, ""))
		}
		if name := r.Name + r.NamePrefix; name != "" && regexp.QuoteMeta(name) == name {
			to.Query.Set("name", name) // a pattern that may match more; the engine filters again
		}
		if r.ByTags() && !env.Version.IsZero() && !env.Version.AtLeast(v(26)) {
			return translate.NoBody{}, words.Refuse("tags", "needs version 2.26 of the cloud's API")
		}
		for key, value := range tagQueries(&r) {
			if *value != "" {
				to.Query.Set(key, *value)
			}
		}
		return translate.NoBody{}, nil
	},
	Hear: hearServerList,
}

// tagQueries are the filters by tags, of 2.26 and later, by their keys.
func tagQueries(r *canonical.ServerList) map[string]*string {
	return map[string]*string{"tags": &r.Tags, "tags-any": &r.TagsAny, "not-tags": &r.NotTags, "not-tags-any": &r.NotTagsAny}
}

func hearServerList(_ translate.NoBody, from *translate.Request, env *translate.Env) (canonical.ServerList, error) {
	var r canonical.ServerList
	q := from.Query
	if env.Version.AtLeast(v(75)) {
		for key := range q {
			if !slices.Contains(serverQueries, key) {
				return r, canonical.Errorf(canonical.InvalidRequest,
					"Additional properties are not allowed ('%s' was unexpected)", key)
			}
		}
	}
	operator := env.Role.AtLeast(canonical.Operator)
	if all, err := strconv.ParseBool(q.Get("all_tenants")); q.Has("all_tenants") && (all || err != nil) && !operator {
		view := "index"
		if strings.HasSuffix(from.Path, "/detail") {
			view = "detail"
		}
		return r, canonical.Errorf(canonical.Forbidden,
			"Policy doesn't allow os_compute_api:servers:%s:get_all_tenants to be performed.", view)
	}
	by, err := serverOrder(q.Get("sort_key"), q.Get("sort_dir"))
	if err != nil {
		return r, err
	}
	if r.ListOptions, err = hearPaging(from, env, by); err != nil {
		return r, err
	}
	r.Flavor, r.Image = canonical.ID(q.Get("flavor")), canonical.ID(q.Get("image"))
	r.AvailabilityZone, r.Keypair = q.Get("availability_zone"), q.Get("key_name")
	if operator {
		r.Host = q.Get("host")
	}
	if env.Version.AtLeast(v(26)) {
		for key, value := range tagQueries(&r) {
			*value = q.Get(key)
		}
	}
	for _, key := range []string{"changes-since", "changes-before"} {
		if text := q.Get(key); q.Has(key) && dateTime(text) == nil {
			return r, canonical.Errorf(canonical.InvalidRequest,
				"Invalid input for query parameters %s. Value: %s. '%s' is not a 'date-time'", key, text, text)
		}
	}
	statuses := hearStatuses(q["status"])
	switch deleted, _ := strconv.ParseBool(q.Get("deleted")); {
	case deleted && operator:
		r.Status = canonical.ServerDeleted
	case len(statuses) == 1 && statuses[0] != "":
		r.Status = statuses[0]
	}
	setFact(env, factKeep, serverKeeper(from, statuses))
	return r, nil
}

// hearStatuses are the statuses that the words mean; "" is one that no server has.
func hearStatuses(asked []string) []canonical.ServerStatus {
	var out []canonical.ServerStatus
	for _, word := range asked {
		s, _ := words.Status(strings.ToUpper(word))
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// serverOrder is the canonical order for Nova's sort_key and sort_dir.
func serverOrder(key, dir string) (pagingOf, error) {
	up := dir == "asc"
	switch {
	case key == "" || key == "created_at":
		if up {
			return pagingOf(canonical.OldestFirst), nil
		}
		return pagingOf(canonical.NewestFirst), nil
	case key == "display_name" && up:
		return pagingOf(canonical.ByName), nil
	case key == "display_name":
		return pagingOf(canonical.ByNameDesc), nil
	}
	return "", canonical.Errorf(canonical.InvalidRequest,
		"Invalid input for query parameters sort_key. Value: %s. '%s' is not one of ['created_at', 'display_name']", key, key)
}

// serverKeeper is the filters that canonical lists lack: name and address by
// pattern (case does not count, as in Nova's database), several statuses.
func serverKeeper(from *translate.Request, statuses []canonical.ServerStatus) func(*canonical.Server) bool {
	q := from.Query
	name, ip, ip6 := pattern(q.Get("name")), pattern(q.Get("ip")), pattern(q.Get("ip6"))
	since, before := dateTime(q.Get("changes-since")), dateTime(q.Get("changes-before"))
	return func(s *canonical.Server) bool {
		switch {
		case !name(s.Name), q.Get("uuid") != "" && string(s.ID) != q.Get("uuid"):
			return false
		case len(statuses) > 0 && !slices.Contains(statuses, s.Status):
			return false
		case since != nil && s.UpdatedAt != nil && s.UpdatedAt.Before(*since),
			before != nil && s.UpdatedAt != nil && s.UpdatedAt.After(*before):
			return false
		}
		return hasAddress(s, 4, q.Get("ip"), ip) && hasAddress(s, 6, q.Get("ip6"), ip6)
	}
}

// dateTime is a time as Nova's clients write it, a date alone too; nil for what is none.
func dateTime(text string) *time.Time {
	if t := words.Time(strings.Replace(text, " ", "T", 1)); t != nil {
		return t
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04Z07:00", "20060102T150405Z"} {
		if t, err := time.Parse(layout, text); err == nil {
			return &t
		}
	}
	return nil
}

func hasAddress(s *canonical.Server, version int, asked string, like func(string) bool) bool {
	return asked == "" || slices.ContainsFunc(s.Addresses, func(a canonical.Address) bool {
		return a.Version == version && like(a.IP)
	})
}

// pattern matches a regular expression; what is none is looked for as it stands.
func pattern(expr string) func(string) bool {
	if expr == "" {
		return func(string) bool { return true }
	}
	re, err := regexp.Compile("(?i)" + expr)
	if err != nil {
		return func(s string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(expr)) }
	}
	return re.MatchString
}

func setFact(env *translate.Env, name string, fact any) {
	if env.Facts == nil {
		env.Facts = map[string]any{}
	}
	env.Facts[name] = fact
}

var serversAnswer = translate.List[canonical.Server, serversBody]{
	Say: func(p canonical.Page[canonical.Server], env *translate.Env, _ *translate.Response) (serversBody, error) {
		w := serversBody{make([]server, len(p.Items)), nextLinks(env, "compute", p.NextCursor, lastID(p.Items))}
		for i, s := range p.Items {
			w.Servers[i] = sayServer(s, env, listed)
		}
		return w, nil
	},
	Hear: func(w serversBody, _ *translate.Response, env *translate.Env) ([]canonical.Server, error) {
		out := make([]canonical.Server, len(w.Servers))
		for i, s := range w.Servers {
			out[i] = hearServer(s, env)
		}
		return out, nil
	},
	Next: func(w serversBody, asked *translate.Request, _ []canonical.Server) *translate.Request {
		return follow(w.Links, asked)
	},
	Keep: keepBy[canonical.Server],
}

type serverBrief struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Links []link `json:"links,omitempty"`
}

type serverBriefsBody struct {
	Servers []serverBrief `json:"servers"`
	Links   []link        `json:"servers_links,omitempty"`
}

var serverBriefsAnswer = translate.List[canonical.Server, serverBriefsBody]{
	Say: func(p canonical.Page[canonical.Server], env *translate.Env, _ *translate.Response) (serverBriefsBody, error) {
		w := serverBriefsBody{make([]serverBrief, len(p.Items)), nextLinks(env, "compute", p.NextCursor, lastID(p.Items))}
		for i, s := range p.Items {
			w.Servers[i] = serverBrief{string(s.ID), s.Name, linksOf(env, "servers", string(s.ID))}
		}
		return w, nil
	},
	Hear: func(w serverBriefsBody, _ *translate.Response, _ *translate.Env) ([]canonical.Server, error) {
		out := make([]canonical.Server, len(w.Servers))
		for i, s := range w.Servers {
			out[i] = begun(canonical.ID(s.ID), canonical.ServerUnknown)
			out[i].Name = s.Name
		}
		return out, nil
	},
	Next: func(w serverBriefsBody, asked *translate.Request, _ []canonical.Server) *translate.Request {
		return follow(w.Links, asked)
	},
	Keep: keepBy[canonical.Server],
}
