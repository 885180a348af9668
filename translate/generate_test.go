package translate_test

import (
	"encoding/base64"
	"reflect"
	"time"

	"pgregory.net/rapid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// words are what texts are made of: what is usual, and what breaks careless codecs.
var words = []string{
	"a", "z", "web-1", "10.0.0.7", "fe80::1", "", "x y", "ü<&>\"'", "a/b?c#d%", "os1.small", "True", "null", "0",
	"0b4d3a52-7f1e-4c1a-9d3c-2f6f1f0c9a11", "admin_pass", "user_name", "_ha_policy_type",
}

// enums are the words that enumerations have.
var enums = map[reflect.Type][]string{
	reflect.TypeFor[canonical.ServerStatus]():         texts(canonical.ServerStatuses),
	reflect.TypeFor[canonical.Power]():                texts(canonical.Powers),
	reflect.TypeFor[canonical.ServerKind]():           {"vm"},
	reflect.TypeFor[canonical.AddressKind]():          {"fixed", "floating"},
	reflect.TypeFor[canonical.ImageStatus]():          texts(canonical.ImageStatuses),
	reflect.TypeFor[canonical.NetworkStatus]():        texts(canonical.NetworkStatuses),
	reflect.TypeFor[canonical.VolumeStatus]():         texts(canonical.VolumeStatuses),
	reflect.TypeFor[canonical.VolumeSnapshotStatus](): texts(canonical.VolumeSnapshotStatuses),
	reflect.TypeFor[canonical.KeypairKind]():          {"ssh", "x509"},
	reflect.TypeFor[canonical.RebootKind]():           {"soft", "hard"},
	reflect.TypeFor[canonical.OperationStatus]():      {"pending", "running", "succeeded", "failed", "cancelled"},
	reflect.TypeFor[canonical.NetworksMode]():         {"", "auto", "none", "list"},
	reflect.TypeFor[canonical.GroupPolicy]():          texts(canonical.GroupPolicies),
	reflect.TypeFor[canonical.Direction]():            texts(canonical.Directions),
}

func texts[T ~string](all []T) []string {
	out := make([]string, len(all))
	for i, w := range all {
		out[i] = string(w)
	}
	return out
}

// value draws a value of a canonical type. Identifiers are never empty: an adapter
// is not asked for what has none.
func value(t *rapid.T, typ reflect.Type, name string) reflect.Value {
	v := reflect.New(typ).Elem()
	if opt, ok := v.Interface().(interface{ Elem() reflect.Type }); ok {
		drawOpt(t, v, opt.Elem(), name)
		return v
	}
	switch typ.Kind() { //nolint:exhaustive // canonical types hold no other kinds
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, name))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(rapid.IntRange(0, 4096).Draw(t, name)))
	case reflect.Float64:
		v.SetFloat(float64(rapid.IntRange(0, 4096).Draw(t, name)) / 8)
	case reflect.String:
		v.SetString(text(t, typ, name))
	case reflect.Pointer:
		if rapid.Bool().Draw(t, name+" given") {
			p := reflect.New(typ.Elem())
			p.Elem().Set(value(t, typ.Elem(), name))
			if p.Elem().Kind() != reflect.String || p.Elem().Len() > 0 { // what is unset is null
				v.Set(p)
			}
		}
	case reflect.Slice:
		n := rapid.IntRange(0, 2).Draw(t, name+" len")
		v.Set(reflect.MakeSlice(typ, n, n))
		for i := range n {
			v.Index(i).Set(value(t, typ.Elem(), name))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(typ))
		if typ.Elem().Kind() == reflect.Interface { // native and hints: the dialect's own
			return v
		}
		for range rapid.IntRange(0, 2).Draw(t, name+" len") {
			v.SetMapIndex(value(t, typ.Key(), name+" key"), value(t, typ.Elem(), name))
		}
	case reflect.Struct:
		if typ == reflect.TypeFor[time.Time]() {
			at := time.Unix(rapid.Int64Range(1, 4e9).Draw(t, name), 0).UTC()
			return reflect.ValueOf(at)
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			switch {
			case f.Tag.Get("path") != "": // never empty
				v.Field(i).SetString(text(t, reflect.TypeFor[canonical.ID](), f.Name))
			case f.IsExported():
				v.Field(i).Set(value(t, f.Type, f.Name))
			}
		}
	}
	return v
}

// drawOpt draws absence, null or a value, by the form that Opt has in JSON.
func drawOpt(t *rapid.T, v reflect.Value, elem reflect.Type, name string) {
	u, ok := v.Addr().Interface().(interface{ UnmarshalJSON(b []byte) error })
	if !ok {
		t.Fatalf("%s cannot be read", v.Type())
	}
	switch rapid.IntRange(0, 2).Draw(t, name+" state") {
	case 0:
	case 1:
		must(t, u.UnmarshalJSON([]byte("null")))
	default:
		must(t, u.UnmarshalJSON(encode(t, value(t, elem, name).Interface())))
	}
}

func text(t *rapid.T, typ reflect.Type, name string) string {
	if all, ok := enums[typ]; ok {
		return rapid.SampledFrom(all).Draw(t, name)
	}
	switch {
	case name == "UserData" || name == "Contents":
		return base64.StdEncoding.EncodeToString([]byte(rapid.SampledFrom(words).Draw(t, name)))
	case typ == reflect.TypeFor[canonical.ID](), typ == reflect.TypeFor[canonical.Project](), typ == reflect.TypeFor[canonical.Ref]() && name != "Image", name == "Name":
		return "i" + rapid.SampledFrom(words).Draw(t, name)
	case name == "AvailabilityZone":
		return rapid.SampledFrom([]string{"", "z"}).Draw(t, name)
	}
	return rapid.OneOf(rapid.SampledFrom(words), rapid.StringN(0, 8, 32)).Draw(t, name)
}
