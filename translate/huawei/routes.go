package huawei

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// The services of the dialect.
const (
	Compute = "compute"
	Network = "network"
	Image   = "image"
)

// Table is the dialect. Where rows share a call the first that fits wins.
func Table() *translate.Table {
	action := "/v2.1/{tenant_id}/servers/{server_id}/action"
	answer := translate.Answer[canonical.Server, serverBody]{Say: sayServer, Hear: hearServer}
	return &translate.Table{
		Dialect: "huawei", HearError: hearError, SayError: sayError,
		Rows: []translate.Route{
			{
				ID: "hws.cloudserver.create", Service: Compute, Method: "POST", Path: "/v1.1/{tenant_id}/cloudservers", Status: 200,
				Op: canonical.CreateServer.Spec(), Needs: []translate.Need{vpc},
				Ask:    translate.Ask[canonical.ServerCreate, createBody]{Say: sayCreate, Hear: hearCreate},
				Answer: translate.Answer[canonical.ServersCreated, jobID]{Say: sayJob, Hear: hearJob, Later: later},
			},
			{
				ID: "hws.job.show", Service: Compute, Method: "GET", Path: "/v1/{tenant_id}/jobs/{job_id}", Status: 200,
				Op:     canonical.GetOperation.Spec(),
				Ask:    translate.ByID[canonical.OperationGet]("job_id"),
				Answer: translate.Answer[canonical.Operation, job]{Say: sayOperation, Hear: hearOperation},
			},
			{
				ID: "hws.cloudserver.list_detail", Service: Compute, Method: "GET", Path: "/v1/{tenant_id}/cloudservers/detail", Status: 200,
				Op:  canonical.ListServers.Spec(),
				Ask: translate.Ask[canonical.ServerList, translate.NoBody]{Say: sayList, Hear: hearList},
				Answer: translate.List[canonical.Server, serversBody]{
					Say: sayServers, Hear: hearServers, Next: nextServers, Keep: keepNamed, Whole: true,
				},
			},
			{
				ID: "hws.cloudserver.show", Service: Compute, Method: "GET", Path: "/v1/{tenant_id}/cloudservers/{server_id}", Status: 200,
				Op:     canonical.GetServer.Spec(),
				Ask:    translate.ByID[canonical.ServerGet]("server_id"),
				Answer: answer,
			},
			{
				ID: "hws.server_snapshot.rollback", Service: Compute, Method: "POST", Path: action, Action: "rebuild", Status: 202,
				Op: canonical.RollbackServerSnapshot.Spec(), Needs: []translate.Need{snapshots}, When: meansRollback,
				Ask: translate.Ask[canonical.ServerSnapshotRollback, rebuild]{Say: sayRollback, Hear: hearRollback}, Answer: answer, Done: rebuilt,
			},
			{
				ID: "hws.server.rebuild", Service: Compute, Method: "POST", Path: action, Action: "rebuild", Status: 202,
				Op: canonical.RebuildServer.Spec(), Needs: []translate.Need{snapshots},
				Ask: translate.Ask[canonical.ServerRebuild, rebuild]{Say: sayRebuild, Hear: hearRebuild}, Answer: rebuiltAnswer, Done: rebuilt,
			},
			{
				ID: "hws.server_snapshot.list", Service: Image, Method: "GET", Path: "/v2/images", Status: 200,
				Op:     canonical.ListServerSnapshots.Spec(),
				When:   func(req *translate.Request, _ *translate.Env) bool { return req.Query.Get(fromInstance) != "" },
				Ask:    translate.Ask[canonical.ServerSnapshotList, translate.NoBody]{Say: saySnapshotList, Hear: hearSnapshotList},
				Answer: translate.List[canonical.ServerSnapshot, snapshotsBody]{Say: saySnapshots, Hear: hearSnapshots, Whole: true},
			},
			{
				ID: "hws.subnet.show", Service: Network, Method: "GET", Path: "/v1/{tenant_id}/subnets/{subnet_id}", Status: 200,
				Op:     canonical.GetNetwork.Spec(),
				Ask:    translate.ByID[canonical.NetworkGet]("subnet_id"),
				Answer: translate.Answer[canonical.Network, subnetBody]{Say: saySubnet, Hear: hearSubnet},
			},
		},
	}
}
