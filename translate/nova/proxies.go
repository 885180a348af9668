package nova

import (
	"net/url"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// computeExtension is a part of Nova's API, as clients of before microversions ask for.
type computeExtension struct {
	extension
	Namespace string `json:"namespace"`
}

// computeExtensions are those whose calls and fields the rows serve.
var computeExtensions = []computeExtension{
	newComputeExtension("OS-DCF", "DiskConfig", "How disks of servers are parted"),
	newComputeExtension("OS-EXT-AZ", "ExtendedAvailabilityZone", "Zones of servers"),
	newComputeExtension("OS-EXT-IPS", "ExtendedIps", "Kinds of addresses"),
	newComputeExtension("OS-EXT-IPS-MAC", "ExtendedIpsMac", "MAC addresses of addresses"),
	newComputeExtension("OS-EXT-SRV-ATTR", "ExtendedServerAttributes", "Hosts of servers, for operators"),
	newComputeExtension("OS-EXT-STS", "ExtendedStatus", "Tasks and power of servers"),
	newComputeExtension("OS-FLV-DISABLED", "FlavorDisabled", "Flavors that are not offered any more"),
	newComputeExtension("OS-FLV-EXT-DATA", "FlavorExtraData", "Ephemeral disks of flavors"),
	newComputeExtension("OS-SCH-HNT", "SchedulerHints", "Hints to the scheduler"),
	newComputeExtension("OS-SRV-USG", "ServerUsage", "When servers were launched and ended"),
	newComputeExtension("os-admin-actions", "AdminActions", "Actions of operators on servers"),
	newComputeExtension("os-aggregates", "Aggregates", "Groups of hosts"),
	newComputeExtension("os-attach-interfaces", "AttachInterfaces", "Interfaces of servers"),
	newComputeExtension("os-availability-zone", "AvailabilityZone", "Zones"),
	newComputeExtension("os-console-output", "ConsoleOutput", "What servers print"),
	newComputeExtension("os-evacuate", "Evacuate", "Servers of a failed host built elsewhere"),
	newComputeExtension("os-extended-volumes", "ExtendedVolumes", "Volumes of servers"),
	newComputeExtension("os-flavor-access", "FlavorAccess", "Projects that may use a flavor"),
	newComputeExtension("os-flavor-extra-specs", "FlavorExtraSpecs", "Extra specs of flavors"),
	newComputeExtension("os-flavor-manage", "FlavorManage", "Flavors made and deleted"),
	newComputeExtension("os-hosts", "Hosts", "Hosts, for operators"),
	newComputeExtension("os-hypervisors", "Hypervisors", "Hypervisors, for operators"),
	newComputeExtension("os-instance-actions", "InstanceActions", "What was done to servers"),
	newComputeExtension("os-keypairs", "Keypairs", "Keypairs"),
	newComputeExtension("os-lock-server", "LockServer", "Servers locked against changes"),
	newComputeExtension("os-migrate-server", "MigrateServer", "Servers moved to other hosts"),
	newComputeExtension("os-migrations", "Migrations", "Migrations of servers"),
	newComputeExtension("os-multiple-create", "MultipleCreate", "Many servers made by one call"),
	newComputeExtension("os-pause-server", "PauseServer", "Servers paused"),
	newComputeExtension("os-quota-sets", "Quotas", "Quotas"),
	newComputeExtension("os-rescue", "Rescue", "Servers rescued"),
	newComputeExtension("os-security-groups", "SecurityGroups", "Security groups of servers"),
	newComputeExtension("os-server-diagnostics", "ServerDiagnostics", "Diagnostics of servers"),
	newComputeExtension("os-server-groups", "ServerGroups", "Groups of servers"),
	newComputeExtension("os-server-password", "ServerPassword", "Passwords of servers"),
	newComputeExtension("os-server-start-stop", "ServerStartStop", "Servers started and stopped"),
	newComputeExtension("os-services", "Services", "Services of hosts"),
	newComputeExtension("os-shelve", "Shelve", "Servers shelved"),
	newComputeExtension("os-suspend-server", "SuspendServer", "Servers suspended"),
	newComputeExtension("os-used-limits", "UsedLimits", "What is used of limits"),
	newComputeExtension("os-user-data", "UserData", "User data of servers"),
	newComputeExtension("os-volumes", "Volumes", "Volumes attached to servers"),
}

func newComputeExtension(alias, name, description string) computeExtension {
	return computeExtension{
		extension{Name: name, Alias: alias, Description: description, Updated: "2014-12-03T00:00:00Z", Links: []link{}},
		"http://docs.openstack.org/compute/ext/fake_xml",
	}
}

func showComputeExtension(env *translate.Env) (int, any) {
	alias := env.Wire.Params["alias"]
	if i := slices.IndexFunc(computeExtensions, func(e computeExtension) bool { return e.Alias == alias }); i >= 0 {
		return 200, map[string]computeExtension{"extension": computeExtensions[i]}
	}
	return 404, map[string]any{"itemNotFound": map[string]any{"code": 404, "message": "The resource could not be found."}}
}

type secGroupProxyBody struct {
	Group serverSecGroup `json:"security_group"`
}

// secGroupProxies are Nova's own views of security groups, of before 2.36. Clients
// find by them the group that a server gets.
func secGroupProxies() []translate.Route {
	list := asList(func(canonical.SecurityGroupList, url.Values) {}, func(url.Values, *canonical.SecurityGroupList) {})
	const path = "/os-security-groups"
	return []translate.Route{
		{
			ID: "nova.security_group.list", Service: "compute", Method: "GET", Path: path, Op: canonical.ListSecurityGroups.Spec(),
			Until: v(35), Can: never, Ask: list, Status: 200, Answer: serverSecGroupsAnswer,
		},
		{
			ID: "nova.security_group.show", Service: "compute", Method: "GET", Path: path + "/{id}", Op: canonical.GetSecurityGroup.Spec(),
			Until: v(35), Can: never, Ask: translate.ByPath[canonical.SecurityGroupGet](), Status: 200,
			Answer: translate.Answer[canonical.SecurityGroup, secGroupProxyBody]{
				Say: func(r canonical.TypedReply[canonical.SecurityGroup], env *translate.Env, _ *translate.Response) (secGroupProxyBody, error) {
					return secGroupProxyBody{sayServerSecGroup(r.Result, env)}, nil
				},
				Hear: func(w secGroupProxyBody, _ *translate.Response, _ *translate.Env) (canonical.SecurityGroup, error) {
					return hearServerSecGroup(w.Group), nil
				},
			},
		},
	}
}

func proxyRoutes() []translate.Route {
	return append(secGroupProxies(),
		translate.Route{ID: "nova.extension.list", Service: "compute", Method: "GET", Path: "/extensions", Static: func(*translate.Env) (int, any) {
			return 200, map[string][]computeExtension{"extensions": computeExtensions}
		}},
		translate.Route{ID: "nova.extension.show", Service: "compute", Method: "GET", Path: "/extensions/{alias}", Static: showComputeExtension},
	)
}
