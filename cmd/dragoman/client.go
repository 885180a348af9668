package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	remote "github.com/dragoman-cloud/dragoman/adapters/dragoman"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// settings are the flags that every operation's subcommand has.
type settings struct {
	endpoint, key, output, tenant, idempotencyKey string
	clouds                                        []string
	fresh, native                                 bool
	timeout                                       time.Duration
}

// addClient adds a noun for each resource, and below it a subcommand for each of its
// operations.
func addClient(root *cobra.Command) {
	nouns := map[string]*nounCommand{}
	for _, op := range canonical.Ops() {
		noun, ok := nouns[op.Resource()]
		if !ok {
			noun = newNoun(op.Resource())
			nouns[op.Resource()] = noun
			root.AddCommand(noun.Command)
			noun.RunE = needSubcommand
		}
		noun.AddCommand(newVerb(op, noun.settings))
	}
}

type nounCommand struct {
	*cobra.Command
	settings *settings
}

func newNoun(resource string) *nounCommand {
	s := &settings{}
	things := canonical.Plural(canonical.Spoken(resource))
	c := &cobra.Command{Use: dashed(resource), Short: strings.ToUpper(things[:1]) + things[1:], GroupID: groupResources}
	f := c.PersistentFlags()
	f.StringVar(&s.endpoint, "endpoint", env("DRAGOMAN_ENDPOINT", "http://127.0.0.1:8080"), "URL of the dragoman, or DRAGOMAN_ENDPOINT")
	f.StringVar(&s.key, "key", "", "Key, <id>.<secret>, or DRAGOMAN_KEY")
	f.StringVarP(&s.output, "output", "o", "table", "table, json or yaml")
	f.StringSliceVar(&s.clouds, "cloud", nil, "Only these clouds")
	f.StringVar(&s.tenant, "tenant", "", "Only this tenant's things; operators and admins")
	f.BoolVar(&s.fresh, "fresh", false, "Ask the clouds, not a cache")
	f.BoolVar(&s.native, "native", false, "Show the dialect's own fields too")
	f.StringVar(&s.idempotencyKey, "idempotency-key", "", "Makes repeating the command harmless")
	f.DurationVar(&s.timeout, "timeout", 10*time.Minute, "Most time to take, waiting included")
	return &nounCommand{c, s}
}

func needSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s has no %q", cmd.CommandPath(), args[0])
	}
	return cmd.Help()
}

// verb is the subcommand of one operation.
type verb struct {
	op       *canonical.Spec
	settings *settings
	params   []string // of the path, in order
	request  *requestFlags
	file     *string // of the content that is sent or answered; nil: none is
	wait     bool
}

func newVerb(op *canonical.Spec, s *settings) *cobra.Command {
	v := &verb{op: op, settings: s, params: pathParams(op.Path)}
	use := dashed(op.Verb())
	for _, p := range v.params {
		use += " " + strings.ToUpper(p)
	}
	c := &cobra.Command{Use: use, Short: op.Summary(), Args: v.checkArgs, RunE: v.run}
	c.Long = c.Short + ": " + op.Method + " " + op.Path + "."
	if len(v.params) == 1 && v.params[0] == "id" && named(canonical.Lookup(kindOf(op)+".list")) {
		c.Long += "\nID is the whole id, <cloud>:<id>, or a name that one " + canonical.Spoken(kindOf(op)) + " has."
	}
	v.request = newRequestFlags(op.Request, c.Flags())
	v.file = contentFlag(op, c.Flags())
	if op.Long {
		c.Flags().BoolVar(&v.wait, "wait", false, "Wait for the end, and show how far it has come")
	}
	return c
}

func (v *verb) checkArgs(_ *cobra.Command, args []string) error {
	if len(args) != len(v.params) {
		return fmt.Errorf("%s takes %d arguments (%s), not %d", v.op.Name, len(v.params), strings.Join(v.params, ", "), len(args))
	}
	return nil
}

func (v *verb) run(cmd *cobra.Command, args []string) error {
	show, err := newPrinter(cmd.OutOrStdout(), v.settings.output)
	if err != nil {
		return err
	}
	if _, err := v.request.build(args, v.params); err != nil {
		return err
	}
	key := v.settings.key
	if key == "" {
		key = os.Getenv("DRAGOMAN_KEY")
	}
	if key == "" {
		return errors.New("no key: give --key <id>.<secret>, or set DRAGOMAN_KEY")
	}
	cloud, err := remote.New(remote.Options{Endpoint: v.settings.endpoint, Key: key, Timeout: v.settings.timeout})
	if err != nil {
		return err
	}
	defer cloud.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), v.settings.timeout)
	defer cancel()
	ctx = canonical.WithOptions(ctx, canonical.Options{
		Clouds: v.settings.clouds, Tenant: v.settings.tenant, Fresh: v.settings.fresh,
		Native: v.settings.native, IdempotencyKey: v.settings.idempotencyKey,
	})
	reply, err := v.send(ctx, cloud, args)
	if err != nil {
		return v.usageOrFailure(err)
	}
	return failed(v.finish(ctx, cmd, cloud, reply, show))
}

func (v *verb) send(ctx context.Context, cloud canonical.Cloud, args []string) (canonical.Reply, error) {
	args, err := v.withIDs(ctx, cloud, args)
	if err != nil {
		return canonical.Reply{}, err
	}
	request, err := v.request.build(args, v.params)
	if err != nil {
		return canonical.Reply{}, err
	}
	if v.file != nil {
		var done func()
		if request, done, err = withContent(request, *v.file); err != nil {
			return canonical.Reply{}, err
		}
		defer done()
	}
	return canonical.Do(ctx, cloud, canonical.Call{Op: v.op, Request: request})
}

// usageOrFailure tells a request that was refused before it was sent, or for its
// form, from work that failed.
func (v *verb) usageOrFailure(err error) error {
	var e *canonical.Error
	switch {
	case !errors.As(err, &e):
		return failed(err)
	case e.Code == canonical.InvalidRequest:
		return err
	case e.Code == canonical.Unavailable && e.Cloud == "" && e.Upstream == nil:
		return failed(fmt.Errorf("%s\n  is a dragoman serving at %s? --endpoint or DRAGOMAN_ENDPOINT says where it is", explain(err), v.settings.endpoint))
	default:
		return failed(err)
	}
}

// finish shows the result; of long work the end, where it is waited for, else the
// operation.
func (v *verb) finish(ctx context.Context, cmd *cobra.Command, cloud canonical.Cloud, reply canonical.Reply, show *printer) error {
	if content, ok := reply.Result.(canonical.ImageContent); ok {
		return save(content.Content, *v.file, cmd.OutOrStdout())
	}
	if reply.Task == nil {
		return show.result(reply.Result)
	}
	if !v.wait {
		return v.showOperation(ctx, cloud, reply.Task.Job, show)
	}
	if err := watch(ctx, cloud, reply.Task, v.op.Name, cmd.ErrOrStderr()); err != nil {
		return err
	}
	return v.showEnd(ctx, cloud, reply, show)
}

func (v *verb) showOperation(ctx context.Context, cloud canonical.Cloud, job canonical.ID, show *printer) error {
	r, err := canonical.GetOperation.Do(ctx, cloud, canonical.OperationGet{ID: job})
	if err != nil {
		return err
	}
	return show.result(r.Result)
}

func dashed(name string) string {
	return strings.NewReplacer("_", "-", ".", "-").Replace(name)
}

// pathParams are the names in braces of a route.
func pathParams(path string) []string {
	var names []string
	for part := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
