package nova

import (
	"slices"

	"github.com/dragoman-cloud/dragoman/translate"
)

// netExtension is a part of Neutron's API that clients ask for by its alias.
type netExtension struct {
	Name        string `json:"name"`
	Alias       string `json:"alias"`
	Description string `json:"description"`
	Updated     string `json:"updated"`
	Links       []any  `json:"links"`
}

// extensions are those that the rows serve. Clients take what is not here for not
// offered.
var extensions = []netExtension{
	newExtension("Allowed Address Pairs", "allowed-address-pairs", "Addresses that a port may send from beside its own"),
	newExtension("Port Binding", "binding", "The host of a port, for operators"),
	newExtension("Neutron external network", "external-net", "Networks that lead out of the cloud"),
	newExtension("Neutron L3 Router", "router", "Routers, to be read, and floating IPs"),
	newExtension("Network MTU", "net-mtu", "The MTU of a network"),
	newExtension("Network MTU (writable)", "net-mtu-writable", "The MTU of a network, to be changed"),
	newExtension("Pagination support", "pagination", "Pages of lists"),
	newExtension("Port Security", "port-security", "Ports that are not filtered"),
	newExtension("project_id field enabled", "project-id", "Things tell their project as project_id"),
	newExtension("Sorting support", "sorting", "Lists sorted by attributes"),
	newExtension("Quota management support", "quotas", "Limits of the own project, to be read"),
	newExtension("Quota details management support", "quota_details", "Limits with what is used"),
	newExtension("security-group", "security-group", "Groups of rules that say what ports let pass"),
	newExtension("Stateful security group", "stateful-security-group", "Groups whose answers are let pass, or not"),
	newExtension("IP address substring filtering", "ip-substring-filtering", "Ports by a part of their addresses"),
	newExtension("Resource revision numbers", "standard-attr-revisions", "Things tell how often they changed"),
	newExtension("standard-attr-description", "standard-attr-description", "Things have descriptions"),
	newExtension("Resource timestamps", "standard-attr-timestamp", "Things tell when they were made and changed"),
}

func newExtension(name, alias, description string) netExtension {
	return netExtension{name, alias, description, "2026-11-01T00:00:00-00:00", []any{}}
}

type netExtensionBody struct {
	Extension netExtension `json:"extension"`
}

type netExtensionsBody struct {
	Extensions []netExtension `json:"extensions"`
}

func extensionRoutes() []translate.Route {
	return []translate.Route{
		neutronRow("extension.list", "GET", "extensions", nil, translate.Route{
			Static: func(*translate.Env) (int, any) { return 200, netExtensionsBody{extensions} },
		}),
		neutronRow("extension.show", "GET", "extensions/{alias}", nil, translate.Route{
			Static: func(env *translate.Env) (int, any) {
				alias := env.Wire.Params["alias"]
				if i := slices.IndexFunc(extensions, func(e netExtension) bool { return e.Alias == alias }); i >= 0 {
					return 200, netExtensionBody{extensions[i]}
				}
				f := neutronFault{}
				f.NeutronError.Type, f.NeutronError.Message = "HTTPNotFound", "Extension with alias "+alias+" does not exist"
				return 404, f
			},
		}),
		neutronRow("availability_zone.list", "GET", "availability_zones", nil, translate.Route{
			Static: func(*translate.Env) (int, any) { return 200, map[string][]any{"availability_zones": {}} },
		}),
	}
}
