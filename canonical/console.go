package canonical

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
