package nova

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

type remoteConsoleBody struct {
	Console remoteConsole `json:"remote_console"`
}

type remoteConsole struct {
	Protocol string `json:"protocol"`
	Type     string `json:"type"`
	URL      string `json:"url,omitempty"`
}

type consoleType struct {
	Type string `json:"type"`
}

type consoleBody struct {
	Console oldConsole `json:"console"`
}

type oldConsole struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

// hearConsole refuses what is no console, in the words of Nova's schema.
func hearConsole(id, protocol, kind string) (canonical.ConsoleOpen, error) {
	r := canonical.ConsoleOpen{ID: canonical.ID(id), Protocol: protocol, Type: kind}
	switch {
	case protocol == "":
		return r, canonical.Errorf(canonical.InvalidRequest, "Invalid input for field/attribute remote_console. 'protocol' is a required property")
	case kind == "":
		return r, canonical.Errorf(canonical.InvalidRequest, "Invalid input for field/attribute remote_console. 'type' is a required property")
	}
	return r, r.Validate()
}

// addressed refuses a console that leads nowhere.
func addressed(c canonical.Console) error {
	if c.URL == "" {
		return canonical.Errorf(canonical.UpstreamError, "the cloud told no address of the console")
	}
	return nil
}

// oldConsoles are the actions before 2.6, by protocol.
var oldConsoles = []struct{ id, key, protocol string }{
	{"nova.server.vnc_console", "os-getVNCConsole", "vnc"},
	{"nova.server.spice_console", "os-getSPICEConsole", "spice"},
	{"nova.server.rdp_console", "os-getRDPConsole", "rdp"},
	{"nova.server.serial_console", "os-getSerialConsole", "serial"},
}

// oldConsoleRoute is the action of one protocol; mks came with 2.8 only.
func oldConsoleRoute(id, key, protocol string) translate.Route {
	return action(id, key, translate.Route{
		Op: canonical.OpenConsole.Spec(), Until: v(5), Status: 200,
		Can: func(req any) bool {
			r, ok := req.(canonical.ConsoleOpen)
			return ok && r.OrDefault().Protocol == protocol
		},
		Ask: translate.Ask[canonical.ConsoleOpen, consoleType]{
			Say: func(r canonical.ConsoleOpen, _ *translate.Env, to *translate.Request) (consoleType, error) {
				to.Params["id"] = string(r.ID)
				return consoleType{r.OrDefault().Type}, nil
			},
			Hear: func(w consoleType, from *translate.Request, _ *translate.Env) (canonical.ConsoleOpen, error) {
				return hearConsole(from.Params["id"], protocol, w.Type)
			},
		},
		Answer: translate.Answer[canonical.Console, consoleBody]{
			Say: func(r canonical.TypedReply[canonical.Console], _ *translate.Env, _ *translate.Response) (consoleBody, error) {
				return consoleBody{oldConsole{r.Result.Type, r.Result.URL}}, addressed(r.Result)
			},
			Hear: func(w consoleBody, _ *translate.Response, _ *translate.Env) (canonical.Console, error) {
				return canonical.Console{Protocol: protocol, Type: w.Console.Type, URL: w.Console.URL}, nil
			},
		},
	})
}

// remoteConsoleRoute is the call since 2.6; mks since 2.8.
func remoteConsoleRoute() translate.Route {
	return translate.Route{
		ID: "nova.server.remote_console", Service: "compute", Method: "POST", Path: "/servers/{id}/remote-consoles",
		Op: canonical.OpenConsole.Spec(), Since: v(6), Want: v(8), Status: 200,
		Ask: translate.Ask[canonical.ConsoleOpen, remoteConsoleBody]{
			Say: func(r canonical.ConsoleOpen, _ *translate.Env, to *translate.Request) (remoteConsoleBody, error) {
				to.Params["id"] = string(r.ID)
				r = r.OrDefault()
				return remoteConsoleBody{remoteConsole{Protocol: r.Protocol, Type: r.Type}}, nil
			},
			Hear: func(w remoteConsoleBody, from *translate.Request, _ *translate.Env) (canonical.ConsoleOpen, error) {
				if w.Console.URL != "" {
					return canonical.ConsoleOpen{}, canonical.Errorf(canonical.InvalidRequest,
						"Invalid input for field/attribute remote_console. Additional properties are not allowed ('url' was unexpected)")
				}
				return hearConsole(from.Params["id"], w.Console.Protocol, w.Console.Type)
			},
		},
		Answer: translate.Answer[canonical.Console, remoteConsoleBody]{
			Say: func(r canonical.TypedReply[canonical.Console], _ *translate.Env, _ *translate.Response) (remoteConsoleBody, error) {
				return remoteConsoleBody{remoteConsole{r.Result.Protocol, r.Result.Type, r.Result.URL}}, addressed(r.Result)
			},
			Hear: func(w remoteConsoleBody, _ *translate.Response, _ *translate.Env) (canonical.Console, error) {
				return canonical.Console{Protocol: w.Console.Protocol, Type: w.Console.Type, URL: w.Console.URL}, nil
			},
		},
	}
}

func consoleRoutes() []translate.Route {
	rows := []translate.Route{remoteConsoleRoute()}
	for _, old := range oldConsoles {
		rows = append(rows, oldConsoleRoute(old.id, old.key, old.protocol))
	}
	return rows
}
