package nova

import (
	"encoding/json"
	"net/url"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type group struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Stateful    *bool       `json:"stateful,omitempty"`
	TenantID    string      `json:"tenant_id"`
	ProjectID   string      `json:"project_id"`
	Description string      `json:"description"`
	Shared      bool        `json:"shared" wire:"native"`
	Rules       []groupRule `json:"security_group_rules"`
	Tags        []string    `json:"tags"`
	Revision    *int        `json:"revision_number,omitempty"`
	CreatedAt   string      `json:"created_at,omitempty"`
	UpdatedAt   string      `json:"updated_at,omitempty"`
}

type groupRule struct {
	ID           string   `json:"id"`
	TenantID     string   `json:"tenant_id"`
	ProjectID    string   `json:"project_id"`
	GroupID      string   `json:"security_group_id"`
	Ethertype    string   `json:"ethertype"`
	Direction    string   `json:"direction"`
	Protocol     *string  `json:"protocol"`
	PortMin      *int     `json:"port_range_min"`
	PortMax      *int     `json:"port_range_max"`
	RemoteCIDR   *string  `json:"remote_ip_prefix"`
	AddressGroup *string  `json:"remote_address_group_id" wire:"native"`
	Normalized   *string  `json:"normalized_cidr" wire:"native"`
	RemoteGroup  *string  `json:"remote_group_id"`
	Description  *string  `json:"description"`
	Tags         []string `json:"tags" wire:"native"`
	Revision     *int     `json:"revision_number,omitempty"`
	CreatedAt    string   `json:"created_at,omitempty"`
	UpdatedAt    string   `json:"updated_at,omitempty"`
}

type secGroupBody struct {
	Group group `json:"security_group"`
}

type secGroupsBody struct {
	Groups []group `json:"security_groups"`
	Links  []link  `json:"security_groups_links,omitempty"`
}

type ruleBody struct {
	Rule groupRule `json:"security_group_rule"`
}

type rulesBody struct {
	Rules []groupRule `json:"security_group_rules"`
	Links []link      `json:"security_group_rules_links,omitempty"`
}

func hearSecGroup(w group, env *translate.Env) canonical.SecurityGroup {
	return canonical.SecurityGroup{
		ID: canonical.ID(w.ID), Name: w.Name, Description: words.Filled(w.Description), Stateful: words.Or(w.Stateful, true),
		Rules: convert(w.Rules, func(r groupRule) canonical.SecurityGroupRule { return hearRule(r, env) }), Tags: words.List(w.Tags), Revision: w.Revision,
		ProjectID: words.Filled(firstOf(w.ProjectID, w.TenantID)), CreatedAt: words.Time(w.CreatedAt), UpdatedAt: words.Time(w.UpdatedAt),
	}
}

func saySecGroup(g canonical.SecurityGroup, env *translate.Env) group {
	owner := ownerOf(g.ProjectID, env)
	return group{
		ID: string(g.ID), Name: g.Name, Stateful: &g.Stateful, TenantID: owner, ProjectID: owner, Description: words.Or(g.Description, ""),
		Rules: convert(g.Rules, func(r canonical.SecurityGroupRule) groupRule { return sayRule(r, env) }), Tags: words.List(g.Tags), Revision: g.Revision,
		CreatedAt: words.Stamp(g.CreatedAt, zoned), UpdatedAt: words.Stamp(g.UpdatedAt, zoned),
	}
}

func hearRule(w groupRule, _ *translate.Env) canonical.SecurityGroupRule {
	version := 4
	if w.Ethertype == "IPv6" {
		version = 6
	}
	return canonical.SecurityGroupRule{
		ID: canonical.ID(w.ID), GroupID: canonical.ID(w.GroupID), Direction: canonical.Direction(w.Direction), IPVersion: version, Protocol: w.Protocol,
		PortMin: w.PortMin, PortMax: w.PortMax, RemoteCIDR: w.RemoteCIDR, RemoteGroup: textID(w.RemoteGroup),
		Description: words.Filled(words.Or(w.Description, "")), Revision: w.Revision,
		ProjectID: words.Filled(firstOf(w.ProjectID, w.TenantID)), CreatedAt: words.Time(w.CreatedAt), UpdatedAt: words.Time(w.UpdatedAt),
	}
}

func sayRule(r canonical.SecurityGroupRule, env *translate.Env) groupRule {
	owner := ownerOf(r.ProjectID, env)
	return groupRule{
		ID: string(r.ID), TenantID: owner, ProjectID: owner, GroupID: string(r.GroupID), Ethertype: ethertype(r.IPVersion), Direction: string(r.Direction),
		Protocol: r.Protocol, PortMin: r.PortMin, PortMax: r.PortMax, RemoteCIDR: r.RemoteCIDR, Normalized: r.RemoteCIDR, RemoteGroup: idText(r.RemoteGroup),
		Description: r.Description, Tags: []string{}, Revision: r.Revision, CreatedAt: words.Stamp(r.CreatedAt, zoned), UpdatedAt: words.Stamp(r.UpdatedAt, zoned),
	}
}

func ethertype(version int) string {
	if version == 6 {
		return "IPv6"
	}
	return "IPv4"
}

var askSecGroups = asList(
	func(r canonical.SecurityGroupList, q url.Values) { setQuery(q, map[string]string{"name": r.Name}) },
	func(q url.Values, r *canonical.SecurityGroupList) { r.Name = only(q, "name") },
)

var askRules = asList(
	func(r canonical.SecurityGroupRuleList, q url.Values) {
		setQuery(q, map[string]string{"security_group_id": string(r.Group), "direction": string(r.Direction)})
	},
	func(q url.Values, r *canonical.SecurityGroupRuleList) {
		r.Group = canonical.ID(only(q, "security_group_id"))
	},
)

var secGroupsAnswer = neutronList(
	func(all []group, links []link) secGroupsBody { return secGroupsBody{all, links} },
	func(b secGroupsBody) ([]group, []link) { return b.Groups, b.Links }, saySecGroup, hearSecGroup,
)

var rulesAnswer = neutronList(
	func(all []groupRule, links []link) rulesBody { return rulesBody{all, links} },
	func(b rulesBody) ([]groupRule, []link) { return b.Rules, b.Links }, sayRule, hearRule,
)

var secGroupAnswer = neutronOne(
	func(w group) secGroupBody { return secGroupBody{w} }, func(b secGroupBody) group { return b.Group }, saySecGroup, hearSecGroup,
)

var ruleAnswer = neutronOne(
	func(w groupRule) ruleBody { return ruleBody{w} }, func(b ruleBody) groupRule { return b.Rule }, sayRule, hearRule,
)

type secGroupCreate struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Stateful    *bool  `json:"stateful,omitempty"`
	TenantID    string `json:"tenant_id,omitempty"`
	ProjectID   string `json:"project_id,omitempty"`
}

type secGroupCreateBody struct {
	Group secGroupCreate `json:"security_group"`
}

type secGroupUpdate struct {
	Name        canonical.Opt[string] `json:"name,omitzero"`
	Description canonical.Opt[string] `json:"description,omitzero"`
	Stateful    canonical.Opt[bool]   `json:"stateful,omitzero"`
}

type secGroupUpdateBody struct {
	Group secGroupUpdate `json:"security_group"`
}

type ruleCreate struct {
	GroupID      string    `json:"security_group_id"`
	Direction    string    `json:"direction"`
	Ethertype    *string   `json:"ethertype,omitempty"`
	Protocol     *protocol `json:"protocol,omitempty"`
	PortMin      *int      `json:"port_range_min,omitempty"`
	PortMax      *int      `json:"port_range_max,omitempty"`
	RemoteCIDR   *string   `json:"remote_ip_prefix,omitempty"`
	RemoteGroup  *string   `json:"remote_group_id,omitempty"`
	Description  *string   `json:"description,omitempty"`
	TenantID     string    `json:"tenant_id,omitempty"`
	ProjectID    string    `json:"project_id,omitempty"`
	AddressGroup *string   `json:"remote_address_group_id,omitempty" wire:"binding"`
}

// protocol is a name, or a number that may be sent as such.
type protocol string

// UnmarshalJSON implements json.Unmarshaler.
func (p *protocol) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var name string
		if err := json.Unmarshal(b, &name); err != nil {
			return err
		}
		*p = protocol(name)
		return nil
	}
	var n number
	err := n.UnmarshalJSON(b)
	*p = protocol(b)
	return err
}

type ruleCreateBody struct {
	Rule ruleCreate `json:"security_group_rule"`
}

var askSecGroupCreate = translate.Ask[canonical.SecurityGroupCreate, secGroupCreateBody]{
	Say: func(r canonical.SecurityGroupCreate, _ *translate.Env, _ *translate.Request) (secGroupCreateBody, error) {
		return secGroupCreateBody{secGroupCreate{Name: r.Name, Description: r.Description, Stateful: r.Stateful}}, nil
	},
	Hear: func(b secGroupCreateBody, _ *translate.Request, env *translate.Env) (canonical.SecurityGroupCreate, error) {
		w := b.Group
		return canonical.SecurityGroupCreate{Name: w.Name, Description: w.Description, Stateful: w.Stateful}, noOther(env, w.TenantID, w.ProjectID)
	},
}

var askSecGroupUpdate = translate.Ask[canonical.SecurityGroupUpdate, secGroupUpdateBody]{
	Say: func(r canonical.SecurityGroupUpdate, _ *translate.Env, to *translate.Request) (secGroupUpdateBody, error) {
		translate.SayPath(r, to)
		return secGroupUpdateBody{secGroupUpdate{r.Name, textOrEmpty(r.Description), r.Stateful}}, untagged(r.Tags)
	},
	Hear: func(b secGroupUpdateBody, from *translate.Request, _ *translate.Env) (r canonical.SecurityGroupUpdate, err error) {
		translate.HearPath(from, &r)
		r.Name, r.Description, r.Stateful = b.Group.Name, b.Group.Description, b.Group.Stateful
		return r, nil
	},
}

var askRuleCreate = translate.Ask[canonical.SecurityGroupRuleCreate, ruleCreateBody]{
	Say: func(r canonical.SecurityGroupRuleCreate, _ *translate.Env, _ *translate.Request) (ruleCreateBody, error) {
		kind := ethertype(r.IPVersion)
		w := ruleCreate{
			GroupID: string(r.ID), Direction: string(r.Direction), Ethertype: &kind, PortMin: r.PortMin, PortMax: r.PortMax,
			RemoteCIDR: words.Filled(r.RemoteCIDR), RemoteGroup: words.Filled(string(r.RemoteGroup)), Description: words.Filled(r.Description),
		}
		if r.Protocol != "" {
			p := protocol(r.Protocol)
			w.Protocol = &p
		}
		return ruleCreateBody{w}, nil
	},
	Hear: func(b ruleCreateBody, _ *translate.Request, env *translate.Env) (r canonical.SecurityGroupRuleCreate, err error) {
		w := b.Rule
		if w.GroupID == "" {
			return r, canonical.Errorf(canonical.InvalidRequest, "Failed to parse request. Required attribute 'security_group_id' not specified")
		}
		r = canonical.SecurityGroupRuleCreate{
			ID: canonical.ID(w.GroupID), Direction: canonical.Direction(w.Direction), PortMin: w.PortMin, PortMax: w.PortMax,
			RemoteCIDR: words.Or(w.RemoteCIDR, ""), RemoteGroup: canonical.Ref(words.Or(w.RemoteGroup, "")), Description: words.Or(w.Description, ""),
			Protocol: string(words.Or(w.Protocol, "")), IPVersion: 4,
		}
		switch words.Or(w.Ethertype, "IPv4") {
		case "IPv4":
		case "IPv6":
			r.IPVersion = 6
		default:
			return r, canonical.Invalid("ethertype", "Invalid input for ethertype. Reason: '%s' is not in ['IPv4', 'IPv6'].", *w.Ethertype)
		}
		return r, noOther(env, w.TenantID, w.ProjectID)
	},
}

// factRule is the group of the rule that a client names.
const factRule = "group of the rule"

// needRule finds the group of a rule, northwards: Neutron's clients name the rule alone.
func needRule() translate.Need {
	return translate.Need{
		Fact: factRule,
		Hear: func(req *translate.Request) (canonical.Call, bool) {
			return translate.Question(canonical.GetSecurityGroupRule, canonical.SecurityGroupRuleGet{ID: canonical.ID(req.Params["rule"])}), true
		},
		Pick: func(result any, _ *translate.Env) any {
			rule, _ := result.(canonical.SecurityGroupRule)
			return rule.GroupID
		},
	}
}

func hearRuleDelete(_ translate.NoBody, from *translate.Request, env *translate.Env) (r canonical.SecurityGroupRuleDelete, err error) {
	translate.HearPath(from, &r)
	var ok bool
	if r.ID, ok = translate.Fact[canonical.ID](env, factRule); !ok {
		e := canonical.Errorf(canonical.NotFound, "Security group rule %s does not exist", r.Rule)
		e.Operation = canonical.DeleteSecurityGroupRule.Spec().Name
		return r, e
	}
	return r, nil
}

func secGroupRoutes() []translate.Route {
	deleteRule := translate.ByPath[canonical.SecurityGroupRuleDelete]()
	deleteRule.Hear = hearRuleDelete
	return []translate.Route{
		neutronRow("security_group.list", "GET", "security-groups", canonical.ListSecurityGroups.Spec(), translate.Route{Ask: askSecGroups, Answer: secGroupsAnswer}),
		neutronRow("security_group.show", "GET", "security-groups/{id}", canonical.GetSecurityGroup.Spec(), translate.Route{
			Ask: translate.ByPath[canonical.SecurityGroupGet](), Answer: secGroupAnswer,
		}),
		neutronRow("security_group.create", "POST", "security-groups", canonical.CreateSecurityGroup.Spec(), translate.Route{
			Ask: askSecGroupCreate, Answer: secGroupAnswer,
		}),
		neutronRow("security_group.update", "PUT", "security-groups/{id}", canonical.UpdateSecurityGroup.Spec(), translate.Route{
			Can: func(req any) bool { r, _ := req.(canonical.SecurityGroupUpdate); return r.Tags.IsZero() },
			Ask: askSecGroupUpdate, Answer: secGroupAnswer,
		}),
		neutronRow("security_group.delete", "DELETE", "security-groups/{id}", canonical.DeleteSecurityGroup.Spec(), translate.Route{
			Ask: translate.ByPath[canonical.SecurityGroupDelete](), Answer: translate.Nothing[canonical.None](),
		}),
		neutronRow("security_group_rule.list", "GET", "security-group-rules", canonical.ListSecurityGroupRules.Spec(), translate.Route{
			Ask: askRules, Answer: rulesAnswer,
		}),
		neutronRow("security_group_rule.show", "GET", "security-group-rules/{id}", canonical.GetSecurityGroupRule.Spec(), translate.Route{
			Ask: translate.ByPath[canonical.SecurityGroupRuleGet](), Answer: ruleAnswer,
		}),
		neutronRow("security_group_rule.create", "POST", "security-group-rules", canonical.CreateSecurityGroupRule.Spec(), translate.Route{
			Ask: askRuleCreate, Answer: ruleAnswer,
		}),
		neutronRow("security_group_rule.delete", "DELETE", "security-group-rules/{rule}", canonical.DeleteSecurityGroupRule.Spec(), translate.Route{
			Needs: []translate.Need{needRule()}, Ask: deleteRule, Answer: translate.Nothing[canonical.None](),
		}),
	}
}
