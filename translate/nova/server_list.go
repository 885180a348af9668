package nova

import (
	"net/url"
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
		if r.ID != "" {
			to.Query.Set("uuid", string(r.ID)) // heeded for operators; the engine filters again
		}
		if r.ChangedSince != nil {
			to.Query.Set("changes-since", words.Stamp(r.ChangedSince, zoned))
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
	r.AvailabilityZone, r.Keypair = canonical.Ref(q.Get("availability_zone")), q.Get("key_name")
	if operator {
		r.Host = q.Get("host")
	}
	if env.Version.AtLeast(v(26)) {
		for key, value := range tagQueries(&r) {
			*value = q.Get(key)
		}
	}
	if r.ChangedSince, err = hearChanged(q); err != nil {
		return r, err
	}
	r.ID = canonical.ID(q.Get("uuid"))
	statuses := hearStatuses(q["status"])
	switch deleted, _ := strconv.ParseBool(q.Get("deleted")); {
	case deleted && operator:
		r.Status = canonical.ServerDeleted
	case slices.Contains(statuses, canonical.ServerDeleted) && !operator && env.Dialect != easyStack:
		return r, canonical.Errorf(canonical.Forbidden, "Only administrators may list deleted instances")
	case len(statuses) == 1 && statuses[0] != "":
		r.Status = statuses[0]
	}
	setFact(env, factKeep, serverKeeper(from, statuses, operator))
	return r, nil
}

// hearChanged is the time since which servers have changed; nil: it does not matter.
// Who asks for those that changed before a time is told of the deleted ones, too.
func hearChanged(q url.Values) (*time.Time, error) {
	for _, key := range []string{"changes-since", "changes-before"} {
		if text := q.Get(key); q.Has(key) && dateTime(text) == nil {
			return nil, canonical.Errorf(canonical.InvalidRequest,
				"Invalid input for query parameters %s. Value: %s. '%s' is not a 'date-time'", key, text, text)
		}
	}
	since, before := dateTime(q.Get("changes-since")), dateTime(q.Get("changes-before"))
	switch {
	case since != nil && before != nil && since.After(*before):
		return nil, canonical.Errorf(canonical.InvalidRequest, "The value of changes-since must be less than or equal to changes-before.")
	case since == nil && before != nil:
		begin := time.Unix(0, 0).UTC()
		since = &begin
	}
	return since, nil
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
func serverKeeper(from *translate.Request, statuses []canonical.ServerStatus, operator bool) func(*canonical.Server) bool {
	q := from.Query
	name, ip, ip6 := pattern(q.Get("name")), pattern(q.Get("ip")), pattern(q.Get("ip6"))
	before := dateTime(q.Get("changes-before"))
	deleted, err := strconv.ParseBool(q.Get("deleted"))
	undeleted := operator && q.Has("deleted") && (err != nil || !deleted)
	return func(s *canonical.Server) bool {
		switch {
		case !name(s.Name), undeleted && s.Status == canonical.ServerDeleted:
			return false
		case len(statuses) > 0 && !slices.Contains(statuses, s.Status):
			return false
		case before != nil && s.UpdatedAt != nil && s.UpdatedAt.After(*before):
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

// needServerMarker looks up the marker of a page of servers. One that is deleted is no
// server any more, but a list of what has changed has it.
func needServerMarker() translate.Need {
	live := needMarker(canonical.GetServer, func(id canonical.ID) canonical.ServerGet { return canonical.ServerGet{ID: id} })
	begin := time.Unix(0, 0).UTC()
	return translate.Need{
		Fact: factMarker, Unshown: true,
		Hear: func(from *translate.Request) (canonical.Call, bool) {
			q := from.Query
			if !q.Has("changes-since") && !q.Has("changes-before") && !q.Has("deleted") && !strings.EqualFold(q.Get("status"), "deleted") {
				return live.Hear(from)
			}
			id := q.Get("marker")
			return translate.Question(canonical.ListServers, canonical.ServerList{ID: canonical.ID(id), ChangedSince: &begin}), id != ""
		},
		Pick: func(result any, _ *translate.Env) any {
			switch found := result.(type) {
			case canonical.Page[canonical.Server]:
				if len(found.Items) == 1 {
					return found.Items[0]
				}
				return nil
			default:
				return found
			}
		},
	}
}
