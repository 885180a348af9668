package broker

import (
	"context"
	"reflect"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// ownNative is the request without the native fields that a facade of another
// dialect than the member's put into it: they are advisory here.
func (v *view) ownNative(ctx context.Context, req any) any {
	heard := canonical.OptionsOf(ctx).Dialect
	field := reflect.ValueOf(req).FieldByName("Native")
	if heard == "" || heard == v.m.Dialect || !field.IsValid() || field.IsZero() {
		return req
	}
	out := reflect.New(reflect.TypeOf(req)).Elem()
	out.Set(reflect.ValueOf(req))
	out.FieldByName("Native").SetZero()
	return out.Interface()
}
