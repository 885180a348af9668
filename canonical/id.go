package canonical

import (
	"reflect"
	"strings"
	"sync"
)

// ID names a resource. Towards clients it is "<cloud>:<native id>", and opaque to
// them; inside an adapter it is the native id alone, and Named puts the cloud's
// name on and takes it off. The native part is never cut further: it may hold
// colons.
//
// A field of type ID may carry a tag of:"flavor" that names the kind of what it
// points to; without one it is of the kind of the operation's resource.
type ID string

// MakeID is the id of what a cloud calls native.
func MakeID(cloud, native string) ID { return ID(cloud + ":" + native) }

// Split is the cloud's name and the native id. An id without a colon has no cloud.
func (id ID) Split() (cloud, native string) {
	cloud, native, ok := strings.Cut(string(id), ":")
	if !ok {
		return "", string(id)
	}
	return cloud, native
}

// Ref names a flavor, image, network or keypair in a request: an id of the cloud,
// a qualified id, or a name.
type Ref string

// MapIDs returns a copy of v, a struct, in which f has replaced every id. kind is
// the field's of tag, or def. What holds no ids is shared with v, not copied.
func MapIDs[T any](v T, def string, f func(kind string, id ID) ID) T {
	out, _ := MapIDsAny(v, def, f).(T)
	return out
}

// MapIDsAny is MapIDs where the type is known only at run time.
func MapIDsAny(v any, def string, f func(kind string, id ID) ID) any {
	if v == nil || !holdsIDs(reflect.TypeOf(v)) {
		return v
	}
	out := reflect.New(reflect.TypeOf(v)).Elem()
	out.Set(reflect.ValueOf(v))
	mapIDs(out, def, f)
	return out.Interface()
}

var (
	idType  = reflect.TypeFor[ID]()
	idTypes sync.Map // reflect.Type -> bool: does it hold ids
)

func holdsIDs(t reflect.Type) bool {
	if known, ok := idTypes.Load(t); ok {
		return known == true
	}
	holds := searchIDs(t, make(map[reflect.Type]bool))
	idTypes.Store(t, holds)
	return holds
}

// searchIDs looks for ids in t; seen ends the recursion of types that hold themselves.
func searchIDs(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	if o, ok := reflect.Zero(t).Interface().(Optional); ok {
		return searchIDs(o.Elem(), seen)
	}
	switch t.Kind() { //nolint:exhaustive // no other kind contains ids
	case reflect.String:
		return t == idType
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return searchIDs(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() && searchIDs(t.Field(i).Type, seen) {
				return true
			}
		}
	}
	return false
}

// mapIDs rewrites v, which is addressable, and clones what it reaches by reference.
func mapIDs(v reflect.Value, kind string, f func(string, ID) ID) {
	t := v.Type()
	if !holdsIDs(t) {
		return
	}
	if o, ok := v.Interface().(Optional); ok {
		v.Set(reflect.ValueOf(o.Changed(func(value reflect.Value) { mapIDs(value, kind, f) })))
		return
	}
	switch t.Kind() { //nolint:exhaustive // holdsIDs lets only these pass
	case reflect.String:
		if v.Len() > 0 {
			v.SetString(string(f(kind, ID(v.String()))))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			p := reflect.New(t.Elem())
			p.Elem().Set(v.Elem())
			mapIDs(p.Elem(), kind, f)
			v.Set(p)
		}
	case reflect.Slice:
		if !v.IsNil() {
			s := reflect.MakeSlice(t, v.Len(), v.Len())
			reflect.Copy(s, v)
			v.Set(s)
			for i := range v.Len() {
				mapIDs(v.Index(i), kind, f)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			mapIDs(v.Index(i), kind, f)
		}
	case reflect.Map:
		if !v.IsNil() {
			m := reflect.MakeMapWithSize(t, v.Len())
			for it := v.MapRange(); it.Next(); {
				e := reflect.New(t.Elem()).Elem()
				e.Set(it.Value())
				mapIDs(e, kind, f)
				m.SetMapIndex(it.Key(), e)
			}
			v.Set(m)
		}
	case reflect.Struct:
		for i := range t.NumField() {
			field := t.Field(i)
			if !field.IsExported() {
				continue
			}
			k := kind
			if of := field.Tag.Get("of"); of != "" {
				k = of
			}
			mapIDs(v.Field(i), k, f)
		}
	}
}
