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

// updated is when Nova's API v2.1 was fixed; clients parse it.
const updated = "2013-07-23T11:33:21Z"

// computeVersion is the document of compute v2.1, whose base is that version.
func computeVersion(env *translate.Env) (int, any) {
	return 200, versionBody{versionEntry{
		ID: "v2.1", Status: "CURRENT", Version: MaxVersion.String(), MinVersion: MinVersion.String(),
		Updated: updated,
		Links: []link{
			{Rel: "self", Href: env.Base("compute") + "/"},
			{Rel: "describedby", Type: "text/html", Href: "http://docs.openstack.org/"},
		},
		MediaTypes: []mediaType{{"application/json", "application/vnd.openstack.compute+json;version=2.1"}},
	}}
}

// computeVersions is the list that compute's root gives. Of the two that a real Nova
// lists we speak the newer.
func computeVersions(env *translate.Env) (int, any) {
	return 200, versionsBody{[]versionEntry{{
		ID: "v2.1", Status: "CURRENT", Version: MaxVersion.String(), MinVersion: MinVersion.String(),
		Updated: updated, Links: []link{{Rel: "self", Href: env.Base("compute") + "/"}},
	}}}
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
		document("nova.version.list", "compute-root", "", computeVersions),
		document("nova.version.list_slash", "compute-root", "/", computeVersions),
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
