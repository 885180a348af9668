package gateway

import (
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// enums are the values of the enumerations of canonical's shapes. TestEnums holds
// them against the constants that are declared there.
var enums = map[reflect.Type][]any{
	reflect.TypeFor[canonical.AddressKind]():          values(canonical.FixedAddress, canonical.FloatingAddress),
	reflect.TypeFor[canonical.CloudStatus]():          values(canonical.CloudUp, canonical.CloudDegraded, canonical.CloudDown),
	reflect.TypeFor[canonical.Direction]():            values(canonical.Directions...),
	reflect.TypeFor[canonical.EventType]():            values(canonical.EventTypes...),
	reflect.TypeFor[canonical.GroupPolicy]():          values(canonical.GroupPolicies...),
	reflect.TypeFor[canonical.ImageStatus]():          values(canonical.ImageStatuses...),
	reflect.TypeFor[canonical.KeypairKind]():          values(canonical.SSHKey, canonical.X509Key),
	reflect.TypeFor[canonical.Level]():                values(canonical.Native, canonical.Emulated, canonical.No),
	reflect.TypeFor[canonical.NetworkStatus]():        values(canonical.NetworkStatuses...),
	reflect.TypeFor[canonical.OperationStatus]():      values(canonical.OperationStatuses...),
	reflect.TypeFor[canonical.Power]():                values(canonical.Powers...),
	reflect.TypeFor[canonical.RebootKind]():           values(canonical.RebootSoft, canonical.RebootHard),
	reflect.TypeFor[canonical.Role]():                 values(canonical.Reader, canonical.Member, canonical.Operator, canonical.Admin),
	reflect.TypeFor[canonical.ServerKind]():           values(canonical.VM, canonical.BareMetal),
	reflect.TypeFor[canonical.ServerStatus]():         values(canonical.ServerStatuses...),
	reflect.TypeFor[canonical.Sort]():                 values(canonical.NewestFirst, canonical.OldestFirst, canonical.ByName, canonical.ByNameDesc),
	reflect.TypeFor[canonical.VolumeStatus]():         values(canonical.VolumeStatuses...),
	reflect.TypeFor[canonical.VolumeSnapshotStatus](): values(canonical.VolumeSnapshotStatuses...),
	reflect.TypeFor[canonical.Code](): values(canonical.InvalidRequest, canonical.Unauthenticated, canonical.Forbidden, canonical.NotFound,
		canonical.Conflict, canonical.AlreadyExists, canonical.FailedPrecondition, canonical.QuotaExceeded, canonical.TooLarge,
		canonical.RateLimited, canonical.Unsupported, canonical.Unavailable, canonical.Timeout, canonical.UpstreamError, canonical.Internal),
}

func values[T ~string](all ...T) []any {
	out := make([]any, len(all))
	for i, v := range all {
		out[i] = string(v)
	}
	return out
}

// enumOf are the values of a field: of its tag, or else of its type.
func enumOf(f reflect.StructField) []any {
	if tag := f.Tag.Get("enum"); tag != "" {
		return values(strings.Split(tag, ",")...)
	}
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return enums[t]
}

// settleEnum says in a property's schema what its values are. huma knows it of tags
// alone.
func settleEnum(p *huma.Schema, f reflect.StructField) {
	if all := enumOf(f); len(all) > 0 && len(p.Enum) == 0 && p.Type == huma.TypeString {
		if p.Enum = slices.Clone(all); p.Nullable {
			p.Enum = append(p.Enum, nil)
		}
		p.PrecomputeMessages()
	}
}
