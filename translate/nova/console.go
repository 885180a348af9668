package nova

import (
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

type consoleAsked struct {
	Length *number `json:"length,omitempty"`
}

type consoleOutput struct {
	Output *string `json:"output"`
}

// consoleRoute is the action that tells what a server wrote to its console.
func consoleRoute() translate.Route {
	return translate.Route{
		Op: canonical.GetConsoleOutput.Spec(),
		Ask: translate.Ask[canonical.ConsoleOutputGet, consoleAsked]{
			Say: func(r canonical.ConsoleOutputGet, _ *translate.Env, to *translate.Request) (consoleAsked, error) {
				to.Params["id"] = string(r.ID)
				if r.Lines == 0 {
					return consoleAsked{}, nil
				}
				n := number(r.Lines)
				return consoleAsked{&n}, nil
			},
			Hear: func(w consoleAsked, from *translate.Request, _ *translate.Env) (canonical.ConsoleOutputGet, error) {
				r := canonical.ConsoleOutputGet{ID: canonical.ID(from.Params["id"])}
				if w.Length != nil {
					r.Lines = max(int(*w.Length), 0) // -1 is all
				}
				if w.Length != nil && *w.Length < -1 {
					return r, canonical.Errorf(canonical.InvalidRequest,
						"Invalid input for field/attribute length. Value: %d. %d is less than the minimum of -1", *w.Length, *w.Length)
				}
				return r, nil
			},
		},
		Answer: translate.Answer[canonical.ConsoleOutput, consoleOutput]{
			Say: func(r canonical.TypedReply[canonical.ConsoleOutput], env *translate.Env, _ *translate.Response) (consoleOutput, error) {
				text := r.Result.Output
				if asked, ok := env.Asked.(canonical.ConsoleOutputGet); ok && asked.Lines > 0 {
					text = strings.TrimSuffix(text, "\n") // Nova counts what is behind the last break too
				}
				return consoleOutput{&text}, nil
			},
			Hear: func(w consoleOutput, _ *translate.Response, env *translate.Env) (canonical.ConsoleOutput, error) {
				if w.Output == nil {
					return canonical.ConsoleOutput{}, nil
				}
				asked, _ := env.Asked.(canonical.ConsoleOutputGet)
				return canonical.ConsoleOutput{Output: tail(*w.Output, asked.Lines)}, nil
			},
		},
	}
}

// tail is the last n lines of a text; some hypervisors do not count. 0 is all.
func tail(text string, n int) string {
	lines := strings.SplitAfter(text, "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	if n == 0 || len(lines) <= n {
		return text
	}
	return strings.Join(lines[len(lines)-n:], "")
}
