package facade

import (
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
	return canonical.MapIDsAny(result, op.Resource(), i.show)
}

func (i *IDs) readAll(op *canonical.Spec, req any) any {
	if i == nil {
		return req
	}
	v := reflect.New(reflect.TypeOf(req)).Elem()
	v.Set(reflect.ValueOf(canonical.MapIDsAny(req, op.Resource(), i.read)))
	canonical.EachRef(v, func(_, kind string, ref canonical.Ref) canonical.Ref {
		return canonical.Ref(i.read(kind, canonical.ID(ref)))
	})
	return v.Interface()
}
