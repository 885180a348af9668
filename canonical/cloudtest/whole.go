package cloudtest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// whole fails the test where a result leaves something out: lists and maps that are
// empty are not nil, times are in UTC, states are declared ones.
func (k *check) whole(what string, result any) {
	k.wholeValue(what, reflect.ValueOf(result))
}

var (
	timeType = reflect.TypeFor[time.Time]()
	rawType  = reflect.TypeFor[json.RawMessage]()
)

func (k *check) wholeValue(path string, v reflect.Value) {
	switch v.Kind() { //nolint:exhaustive // the other kinds are always whole
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			k.wholeValue(path, v.Elem())
		}
	case reflect.Slice, reflect.Map:
		if v.Type() == rawType { // null is a value
			return
		}
		if v.IsNil() {
			k.errorf("%s is nil, not empty", path)
		}
		for i := 0; v.Kind() == reflect.Slice && i < v.Len(); i++ {
			k.wholeValue(fmt.Sprintf("%s.%d", path, i), v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == timeType {
			if t, ok := v.Interface().(time.Time); ok && t.Location() != time.UTC {
				k.errorf("%s is not in UTC: %v", path, t)
			}
			return
		}
		k.wholeFields(path, v)
	case reflect.String:
		k.declared(path, v.Interface())
	}
}

func (k *check) wholeFields(path string, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || strings.Contains(f.Tag.Get("json"), ",omit") {
			continue
		}
		k.wholeValue(path+"."+f.Name, v.Field(i))
	}
}

// declared fails the test where a word of an enumeration is not one of it.
func (k *check) declared(path string, word any) {
	known := true
	switch w := word.(type) {
	case canonical.ServerStatus:
		known = slices.Contains(canonical.ServerStatuses, w)
	case canonical.Power:
		known = slices.Contains(canonical.Powers, w)
	case canonical.ImageStatus:
		known = slices.Contains(canonical.ImageStatuses, w)
	case canonical.Direction:
		known = slices.Contains(canonical.Directions, w)
	case canonical.NetworkStatus:
		known = slices.Contains(canonical.NetworkStatuses, w)
	}
	if !known {
		k.errorf("%s is %q, which is not declared", path, word)
	}
}
