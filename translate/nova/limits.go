package nova

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

type limitsBody struct {
	Limits limits `json:"limits"`
}

type limits struct {
	Rate     []any    `json:"rate" wire:"native"`
	Absolute absolute `json:"absolute"`
}

// absolute has -1 for what has no limit.
type absolute struct {
	Servers      *int `json:"maxTotalInstances"`
	VCPUs        *int `json:"maxTotalCores"`
	RAM          *int `json:"maxTotalRAMSize"`
	Metadata     *int `json:"maxServerMeta"`
	Keypairs     *int `json:"maxTotalKeypairs"`
	Groups       *int `json:"maxServerGroups"`
	GroupMembers *int `json:"maxServerGroupMembers"`
	UsedServers  *int `json:"totalInstancesUsed"`
	UsedVCPUs    *int `json:"totalCoresUsed"`
	UsedRAM      *int `json:"totalRAMUsed"`
	UsedGroups   *int `json:"totalServerGroupsUsed"`

	ImageMeta       *int `json:"maxImageMeta,omitempty" until:"2.38" wire:"native"`
	Personality     *int `json:"maxPersonality,omitempty" until:"2.56" wire:"native"`
	PersonalitySize *int `json:"maxPersonalitySize,omitempty" until:"2.56" wire:"native"`
	FloatingIPs     *int `json:"maxTotalFloatingIps,omitempty" until:"2.35" wire:"native"`
	SecurityGroups  *int `json:"maxSecurityGroups,omitempty" until:"2.35" wire:"native"`
	SecurityRules   *int `json:"maxSecurityGroupRules,omitempty" until:"2.35" wire:"native"`
	UsedFloatingIPs *int `json:"totalFloatingIpsUsed,omitempty" until:"2.35" wire:"native"`
	UsedSecGroups   *int `json:"totalSecurityGroupsUsed,omitempty" until:"2.35" wire:"native"`
}

// orNone is a limit as Nova says it.
func orNone(n *int) *int {
	if n == nil {
		none := -1
		return &none
	}
	return n
}

// limit is a limit as Nova says it; nil where there is none.
func limit(n *int) *int {
	if n == nil || *n < 0 {
		return nil
	}
	return n
}

func orZero(n *int) *int {
	if n == nil {
		return new(int)
	}
	return n
}

var limitsAnswer = translate.Answer[canonical.Limits, limitsBody]{
	Say: func(r canonical.TypedReply[canonical.Limits], _ *translate.Env, _ *translate.Response) (limitsBody, error) {
		l, none := r.Result, orNone(nil)
		return limitsBody{limits{Rate: []any{}, Absolute: absolute{
			Servers: orNone(l.Servers), VCPUs: orNone(l.VCPUs), RAM: orNone(l.RAMMiB), Metadata: orNone(l.MetadataItems),
			Keypairs: orNone(l.Keypairs), Groups: orNone(l.ServerGroups), GroupMembers: orNone(l.ServerGroupMember),
			UsedServers: orZero(l.ServersUsed), UsedVCPUs: orZero(l.VCPUsUsed), UsedRAM: orZero(l.RAMUsedMiB), UsedGroups: orZero(l.ServerGroupsUsed),
			ImageMeta: orNone(l.MetadataItems), Personality: none, PersonalitySize: none, FloatingIPs: none,
			SecurityGroups: none, SecurityRules: none, UsedFloatingIPs: orZero(nil), UsedSecGroups: orZero(nil),
		}}}, nil
	},
	Hear: func(w limitsBody, _ *translate.Response, env *translate.Env) (canonical.Limits, error) {
		a := w.Limits.Absolute
		return canonical.Limits{
			ID: canonical.ID(firstOf(env.Project, "limits")), Servers: limit(a.Servers), VCPUs: limit(a.VCPUs), RAMMiB: limit(a.RAM), MetadataItems: limit(a.Metadata),
			Keypairs: limit(a.Keypairs), ServerGroups: limit(a.Groups), ServerGroupMember: limit(a.GroupMembers),
			ServersUsed: a.UsedServers, VCPUsUsed: a.UsedVCPUs, RAMUsedMiB: a.UsedRAM, ServerGroupsUsed: a.UsedGroups,
		}, nil
	},
}

func limitsRoutes() []translate.Route {
	return []translate.Route{{
		ID: "nova.limits.show", Service: "compute", Method: "GET", Path: "/limits", Op: canonical.GetLimits.Spec(),
		Ask: translate.Ask[canonical.LimitsGet, translate.NoBody]{
			Say: func(canonical.LimitsGet, *translate.Env, *translate.Request) (translate.NoBody, error) {
				return translate.NoBody{}, nil
			},
			Hear: func(translate.NoBody, *translate.Request, *translate.Env) (canonical.LimitsGet, error) {
				return canonical.LimitsGet{}, nil
			},
		},
		Answer: limitsAnswer, Status: 200,
	}}
}
