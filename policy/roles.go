package policy

import "github.com/dragoman-cloud/dragoman/canonical"

// least is the table: by resource and effect the least role that may. A resource
// that is not named has the row of "".
var least = map[string]map[canonical.Effect]canonical.Role{
	"":        {canonical.Read: canonical.Reader, canonical.Write: canonical.Member, canonical.Delete: canonical.Member},
	"cloud":   {canonical.Read: canonical.Reader, canonical.Write: canonical.Admin, canonical.Delete: canonical.Admin},
	"tenant":  {canonical.Read: canonical.Admin, canonical.Write: canonical.Admin, canonical.Delete: canonical.Admin},
	"api_key": {canonical.Read: canonical.Admin, canonical.Write: canonical.Admin, canonical.Delete: canonical.Admin},
	// What a caller makes of their own key can do no more than it.
	"application_credential": {canonical.Read: canonical.Reader, canonical.Write: canonical.Reader, canonical.Delete: canonical.Reader},
	"flavor":                 {canonical.Read: canonical.Reader, canonical.Write: canonical.Operator, canonical.Delete: canonical.Operator},
	"quota":                  {canonical.Read: canonical.Reader, canonical.Write: canonical.Operator, canonical.Delete: canonical.Operator},
	"flavor_extra_specs":     {canonical.Read: canonical.Reader, canonical.Write: canonical.Operator, canonical.Delete: canonical.Operator},
	"hypervisor":             operators, "host": operators, "host_aggregate": operators, "aggregate": operators, "compute_service": operators, "server_migration": operators, "service": operators,
}

// leastFor are the operations whose row of the table does not do.
var leastFor = map[*canonical.Spec]canonical.Role{
	canonical.ShelveOffloadServer.Spec():  canonical.Operator,
	canonical.MigrateServer.Spec():        canonical.Operator,
	canonical.LiveMigrateServer.Spec():    canonical.Operator,
	canonical.EvacuateServer.Spec():       canonical.Operator,
	canonical.ResetServerState.Spec():     canonical.Operator,
	canonical.GetServerDiagnostics.Spec(): canonical.Operator,
}

var operators = map[canonical.Effect]canonical.Role{
	canonical.Read: canonical.Operator, canonical.Write: canonical.Operator, canonical.Delete: canonical.Operator,
}

// LeastRole is the least role that may perform op.
func LeastRole(op *canonical.Spec) canonical.Role {
	if op == canonical.ListFlavorAccess.Spec() { // tells of other projects
		return canonical.Operator
	}
	if role, ok := leastFor[op]; ok {
		return role
	}
	row, ok := least[op.Resource()]
	if !ok {
		row = least[""]
	}
	return row[op.Effect]
}

// allowed says why the caller may not make the call; nil: it may.
func allowed(c canonical.Caller, o canonical.Options, call canonical.Call) error {
	need := LeastRole(call.Op)
	operator := c.Role.AtLeast(canonical.Operator)
	switch r := call.Request.(type) {
	case canonical.ServerCreate:
		if r.Host != "" && !operator {
			return canonical.Errorf(canonical.Forbidden, "host is for operators")
		}
	case canonical.ServerUnshelve:
		if r.Host != "" && !operator {
			return canonical.Errorf(canonical.Forbidden, "host is for operators")
		}
	case canonical.ImageCreate:
		if r.Visibility == "public" && !operator {
			return canonical.Errorf(canonical.Forbidden, "public images are for operators to make")
		}
	case canonical.ImageUpdate:
		if to, ok := r.Visibility.Get(); ok && to == "public" && !operator {
			return canonical.Errorf(canonical.Forbidden, "public images are for operators to make")
		}
	case canonical.NetworkCreate:
		if (r.Shared || r.External) && !operator {
			return canonical.Errorf(canonical.Forbidden, "shared and external networks are for operators to make")
		}
	case canonical.NetworkUpdate:
		if (!r.Shared.IsZero() || !r.External.IsZero()) && !operator {
			return canonical.Errorf(canonical.Forbidden, "shared and external networks are for operators to make")
		}
	case canonical.PortCreate:
		if r.Host != "" && !operator {
			return canonical.Errorf(canonical.Forbidden, "host is for operators")
		}
	case canonical.PortUpdate:
		if (!r.Host.IsZero() || !r.MAC.IsZero()) && !operator {
			return canonical.Errorf(canonical.Forbidden, "host and mac are for operators")
		}
	case canonical.QuotaGet:
		if !operator && !own(c, r.Project) {
			return canonical.Errorf(canonical.Forbidden, "the quota of another project is for operators")
		}
	case canonical.QuotaDefaultsGet:
		if !operator && !own(c, r.Project) {
			return canonical.Errorf(canonical.Forbidden, "the quota of another project is for operators")
		}
	case canonical.UsageList:
		if !operator && !own(c, r.Project) {
			return canonical.Errorf(canonical.Forbidden, "the usage of other projects is for operators: ask for project=own")
		}
	case canonical.ServerList:
		if r.Host != "" && !operator {
			return canonical.Errorf(canonical.Forbidden, "filtering by host is for operators")
		}
	}
	switch {
	case !c.Role.AtLeast(need):
		return canonical.Errorf(canonical.Forbidden, "%s needs the role %s", call.Op.Name, need)
	case o.Tenant != "" && !operator:
		return canonical.Errorf(canonical.Forbidden, "tenant= is for operators and admins")
	default:
		return nil
	}
}

// own says whether a project is the caller's.
func own(c canonical.Caller, p canonical.Project) bool {
	return p == canonical.OwnProject || p != "" && string(p) == c.Tenant
}
