package policy

import (
	"context"
	"encoding/json"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Wrap is next behind the policy: calls that the caller of their context may not
// make end with Forbidden, and what only operators may see is taken out of results.
func (p *Policy) Wrap(next canonical.Cloud) canonical.Cloud {
	m := &canonical.Mux{Next: next}
	canonical.Handle(m, canonical.ListTenants, p.listTenants)
	canonical.Handle(m, canonical.CreateTenant, p.createTenant)
	canonical.Handle(m, canonical.ListAPIKeys, p.listKeys)
	canonical.Handle(m, canonical.CreateAPIKey, p.createKey)
	canonical.Handle(m, canonical.DeleteAPIKey, p.deleteKey)
	canonical.Handle(m, canonical.ListApplicationCredentials, p.listCredentials)
	canonical.Handle(m, canonical.GetApplicationCredential, p.getCredential)
	canonical.Handle(m, canonical.CreateApplicationCredential, p.createCredential)
	canonical.Handle(m, canonical.DeleteApplicationCredential, p.deleteCredential)
	return &guarded{m}
}

type guarded struct{ next canonical.Cloud }

var _ canonical.Cloud = (*guarded)(nil)

// Support implements canonical.Cloud.
func (g *guarded) Support(ctx context.Context, op *canonical.Spec) canonical.Support {
	return g.next.Support(ctx, op)
}

// Do implements canonical.Cloud.
func (g *guarded) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	c := canonical.CallerOf(ctx)
	if err := allowed(c, canonical.OptionsOf(ctx), call); err != nil {
		return canonical.Reply{}, err
	}
	reply, err := g.next.Do(ctx, call)
	if err == nil && !c.Role.AtLeast(canonical.Operator) {
		reply.Result = hideHosts(reply.Result)
	}
	return reply, err
}

// hideHosts takes out of a result, which the caller owns, what only operators see.
func hideHosts(result any) any {
	switch r := result.(type) {
	case canonical.Server:
		hideHost(&r)
		return r
	case canonical.ServerWithPassword:
		hideHost(&r.Server)
		return r
	case canonical.ServerTopology:
		for i := range r.Nodes {
			r.Nodes[i].HostNode, r.Nodes[i].CPUPinning = nil, map[string]int{}
		}
	case canonical.Page[canonical.Server]:
		for i := range r.Items {
			hideHost(&r.Items[i])
		}
	case canonical.ServerAction:
		hideHostsOfSteps(r.Steps)
	case canonical.Page[canonical.ServerAction]:
		for i := range r.Items {
			hideHostsOfSteps(r.Items[i].Steps)
		}
	case canonical.ServersCreated:
		for i := range r.Servers {
			hideHost(&r.Servers[i].Server)
		}
	case canonical.Port:
		hideHostOfPort(&r)
		return r
	case canonical.Page[canonical.Port]:
		for i := range r.Items {
			hideHostOfPort(&r.Items[i])
		}
	case canonical.Page[canonical.AvailabilityZone]:
		for i := range r.Items {
			r.Items[i].Hosts = []string{}
		}
	case canonical.Operation:
		hideHostsOfOperation(&r)
		return r
	case canonical.Page[canonical.Operation]:
		for i := range r.Items {
			hideHostsOfOperation(&r.Items[i])
		}
	case canonical.Events:
		for i := range r.Items {
			hideHostsOfEvent(&r.Items[i])
		}
	}
	return result
}

// hideHostsOfEvent does it in what an event tells. What is not of the event's type is
// not shown at all.
func hideHostsOfEvent(e *canonical.Event) {
	var shown any
	var err error
	switch e.Type {
	case canonical.OperationEvent:
		shown, err = reread[canonical.Operation](e.Data)
	case canonical.ServerEvent:
		shown, err = reread[canonical.Server](e.Data)
	}
	if err == nil {
		e.Data, err = json.Marshal(hideHosts(shown))
	}
	if err != nil {
		e.Data = nil
	}
}

func hideHostsOfSteps(steps []canonical.ServerActionStep) {
	for i := range steps {
		steps[i].Host, steps[i].Details = nil, nil
	}
}

func hideHost(s *canonical.Server) {
	s.Host, s.HostStatus, s.HypervisorHostname, s.InstanceName, s.HostID = nil, nil, nil, nil, nil
	if s.Fault != nil {
		f := *s.Fault
		f.Details = nil
		s.Fault = &f
	}
}

// hideHostOfPort does it for a port, whose native fields tell of its host too.
func hideHostOfPort(p *canonical.Port) { p.Host, p.Native = nil, nil }

// hideHostsOfOperation does it in the stored result, by the type of the operation
// that made it. A result that is not of that type is not shown at all.
func hideHostsOfOperation(o *canonical.Operation) {
	if len(o.Result) == 0 || string(o.Result) == "null" {
		return
	}
	var hidden any
	var err error
	switch op := canonical.Lookup(o.Operation); {
	case op == nil:
		o.Result = nil
		return
	case op.Result == canonical.CreateServer.Spec().Result:
		hidden, err = reread[canonical.ServersCreated](o.Result)
	case op.Result == canonical.RescueServer.Spec().Result:
		hidden, err = reread[canonical.ServerWithPassword](o.Result)
	case op.Result == canonical.GetServer.Spec().Result:
		hidden, err = reread[canonical.Server](o.Result)
	default:
		return
	}
	if err == nil {
		o.Result, err = json.Marshal(hideHosts(hidden))
	}
	if err != nil {
		o.Result = nil
	}
}

func reread[T any](raw json.RawMessage) (T, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return v, err
}
