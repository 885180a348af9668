package facade

import (
	"context"
	"reflect"
	"regexp"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// IDs shows the ids of several clouds as one dialect's: native ids where they are
// UUIDs, which are unique, and <cloud>.<native id> elsewhere. A nil *IDs shows
// ids as they are.
type IDs struct {
	// Clouds says whether there is a cloud of that name; what does not begin with
	// one is taken for a native id or a name.
	Clouds func(name string) bool
	// Zones says that zones are shown as <cloud>:<zone>, or as <cloud> alone where none
	// is known, and that clients may name them so: there are several clouds. Else they
	// have the names that their cloud gives them.
	Zones bool
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$`)

func (i *IDs) show(kind string, id canonical.ID) canonical.ID {
	cloud, native := id.Split()
	switch {
	case i == nil || cloud == "" || !i.Clouds(cloud):
		return id
	case uuid.MatchString(native), byName[kind]:
		return canonical.ID(native)
	default:
		return canonical.ID(cloud + "." + native)
	}
}

// byName are the kinds that clients of every dialect address by name, or below
// something else.
var byName = map[string]bool{"server_event": true, "image_member": true, "keypair": true, "availability_zone": true}

func (i *IDs) read(_ string, id canonical.ID) canonical.ID {
	cloud, native, ok := strings.Cut(string(id), ".")
	if i == nil || !ok || !i.Clouds(cloud) {
		return id
	}
	return canonical.MakeID(cloud, native)
}

func (i *IDs) showAll(op *canonical.Spec, result any) any {
	if i == nil || result == nil {
		return result
	}
	result = canonical.MapIDsAny(result, op.Resource(), i.show)
	if !i.Zones {
		return result
	}
	return canonical.MapZones(result, func(cloud, zone string) string {
		switch {
		case cloud == "" || !i.Clouds(cloud):
			return zone
		case zone == "":
			return cloud
		default:
			return cloud + ":" + zone
		}
	})
}

// zoned is whether names of zones may begin with a cloud's; nil: they do not.
func (i *IDs) zoned() func(name string) bool {
	if i == nil || !i.Zones {
		return nil
	}
	return i.Clouds
}

// place reads zones that are clouds: a request for a place anywhere on a cloud, and a list
// of what is there. It is the request for that cloud.
func (i *IDs) place(ctx context.Context, req any) (context.Context, any) {
	if i == nil || !i.Zones {
		return ctx, req
	}
	v := reflect.New(reflect.TypeOf(req)).Elem()
	v.Set(reflect.ValueOf(req))
	_, list := req.(listed)
	pin := v.FieldByName("Cloud")
	cloud := ""
	canonical.EachRef(v, func(_, kind string, ref canonical.Ref) canonical.Ref {
		name := strings.TrimSuffix(string(ref), ":")
		if kind != "availability_zone" || !i.Clouds(name) || !list && !pin.IsValid() {
			return ref
		}
		cloud = name
		return ""
	})
	switch {
	case cloud == "":
		return ctx, req
	case pin.IsValid() && pin.String() == "":
		pin.SetString(cloud)
	case list:
		opts := canonical.OptionsOf(ctx)
		opts.Clouds = []string{cloud}
		ctx = canonical.WithOptions(ctx, opts)
	}
	return ctx, v.Interface()
}

func (i *IDs) readAll(op *canonical.Spec, req any) any {
	if i == nil {
		return req
	}
	v := reflect.New(reflect.TypeOf(req)).Elem()
	v.Set(reflect.ValueOf(canonical.MapIDsAny(req, op.Resource(), i.read)))
	canonical.EachRef(v, func(_, kind string, ref canonical.Ref) canonical.Ref {
		if kind == "availability_zone" {
			return ref // its name may hold dots
		}
		return canonical.Ref(i.read(kind, canonical.ID(ref)))
	})
	return v.Interface()
}
