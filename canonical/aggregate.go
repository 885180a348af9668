package canonical

import (
	"maps"
	"strings"
	"time"
)

// The operations on aggregates: groups of hosts that operators make.
var (
	ListAggregates       = op[AggregateList, Page[Aggregate]]("aggregate.list", Read, "GET /v1/aggregates")
	GetAggregate         = op[AggregateGet, Aggregate]("aggregate.get", Read, "GET /v1/aggregates/{id}")
	CreateAggregate      = op[AggregateCreate, Aggregate]("aggregate.create", Write, "POST /v1/aggregates")
	UpdateAggregate      = op[AggregateUpdate, Aggregate]("aggregate.update", Write, "PATCH /v1/aggregates/{id}")
	DeleteAggregate      = op[AggregateDelete, None]("aggregate.delete", Delete, "DELETE /v1/aggregates/{id}")
	AddAggregateHost     = op[AggregateAddHost, Aggregate]("aggregate.add_host", Write, "PUT /v1/aggregates/{id}/hosts/{host}")
	RemoveAggregateHost  = op[AggregateRemoveHost, Aggregate]("aggregate.remove_host", Delete, "DELETE /v1/aggregates/{id}/hosts/{host}")
	SetAggregateMetadata = op[AggregateSetMetadata, Aggregate]("aggregate.set_metadata", Write, "PATCH /v1/aggregates/{id}/metadata")
)

// Aggregate is a group of hosts.
type Aggregate struct {
	ID               ID                `json:"id"`
	Cloud            string            `json:"cloud"`
	Name             string            `json:"name"`
	AvailabilityZone *string           `json:"availability_zone" of:"availability_zone"` // that its hosts are
	Hosts            []string          `json:"hosts"`
	Metadata         map[string]string `json:"metadata"`
	CreatedAt        *time.Time        `json:"created_at"`
	UpdatedAt        *time.Time        `json:"updated_at"`
	Native           map[string]any    `json:"native,omitempty"`
}

// ListKeys implements Listed.
func (a Aggregate) ListKeys() (ID, string, string) { return a.ID, a.Name, sortTime(a.CreatedAt) }

// AggregateList asks for aggregates.
type AggregateList struct {
	ListOptions
	Name       string `json:"-" query:"name" doc:"Exact name"`
	NamePrefix string `json:"-" query:"name_prefix" doc:"Beginning of the name"`
}

// Match says whether a passes the filters.
func (r AggregateList) Match(a *Aggregate) bool { return matchName(a.Name, r.Name, r.NamePrefix) }

// AggregateGet names one aggregate.
type AggregateGet struct {
	ID ID `json:"-" path:"id"`
}

// AggregateCreate asks for an aggregate.
type AggregateCreate struct {
	Name             string `json:"name"`
	Cloud            string `json:"cloud,omitempty" doc:"Cloud to make it on"`
	AvailabilityZone Ref    `json:"availability_zone,omitempty" of:"availability_zone" doc:"Zone that its hosts shall be, a new one or not"`
}

// Validate implements the check of requests.
func (r AggregateCreate) Validate() error { return validateAggregate(r.Name) }

func validateAggregate(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return Invalid("name", "is required")
	case len([]rune(name)) > 255:
		return Invalid("name", "is longer than 255 characters")
	default:
		return nil
	}
}

// AggregateUpdate changes what is given, by the rules of JSON merge patch.
type AggregateUpdate struct {
	ID               ID          `json:"-" path:"id"`
	Name             Opt[string] `json:"name,omitzero"`
	AvailabilityZone Opt[Ref]    `json:"availability_zone,omitzero" of:"availability_zone"`
}

// Validate implements the check of requests.
func (r AggregateUpdate) Validate() error {
	if r.Name.IsZero() {
		return nil
	}
	return validateAggregate(r.Name.Or(""))
}

// AggregateDelete deletes an aggregate without hosts.
type AggregateDelete struct {
	ID ID `json:"-" path:"id"`
}

// AggregateAddHost puts a host into an aggregate.
type AggregateAddHost struct {
	ID   ID     `json:"-" path:"id"`
	Host string `json:"-" path:"host"`
}

// AggregateRemoveHost takes a host out.
type AggregateRemoveHost struct {
	ID   ID     `json:"-" path:"id"`
	Host string `json:"-" path:"host"`
}

// AggregateSetMetadata changes metadata, by the rules of JSON merge patch.
type AggregateSetMetadata struct {
	ID       ID                     `json:"-" path:"id"`
	Metadata map[string]Opt[string] `json:"-" body:"metadata" doc:"Items that are given change; null takes an item out"`
}

// Validate implements the check of requests.
func (r AggregateSetMetadata) Validate() error {
	return validateMetadata(maps.Keys(r.Metadata), given(r.Metadata))
}
