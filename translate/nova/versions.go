package nova

import "github.com/dragoman-cloud/dragoman/translate"

type mediaType struct {
	Base string `json:"base"`
	Type string `json:"type"`
}

type versionEntry struct {
	ID         string      `json:"id"`
	Status     string      `json:"status"`
	Version    string      `json:"version,omitempty"`
	MinVersion string      `json:"min_version,omitempty"`
	Updated    string      `json:"updated,omitempty"`
	Links      []link      `json:"links"`
	MediaTypes []mediaType `json:"media-types,omitempty"`
}

type versionBody struct {
	Version versionEntry `json:"version"`
}

type versionsBody struct {
	Versions []versionEntry `json:"versions"`
}

// computeVersion is the document of compute v2.1, whose base is that version.
func computeVersion(env *translate.Env) (int, any) {
	return 200, versionBody{versionEntry{
		ID: "v2.1", Status: "CURRENT", Version: MaxVersion.String(), MinVersion: MinVersion.String(),
		Updated: "2013-07-23T11:33:21Z",
		Links: []link{
			{Rel: "self", Href: env.Base("compute") + "/"},
			{Rel: "describedby", Type: "text/html", Href: "http://docs.openstack.org/"},
		},
		MediaTypes: []mediaType{{"application/json", "application/vnd.openstack.compute+json;version=2.1"}},
	}}
}

func imageVersions(status int) func(env *translate.Env) (int, any) {
	return func(env *translate.Env) (int, any) {
		return status, versionsBody{[]versionEntry{{
			ID: "v2.15", Status: "CURRENT", Links: []link{{Rel: "self", Href: env.Base("image") + "/v2/"}},
		}}}
	}
}

func networkVersions(env *translate.Env) (int, any) {
	return 200, versionsBody{[]versionEntry{{
		ID: "v2.0", Status: "CURRENT", Links: []link{{Rel: "self", Href: env.Base("network") + "/v2.0/"}},
	}}}
}

type resourceEntry struct {
	Name       string `json:"name"`
	Collection string `json:"collection"`
	Links      []link `json:"links"`
}

type resourcesBody struct {
	Resources []resourceEntry `json:"resources"`
}

func networkResources(env *translate.Env) (int, any) {
	return 200, resourcesBody{[]resourceEntry{{
		Name: "network", Collection: "networks",
		Links: []link{{Rel: "self", Href: env.Base("network") + "/v2.0/networks"}},
	}}}
}

func versionRoutes() []translate.Route {
	document := func(id, service, path string, f func(*translate.Env) (int, any)) translate.Route {
		return translate.Route{ID: id, Service: service, Method: "GET", Path: path, Static: f, Open: true}
	}
	return []translate.Route{
		document("nova.version.show", "compute", "", computeVersion),
		document("nova.version.show_slash", "compute", "/", computeVersion),
		document("glance.version.list", "image", "", imageVersions(300)),
		document("glance.version.list_slash", "image", "/", imageVersions(300)),
		document("glance.version.list_all", "image", "/versions", imageVersions(200)),
		document("neutron.version.list", "network", "", networkVersions),
		document("neutron.version.list_slash", "network", "/", networkVersions),
		document("neutron.version.show", "network", "/v2.0", networkResources),
		document("neutron.version.show_slash", "network", "/v2.0/", networkResources),
	}
}
