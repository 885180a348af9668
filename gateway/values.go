package gateway

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"
)

// settable says whether set can fill a field of that type.
func settable(t reflect.Type) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() { //nolint:exhaustive // texts hold nothing else
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64:
		return nil
	}
	if t == reflect.TypeFor[time.Time]() {
		return nil
	}
	return fmt.Errorf("type %v cannot be read from text", t)
}

// set reads text into v. The error is for clients.
func set(v reflect.Value, text string) error {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch v.Kind() { //nolint:exhaustive // settable lets only these pass
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return errors.New("must be true or false")
		}
		v.SetBool(text == "true")
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return errors.New("must be a whole number")
		}
		v.SetInt(n)
	default:
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return errors.New("must be a time as in RFC 3339")
		}
		v.Set(reflect.ValueOf(t.UTC()))
	}
	return nil
}
