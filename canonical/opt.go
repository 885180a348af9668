package canonical

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// Opt is a field of an update: absent, null and a value are three things. The zero
// value is absent; tag such fields omitzero.
type Opt[T any] struct {
	value T
	state optState
}

type optState uint8

const (
	optAbsent optState = iota
	optNull
	optValue
)

// Some is a value.
func Some[T any](v T) Opt[T] { return Opt[T]{value: v, state: optValue} }

// Null is an explicit null.
func Null[T any]() Opt[T] { return Opt[T]{state: optNull} }

// Get is the value, and whether there is one.
func (o Opt[T]) Get() (T, bool) { return o.value, o.state == optValue }

// Or is the value, or def where there is none.
func (o Opt[T]) Or(def T) T {
	if o.state == optValue {
		return o.value
	}
	return def
}

// IsZero says whether the field is absent; encoding/json's omitzero asks it.
func (o Opt[T]) IsZero() bool { return o.state == optAbsent }

// IsNull says whether the field is an explicit null.
func (o Opt[T]) IsNull() bool { return o.state == optNull }

// Elem is the type of the value; the gateway asks it to describe the field.
func (o Opt[T]) Elem() reflect.Type { return reflect.TypeFor[T]() }

// Changed is o after f has changed a copy of its value, if it has one.
func (o Opt[T]) Changed(f func(value reflect.Value)) any {
	if o.state == optValue {
		f(reflect.ValueOf(&o.value).Elem())
	}
	return o
}

// Optional is every Opt, for those who walk through values of any type.
type Optional interface {
	Elem() reflect.Type
	Changed(f func(value reflect.Value)) any
}

// MarshalJSON implements json.Marshaler.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if o.state != optValue {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *Opt[T]) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		*o = Null[T]()
		return nil
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*o = Some(v)
	return nil
}
