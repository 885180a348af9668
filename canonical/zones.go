package canonical

import (
	"reflect"
	"sync"
)

// zoneKind is the tag of fields that hold the name of a zone: texts, in results, beside a
// field Cloud.
const zoneKind = "availability_zone"

// MapZones returns a copy of v, a result, in which f has replaced the name of every
// zone; it is told which cloud it is of. What holds none is shared with v, not copied.
func MapZones(v any, f func(cloud, zone string) string) any {
	if v == nil || !holdsZones(reflect.TypeOf(v)) {
		return v
	}
	out := reflect.New(reflect.TypeOf(v)).Elem()
	out.Set(reflect.ValueOf(v))
	mapZones(out, "", f)
	return out.Interface()
}

var zoneTypes sync.Map // reflect.Type -> bool: does it hold zones

// holdsZones says whether a type is a struct with zones, or has them in its structs and
// slices of structs.
func holdsZones(t reflect.Type) bool {
	if known, ok := zoneTypes.Load(t); ok {
		return known == true
	}
	holds := false
	switch t.Kind() { //nolint:exhaustive // zones are fields of structs
	case reflect.Slice:
		holds = holdsZones(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			field := t.Field(i)
			holds = holds || field.IsExported() && (isZone(field) || holdsZones(field.Type))
		}
	}
	zoneTypes.Store(t, holds)
	return holds
}

func isZone(field reflect.StructField) bool {
	t := field.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return field.Tag.Get("of") == zoneKind && t == reflect.TypeFor[string]()
}

// mapZones rewrites v, which is addressable, and clones what it reaches by reference.
func mapZones(v reflect.Value, cloud string, f func(cloud, zone string) string) {
	if v.Kind() == reflect.Slice {
		s := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(s, v)
		v.Set(s)
		for i := range v.Len() {
			mapZones(v.Index(i), cloud, f)
		}
		return
	}
	if own := v.FieldByName("Cloud"); own.IsValid() && own.Kind() == reflect.String {
		cloud = own.String()
	}
	for i := range v.NumField() {
		switch field := v.Type().Field(i); {
		case !field.IsExported():
		case isZone(field) && v.Field(i).Kind() == reflect.String:
			v.Field(i).SetString(f(cloud, v.Field(i).String()))
		case isZone(field):
			name := ""
			if !v.Field(i).IsNil() {
				name = v.Field(i).Elem().String()
			}
			if name = f(cloud, name); name != "" {
				v.Field(i).Set(reflect.ValueOf(&name))
			}
		case holdsZones(field.Type):
			mapZones(v.Field(i), cloud, f)
		}
	}
}
