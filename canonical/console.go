package canonical

import (
	"slices"
	"strings"
)

// GetConsoleOutput tells what a server has written to its console.
var GetConsoleOutput = op[ConsoleOutputGet, ConsoleOutput]("server.console_output", Read, "GET /v1/servers/{id}/console-output")

// ConsoleOutputGet asks for the console output of a server.
type ConsoleOutputGet struct {
	ID    ID  `json:"-" path:"id"`
	Lines int `json:"-" query:"lines" doc:"Only so many lines from the end; all that is kept if not given"`
}

// Validate implements the check of requests.
func (r ConsoleOutputGet) Validate() error {
	if r.Lines < 0 {
		return Invalid("lines", "must not be negative")
	}
	return nil
}

// ConsoleOutput is text from a console; bytes that are no UTF-8 are replaced.
type ConsoleOutput struct {
	Output string `json:"output"`
}

// OpenConsole gives access to the console of a running server (hws.remote_console.create).
var OpenConsole = op[ConsoleOpen, Console]("server.open_console", Write, "POST /v1/servers/{id}/console")

// ConsoleOpen asks for a console.
type ConsoleOpen struct {
	ID       ID     `json:"-" path:"id"`
	Protocol string `json:"protocol,omitempty" enum:"vnc,spice,rdp,serial,mks" doc:"vnc is the default"`
	Type     string `json:"type,omitempty" enum:"novnc,xvpvnc,spice-html5,rdp-html5,serial,webmks" doc:"Kind of client; the protocol's usual one if not given"`
}

// consoleTypes are the types of clients of each protocol, the usual one first.
var consoleTypes = map[string][]string{
	"vnc": {"novnc", "xvpvnc"}, "spice": {"spice-html5"}, "rdp": {"rdp-html5"}, "serial": {"serial"}, "mks": {"webmks"},
}

// OrDefault is the request with a protocol and a type.
func (r ConsoleOpen) OrDefault() ConsoleOpen {
	if r.Protocol == "" {
		r.Protocol = "vnc"
	}
	if r.Type == "" {
		r.Type = consoleTypes[r.Protocol][0]
	}
	return r
}

// Validate implements the check of requests.
func (r ConsoleOpen) Validate() error {
	if r.Protocol == "" {
		r.Protocol = "vnc"
	}
	types, known := consoleTypes[r.Protocol]
	switch {
	case !known:
		return Invalid("protocol", "is none of vnc, spice, rdp, serial and mks")
	case r.Type != "" && !slices.Contains(types, r.Type):
		return Invalid("type", "must be %s for %s", strings.Join(types, " or "), r.Protocol)
	default:
		return nil
	}
}

// Console is where a console can be reached, for a short time and by who knows it.
type Console struct {
	Protocol string `json:"protocol"`
	Type     string `json:"type"`
	URL      string `json:"url"`
}
