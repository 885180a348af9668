package nova

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

func serverRoutes() []translate.Route {
	marker := needServerMarker()
	flavors := needFlavors(always)
	return []translate.Route{
		{
			ID: "nova.server.list_detail", Service: "compute", Method: "GET", Path: "/servers/detail", Op: canonical.ListServers.Spec(),
			Want: v(79), Needs: []translate.Need{marker, flavors}, Ask: askServers, Answer: serversAnswer, Status: 200,
		},
		{
			ID: "nova.server.list", Service: "compute", Method: "GET", Path: "/servers", Op: canonical.ListServers.Spec(),
			Needs: []translate.Need{marker}, Ask: askServers, Answer: serverBriefsAnswer, Status: 200,
		},
		{
			ID: "nova.server.show", Service: "compute", Method: "GET", Path: "/servers/{id}", Op: canonical.GetServer.Spec(),
			Want: v(79), Needs: []translate.Need{flavors}, Answer: serverAnswer(shown), Status: 200,
			Ask: translate.ByID[canonical.ServerGet]("id"),
		},
		{
			ID: "nova.server.create", Service: "compute", Method: "POST", Path: "/servers", Op: canonical.CreateServer.Spec(),
			Can: func(req any) bool {
				r, ok := req.(canonical.ServerCreate)
				return ok && r.HowMany() == 1
			},
			Needs:  []translate.Need{flavors, needImages(), needNetworks()},
			Ask:    translate.Ask[canonical.ServerCreate, createBody]{Say: sayCreate, Hear: hearCreate},
			Answer: translate.Answer[canonical.ServersCreated, createdBody]{Say: sayCreated, Hear: hearCreated},
			Status: 202, Done: createDone,
		},
		{
			ID: "nova.server.update", Service: "compute", Method: "PUT", Path: "/servers/{id}", Op: canonical.UpdateServer.Spec(),
			Want: v(79), Needs: []translate.Need{flavors}, Answer: serverAnswer(changed), Status: 200,
			Ask: translate.Ask[canonical.ServerUpdate, updateBody]{Say: sayUpdate, Hear: hearUpdate},
		},
		{
			ID: "nova.server.delete", Service: "compute", Method: "DELETE", Path: "/servers/{id}", Op: canonical.DeleteServer.Spec(),
			Ask:    translate.ByID[canonical.ServerDelete]("id"),
			Answer: translate.Nothing[canonical.None](), Status: 204,
			Done: func(req, _ any, _ *translate.Env) *canonical.Task { return canonical.WaitGone(translate.IDOf(req)) },
		},
	}
}

// createDone waits for all that the create named.
func createDone(_, res any, _ *translate.Env) *canonical.Task {
	made, _ := res.(canonical.ServersCreated)
	task := &canonical.Task{Status: &canonical.StatusWait{Done: []canonical.ServerStatus{canonical.ServerRunning}}}
	for _, s := range made.Servers {
		task.Resources = append(task.Resources, canonical.Resource{Type: "server", ID: s.ID})
	}
	return task
}

func actionRoutes() []translate.Route {
	stop := translate.ByID[canonical.ServerStop]("id")
	sayStop := stop.Say
	stop.Say = func(r canonical.ServerStop, env *translate.Env, to *translate.Request) (translate.NoBody, error) {
		if r.Force {
			return translate.NoBody{}, words.Refuse("force", "this cloud asks the guest first, always")
		}
		return sayStop(r, env, to)
	}
	console := action("nova.server.console_output", "os-getConsoleOutput", consoleRoute())
	console.Status = 200
	return []translate.Route{
		console,
		action("nova.server.start", "os-start", translate.Route{
			Op:     canonical.StartServer.Spec(),
			Ask:    translate.ByID[canonical.ServerStart]("id"),
			Answer: accepted(canonical.ServerStopped), Done: wait(canonical.ServerRunning),
		}),
		action("nova.server.stop", "os-stop", translate.Route{
			Op: canonical.StopServer.Spec(), Ask: stop,
			Answer: accepted(canonical.ServerRunning), Done: wait(canonical.ServerStopped),
		}),
		action("nova.server.reboot", "reboot", translate.Route{
			Op:     canonical.RebootServer.Spec(),
			Ask:    translate.Ask[canonical.ServerReboot, reboot]{Say: sayReboot, Hear: hearReboot},
			Answer: accepted(canonical.ServerRebooting), Done: wait(canonical.ServerRunning),
		}),
		action("nova.server.rebuild", "rebuild", translate.Route{
			Op: canonical.RebuildServer.Spec(), Want: v(79), Needs: []translate.Need{needFlavors(always), needImages()},
			Ask:    translate.Ask[canonical.ServerRebuild, rebuild]{Say: sayRebuild, Hear: hearRebuild},
			Answer: rebuilt,
			Done:   wait(canonical.ServerRunning, canonical.ServerStopped),
		}),
	}
}
