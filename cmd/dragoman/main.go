// Command dragoman serves the multi-cloud compute broker, and is its client.
//
// The client's subcommands are made from the declared operations, so that an
// operation which is added to canonical is a subcommand without more code.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// version is set by the linker.
var version = "dev"

// The exit codes.
const (
	exitFailed = 1 // the work was refused or failed
	exitUsage  = 2 // the command line or the configuration is wrong
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main with its surroundings as arguments; it returns the exit code.
func run(ctx context.Context, args []string, out, diag io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(diag)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(diag, "dragoman: "+explain(err))
	var failed *failure
	if errors.As(err, &failed) {
		return exitFailed
	}
	fmt.Fprintf(diag, "  see %s --help\n", cmd.CommandPath())
	return exitUsage
}

// failure is an error of the work itself; every other one is of usage.
type failure struct{ err error }

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// failed is err as a failure; nil stays nil.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return &failure{err}
}

// explain is err for people: of an error with a code, the code and the sentence.
func explain(err error) string {
	var e *canonical.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	text := string(e.Code) + ": " + e.Detail
	if e.Cloud != "" {
		text = e.Cloud + ": " + text
	}
	for _, f := range e.Fields {
		if e.Detail != f.Field+": "+f.Reason {
			text += fmt.Sprintf("\n  %s: %s", f.Field, f.Reason)
		}
	}
	if e.Upstream != nil && e.Upstream.Message != "" {
		text += fmt.Sprintf("\n  the cloud said (%d): %s", e.Upstream.Status, e.Upstream.Message)
	}
	return text
}

// The groups of subcommands in the help.
const (
	groupHere      = "here"
	groupResources = "resources"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "dragoman",
		Short:         "One compute API in front of many clouds",
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.AddGroup(
		&cobra.Group{ID: groupHere, Title: "Run a dragoman:"},
		&cobra.Group{ID: groupResources, Title: "Ask one (DRAGOMAN_ENDPOINT and DRAGOMAN_KEY say which, and as whom):"},
	)
	for _, c := range serverCommands() {
		c.GroupID = groupHere
		root.AddCommand(c)
	}
	root.AddCommand(&cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version)
			return err
		},
	})
	addClient(root)
	return root
}
