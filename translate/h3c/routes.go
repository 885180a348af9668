package h3c

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// Compute is the service of all rows: below it are the gateway's prefixes.
const Compute = "compute"

const (
	servers = "/os/compute/v1/v2/{tenant_id}/servers"
	flavors = "/os/compute/v1/v2/{tenant_id}/flavors"
)

// Table is the dialect.
func Table() *translate.Table {
	return &translate.Table{
		Dialect: "h3c", HearError: hearError, SayError: sayError,
		Rows: []translate.Route{
			{
				ID: "h3c.server.create", Service: Compute, Method: "POST", Path: servers, Status: 202,
				Op: canonical.CreateServer.Spec(), Needs: []translate.Need{zones},
				Ask:    translate.Ask[canonical.ServerCreate, createBody]{Say: sayCreate, Hear: hearCreate},
				Answer: translate.Answer[canonical.ServersCreated, createdBody]{Say: sayCreated, Hear: hearCreated},
				Done:   created,
			},
			{
				ID: "h3c.server.list_detail", Service: Compute, Method: "GET", Path: servers + "/detail", Status: 200,
				Op:     canonical.ListServers.Spec(),
				Ask:    translate.Ask[canonical.ServerList, translate.NoBody]{Say: sayList, Hear: hearList},
				Answer: translate.List[canonical.Server, serversBody]{Say: sayServers, Hear: hearServers, Whole: true, Next: nextServers},
			},
			{
				ID: "h3c.server.show", Service: Compute, Method: "GET", Path: servers + "/{server_id}", Status: 200,
				Op:     canonical.GetServer.Spec(),
				Ask:    translate.ByID[canonical.ServerGet]("server_id"),
				Answer: translate.Answer[canonical.Server, serverBody]{Say: sayShown, Hear: hearShown},
			},
			{
				ID: "h3c.availability_zone.list", Service: Compute, Method: "GET", Path: "/os/compute/v1/cloudos/azones", Status: 200,
				Op:     canonical.ListAvailabilityZones.Spec(),
				Ask:    all(canonical.AvailabilityZoneList{ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit}}),
				Answer: translate.List[canonical.AvailabilityZone, []zone]{Say: sayZones, Hear: hearZones, Whole: true},
			},
			{
				ID: "h3c.flavor.list_detail", Service: Compute, Method: "GET", Path: flavors + "/detail", Status: 200,
				Op:     canonical.ListFlavors.Spec(),
				Ask:    all(canonical.FlavorList{ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit}}),
				Answer: translate.List[canonical.Flavor, flavorsBody]{Say: sayFlavors, Hear: hearFlavors, Whole: true},
			},
			{
				ID: "h3c.flavor.show", Service: Compute, Method: "GET", Path: flavors + "/{flavor_id}", Status: 200,
				Op:     canonical.GetFlavor.Spec(),
				Ask:    translate.ByID[canonical.FlavorGet]("flavor_id"),
				Answer: translate.Answer[canonical.Flavor, flavorBody]{Say: sayFlavor, Hear: hearFlavor},
			},
		},
	}
}

// all asks for everything: the call has no parameters.
func all[Req any](everything Req) translate.Ask[Req, translate.NoBody] {
	return translate.Ask[Req, translate.NoBody]{
		Say: func(Req, *translate.Env, *translate.Request) (translate.NoBody, error) {
			return translate.NoBody{}, nil
		},
		Hear: func(translate.NoBody, *translate.Request, *translate.Env) (Req, error) { return everything, nil },
	}
}
