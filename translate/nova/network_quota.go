package nova

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// networkQuotaBody is the limits of a project on networks: numbers, or with their use.
type networkQuotaBody[N any] struct {
	Quota networkQuota[N] `json:"quota"`
}

type networkQuota[N any] struct {
	Networks    N `json:"network"`
	Subnets     N `json:"subnet"`
	SubnetPools N `json:"subnetpool" wire:"native"`
	Ports       N `json:"port"`
	Routers     N `json:"router"`
	FloatingIPs N `json:"floatingip"`
	RBAC        N `json:"rbac_policy" wire:"native"`
	Groups      N `json:"security_group"`
	Rules       N `json:"security_group_rule"`
}

type networkUse struct {
	Limit    int `json:"limit"`
	Used     int `json:"used"`
	Reserved int `json:"reserved"`
}

// sayNetworkQuota makes each entry of a limit and what is used. Of pools and of policies
// nothing can be made here.
func sayNetworkQuota[N any](l canonical.Limits, number func(limit, used *int) N) networkQuotaBody[N] {
	zero := 0
	nothing := number(&zero, nil)
	return networkQuotaBody[N]{networkQuota[N]{
		Networks: number(l.Networks, l.NetworksUsed), Subnets: number(l.Subnets, l.SubnetsUsed), SubnetPools: nothing, Ports: number(l.Ports, l.PortsUsed),
		Routers: number(l.Routers, l.RoutersUsed), FloatingIPs: number(l.FloatingIPs, l.FloatingIPsUsed), RBAC: nothing,
		Groups: number(l.SecurityGroups, l.SecurityGroupsUsed), Rules: number(l.SecurityGroupRules, l.SecurityGroupRulesUsed),
	}}
}

var networkQuotaAnswer = translate.Answer[canonical.Limits, networkQuotaBody[int]]{
	Say: func(r canonical.TypedReply[canonical.Limits], _ *translate.Env, _ *translate.Response) (networkQuotaBody[int], error) {
		return sayNetworkQuota(r.Result, limitNumber), nil
	},
	Hear: func(w networkQuotaBody[int], _ *translate.Response, env *translate.Env) (canonical.Limits, error) {
		q := w.Quota
		return canonical.Limits{
			ID: canonical.ID(firstOf(env.Project, "limits")), Networks: limit(&q.Networks), Subnets: limit(&q.Subnets), Ports: limit(&q.Ports),
			Routers: limit(&q.Routers), FloatingIPs: limit(&q.FloatingIPs), SecurityGroups: limit(&q.Groups), SecurityGroupRules: limit(&q.Rules),
		}, nil
	},
}

var networkUseAnswer = translate.Answer[canonical.Limits, networkQuotaBody[networkUse]]{
	Say: func(r canonical.TypedReply[canonical.Limits], _ *translate.Env, _ *translate.Response) (networkQuotaBody[networkUse], error) {
		return sayNetworkQuota(r.Result, func(n, used *int) networkUse { return networkUse{Limit: *orNone(n), Used: *orZero(used)} }), nil
	},
	Hear: func(w networkQuotaBody[networkUse], _ *translate.Response, env *translate.Env) (canonical.Limits, error) {
		q := w.Quota
		return canonical.Limits{
			ID: canonical.ID(firstOf(env.Project, "limits")), Networks: limit(&q.Networks.Limit), NetworksUsed: &q.Networks.Used,
			Subnets: limit(&q.Subnets.Limit), SubnetsUsed: &q.Subnets.Used, Ports: limit(&q.Ports.Limit), PortsUsed: &q.Ports.Used,
			Routers: limit(&q.Routers.Limit), RoutersUsed: &q.Routers.Used, FloatingIPs: limit(&q.FloatingIPs.Limit), FloatingIPsUsed: &q.FloatingIPs.Used,
			SecurityGroups: limit(&q.Groups.Limit), SecurityGroupsUsed: &q.Groups.Used, SecurityGroupRules: limit(&q.Rules.Limit), SecurityGroupRulesUsed: &q.Rules.Used,
		}, nil
	},
}

// askNetworkQuota asks for the own project: limits are told of no other.
var askNetworkQuota = translate.Ask[canonical.LimitsGet, translate.NoBody]{
	Say: func(_ canonical.LimitsGet, env *translate.Env, to *translate.Request) (translate.NoBody, error) {
		to.Params["project"] = env.Project
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (r canonical.LimitsGet, err error) {
		if of := from.Params["project"]; env.Project != "" && of != env.Project && from.Header != nil {
			return r, canonical.Errorf(canonical.NotFound, "The resource could not be found.")
		}
		return r, nil
	},
}

func networkQuotaRoutes() []translate.Route {
	numbers := translate.Route{Can: never, Ask: askNetworkQuota, Answer: networkQuotaAnswer}
	use := translate.Route{Can: never, Ask: askNetworkQuota, Answer: networkUseAnswer}
	limits := canonical.GetLimits.Spec()
	return []translate.Route{
		neutronRow("quota.show", "GET", "quotas/{project}", limits, numbers),
		neutronRow("quota.details", "GET", "quotas/{project}/details", limits, use),
		neutronRow("quota.details_json", "GET", "quotas/{project}/details.json", limits, use),
	}
}
