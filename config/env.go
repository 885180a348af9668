package config

import (
	"reflect"
	"strings"
)

// environment sets scalars outside of lists from DRAGOMAN_A_B, over the file.
func (p *problems) environment(c *Config, getenv func(string) string) {
	if p.env == nil {
		p.env = map[string]string{}
	}
	c.BootstrapKey.ref, p.env["bootstrap_key"] = getenv("DRAGOMAN_BOOTSTRAP_KEY"), "DRAGOMAN_BOOTSTRAP_KEY"
	p.fields(reflect.ValueOf(c).Elem(), "", getenv)
}

// fields sets the fields of a struct; it says whether it set any.
func (p *problems) fields(v reflect.Value, path string, getenv func(string) string) (some bool) {
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if key == "-" || key == "" {
			continue
		}
		if p.field(v.Field(i), join(path, key), getenv) {
			some = true
		}
	}
	return some
}

func (p *problems) field(f reflect.Value, path string, getenv func(string) string) bool {
	secret, isSecret := f.Addr().Interface().(*Secret)
	switch {
	case isSecret || f.Kind() == reflect.String:
	case f.Kind() == reflect.Struct:
		return p.fields(f, path, getenv)
	case f.Kind() == reflect.Pointer:
		made := reflect.New(f.Type().Elem())
		if !f.IsNil() {
			made = f
		}
		if some := p.fields(made.Elem(), path, getenv); !some {
			return false
		}
		f.Set(made)
		return true
	default:
		return false // lists and maps
	}
	name := "DRAGOMAN_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
	value := getenv(name)
	if value == "" {
		return false
	}
	p.env[path] = name
	if isSecret {
		secret.ref = value
	} else {
		f.SetString(value)
	}
	return true
}
