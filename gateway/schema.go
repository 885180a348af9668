package gateway

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/dragoman-cloud/dragoman/canonical"
)

const schemaPrefix = "#/components/schemas/"

// elem is what canonical.Opt says of itself.
type elem interface{ Elem() reflect.Type }

// newRegistry is a registry that knows the types which describe themselves.
func newRegistry() huma.Registry {
	r := huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer)
	r.RegisterTypeAlias(reflect.TypeFor[canonical.Networks](), reflect.TypeFor[networksSchema]())
	for _, op := range canonical.Ops() {
		registerOpts(r, op.Request, map[reflect.Type]bool{})
	}
	return r
}

// registerOpts describes each Opt[T] below t as *T.
func registerOpts(r huma.Registry, t reflect.Type, seen map[reflect.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	if e, ok := optOf(t); ok {
		r.RegisterTypeAlias(t, reflect.PointerTo(e))
		registerOpts(r, e, seen)
		return
	}
	switch t.Kind() { //nolint:exhaustive // no other kind holds more
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		registerOpts(r, t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			registerOpts(r, t.Field(i).Type, seen)
		}
	}
}

func optOf(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() != reflect.Struct {
		return nil, false
	}
	e, ok := reflect.Zero(t).Interface().(elem)
	if !ok {
		return nil, false
	}
	return e.Elem(), true
}

// networksSchema describes canonical.Networks: a list, or one of two words.
type networksSchema struct{}

// Schema implements huma.SchemaProvider.
func (networksSchema) Schema(r huma.Registry) *huma.Schema {
	list := r.Schema(reflect.TypeFor[[]canonical.NetworkChoice](), true, "NetworkChoices")
	list.Nullable = false
	word := &huma.Schema{Type: huma.TypeString, Enum: []any{string(canonical.NetworksAuto), string(canonical.NetworksNone)}}
	word.PrecomputeMessages()
	return &huma.Schema{OneOf: []*huma.Schema{word, list}}
}

// settle says in every schema what may be null, and the values of enumerations. Null
// may be what is a pointer or an Opt, and no list; huma by itself says it of lists,
// and of pointers to scalars only.
func settle(r huma.Registry) {
	for name, s := range r.Map() {
		t := r.TypeFromRef(schemaPrefix + name)
		if t == nil || t.Kind() != reflect.Struct {
			continue
		}
		for _, f := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if p := s.Properties[name]; p != nil && !f.Anonymous {
				s.Properties[name] = settleNull(p, f.Type)
				settleEnum(s.Properties[name], f)
			}
		}
	}
}

func settleNull(p *huma.Schema, t reflect.Type) *huma.Schema {
	_, opt := optOf(t)
	null := opt || t.Kind() == reflect.Pointer
	switch {
	case null && p.Ref != "":
		return &huma.Schema{Description: p.Description, AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}}
	case p.Type != "":
		p.Nullable = null
	}
	return p
}
