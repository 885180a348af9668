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
	return mapTexts(v, idType, def, func(kind, text string) string { return string(f(kind, ID(text))) })
}

// mapTexts returns a copy of v in which f has replaced every text of the type want.
func mapTexts(v any, want reflect.Type, def string, f func(kind, text string) string) any {
	if v == nil || !holds(reflect.TypeOf(v), want) {
		return v
	}
	out := reflect.New(reflect.TypeOf(v)).Elem()
	out.Set(reflect.ValueOf(v))
	rewrite(out, want, def, f)
	return out.Interface()
}

var (
	idType  = reflect.TypeFor[ID]()
	holders sync.Map // holder -> bool: does in hold texts of the type text
)

type holder struct{ in, text reflect.Type }

func holds(t, text reflect.Type) bool {
	key := holder{t, text}
	if known, ok := holders.Load(key); ok {
		return known == true
	}
	found := search(t, text, make(map[reflect.Type]bool))
	holders.Store(key, found)
	return found
}

// search looks for texts of a type in t; seen ends the recursion of types that hold
// themselves.
func search(t, text reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	if o, ok := reflect.Zero(t).Interface().(Optional); ok {
		return search(o.Elem(), text, seen)
	}
	switch t.Kind() { //nolint:exhaustive // no other kind contains texts
	case reflect.String:
		return t == text
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return search(t.Elem(), text, seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() && search(t.Field(i).Type, text, seen) {
				return true
			}
		}
	}
	return false
}

// rewrite changes v, which is addressable, and clones what it reaches by reference.
func rewrite(v reflect.Value, want reflect.Type, kind string, f func(kind, text string) string) {
	t := v.Type()
	if !holds(t, want) {
		return
	}
	if o, ok := v.Interface().(Optional); ok {
		v.Set(reflect.ValueOf(o.Changed(func(value reflect.Value) { rewrite(value, want, kind, f) })))
		return
	}
	switch t.Kind() { //nolint:exhaustive // holds lets only these pass
	case reflect.String:
		if v.Len() > 0 {
			v.SetString(f(kind, v.String()))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			p := reflect.New(t.Elem())
			p.Elem().Set(v.Elem())
			rewrite(p.Elem(), want, kind, f)
			v.Set(p)
		}
	case reflect.Slice:
		if !v.IsNil() {
			s := reflect.MakeSlice(t, v.Len(), v.Len())
			reflect.Copy(s, v)
			v.Set(s)
			for i := range v.Len() {
				rewrite(v.Index(i), want, kind, f)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			rewrite(v.Index(i), want, kind, f)
		}
	case reflect.Map:
		if !v.IsNil() {
			m := reflect.MakeMapWithSize(t, v.Len())
			for it := v.MapRange(); it.Next(); {
				e := reflect.New(t.Elem()).Elem()
				e.Set(it.Value())
				rewrite(e, want, kind, f)
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
			rewrite(v.Field(i), want, k, f)
		}
	}
}
