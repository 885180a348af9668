package nova

import (
	"net/url"
	"strings"

	"github.com/dragoman-cloud/dragoman/translate"
)

type link struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
	Type string `json:"type,omitempty"`
}

// linksOf are the two links of a resource of compute; kind is its collection.
func linksOf(env *translate.Env, kind, id string) []link {
	return []link{
		{Rel: "self", Href: env.Base("compute") + "/" + kind + "/" + url.PathEscape(id)},
		bookmark(env, kind, id),
	}
}

// bookmark is the link that names no version.
func bookmark(env *translate.Env, kind, id string) link {
	base := env.Base("compute")
	if i := strings.LastIndex(base, "/v2"); i >= 0 {
		base = base[:i]
	}
	return link{Rel: "bookmark", Href: base + "/" + kind + "/" + url.PathEscape(id)}
}

// nextPath is the path and query of the page after the one that ends with last.
func nextPath(env *translate.Env, last string) string {
	q := url.Values{}
	path := ""
	if env.Wire != nil {
		path = env.Wire.Path
		for k, vs := range env.Wire.Query {
			q[k] = vs
		}
	}
	q.Set("marker", last)
	return path + "?" + q.Encode()
}

// nextLinks are the <collection>_links of a page; nil at the end.
func nextLinks(env *translate.Env, service, cursor, last string) []link {
	if cursor == "" || last == "" {
		return nil
	}
	return []link{{Rel: "next", Href: env.Base(service) + nextPath(env, last)}}
}

// follow is the request for the page that a next link names: the one that asked,
// with the link's query. nil: there is no such link.
func follow(links []link, asked *translate.Request) *translate.Request {
	for _, l := range links {
		if l.Rel != "next" {
			continue
		}
		return followHref(l.Href, asked)
	}
	return nil
}

func followHref(href string, asked *translate.Request) *translate.Request {
	u, err := url.Parse(href)
	if err != nil || u.Query().Get("marker") == "" {
		return nil
	}
	next := *asked
	next.Query = u.Query()
	return &next
}
