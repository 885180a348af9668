package canonical

import (
	"context"
	"reflect"
	"strings"
)

// Qualify is c under its configured name: ids of requests lose the name, ids of
// results get it, and errors and results say which cloud they come from. It is the
// outermost layer of every adapter; behind it ids are native.
func Qualify(name string, c Cloud) Cloud { return &qualified{name: name, cloud: c} }

type qualified struct {
	name  string
	cloud Cloud
}

var _ Cloud = (*qualified)(nil)

func (q *qualified) Support(ctx context.Context, op *Spec) Support { return q.cloud.Support(ctx, op) }

func (q *qualified) Do(ctx context.Context, call Call) (Reply, error) {
	prefix := q.name + ":"
	call.Request = mapRefs(MapIDsAny(call.Request, call.Op.Resource(), func(_ string, id ID) ID {
		return ID(strings.TrimPrefix(string(id), prefix))
	}), prefix)
	reply, err := q.cloud.Do(ctx, call)
	if err != nil {
		return Reply{}, InCloud(err, q.name)
	}
	add := func(_ string, id ID) ID { return MakeID(q.name, string(id)) }
	reply.Result = stampCloud(MapIDsAny(reply.Result, call.Op.Resource(), add), q.name)
	if reply.Task != nil {
		t := MapIDs(*reply.Task, call.Op.Resource(), add)
		t.Cloud = q.name
		reply.Task = &t
	}
	return reply, nil
}

// clouded is what shapes implement that say which cloud they are of.
type clouded interface{ setCloud(name string) }

// stampCloud sets the cloud of a result and, where it is a page, of its items.
func stampCloud(v any, name string) any {
	if v == nil {
		return nil
	}
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	if c, ok := p.Interface().(clouded); ok {
		c.setCloud(name)
	}
	return p.Elem().Interface()
}

// mapRefs takes the cloud's name off the references of a request, which name
// flavors, images and networks by qualified id, by native id or by name.
func mapRefs(req any, prefix string) any {
	v := reflect.New(reflect.TypeOf(req)).Elem()
	v.Set(reflect.ValueOf(req))
	EachRef(v, func(_, _ string, ref Ref) Ref { return Ref(strings.TrimPrefix(string(ref), prefix)) })
	return v.Interface()
}

// EachRef replaces every reference of the request v, which is an addressable
// struct, with what f makes of it. f is told the field's path (networks.0.network)
// and the kind of resource. Slices are cloned before they change.
func EachRef(v reflect.Value, f func(path, kind string, ref Ref) Ref) { eachField(v, "", "", f) }

// EachID is EachRef for the ids of a request, which name one thing and no name.
func EachID(v reflect.Value, f func(path, kind string, id ID) ID) { eachField(v, "", "", f) }

func eachField[T Ref | ID](v reflect.Value, path, kind string, f func(path, kind string, field T) T) {
	t := v.Type()
	if o, ok := v.Interface().(Optional); ok {
		v.Set(reflect.ValueOf(o.Changed(func(value reflect.Value) { eachField(value, path, kind, f) })))
		return
	}
	switch t.Kind() { //nolint:exhaustive // references are fields of structs and elements of slices
	case reflect.String:
		if t == reflect.TypeFor[T]() && v.Len() > 0 {
			v.SetString(string(f(path, kind, T(v.String()))))
		}
	case reflect.Slice:
		if elem := t.Elem().Kind(); elem != reflect.Struct && t.Elem() != reflect.TypeFor[T]() || v.Len() == 0 {
			return
		}
		s := reflect.MakeSlice(t, v.Len(), v.Len())
		reflect.Copy(s, v)
		v.Set(s)
		for i := range v.Len() {
			eachField(v.Index(i), sprintf("%s.%d", path, i), kind, f)
		}
	case reflect.Struct:
		for i := range t.NumField() {
			field := t.Field(i)
			if !field.IsExported() {
				continue
			}
			eachField(v.Field(i), fieldPath(path, field), field.Tag.Get("of"), f)
		}
	}
}

// fieldPath is the path of a field as clients know it. A list inside Networks has
// no name of its own there.
func fieldPath(path string, field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	if name == "-" {
		name = field.Tag.Get("path")
	}
	switch {
	case name == "":
		return path
	case path == "":
		return name
	default:
		return path + "." + name
	}
}

func (p *Page[T]) setCloud(name string) {
	for i := range p.Items {
		if c, ok := any(&p.Items[i]).(clouded); ok {
			c.setCloud(name)
		}
	}
}

func (s *Server) setCloud(name string)           { s.Cloud = name }
func (f *Flavor) setCloud(name string)           { f.Cloud = name }
func (i *Image) setCloud(name string)            { i.Cloud = name }
func (k *Keypair) setCloud(name string)          { k.Cloud = name }
func (n *Network) setCloud(name string)          { n.Cloud = name }
func (z *AvailabilityZone) setCloud(name string) { z.Cloud = name }
func (h *Hypervisor) setCloud(name string)       { h.Cloud = name }
func (l *Limits) setCloud(name string)           { l.Cloud = name }
func (v *Volume) setCloud(name string)           { v.Cloud = name }
func (a *VolumeAttachment) setCloud(name string) { a.Cloud = name }
func (t *VolumeType) setCloud(name string)       { t.Cloud = name }
func (s *VolumeSnapshot) setCloud(name string)   { s.Cloud = name }
func (s *ServerSnapshot) setCloud(name string)   { s.Cloud = name }
func (e *ServerAction) setCloud(name string)     { e.Cloud = name }
func (g *ServerGroup) setCloud(name string)      { g.Cloud = name }
func (m *ServerMigration) setCloud(name string)  { m.Cloud = name }
func (a *Aggregate) setCloud(name string)        { a.Cloud = name }
func (s *ComputeService) setCloud(name string)   { s.Cloud = name }
func (q *Quota) setCloud(name string)            { q.Cloud = name }
func (u *Usage) setCloud(name string)            { u.Cloud = name }
func (m *ImageMember) setCloud(name string)      { m.Cloud = name }
func (h *Host) setCloud(name string)             { h.Cloud = name }

func (c *ServersCreated) setCloud(name string) {
	for i := range c.Servers {
		c.Servers[i].Cloud = name
	}
}
