package config

import (
	"cmp"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

const redacted = "[redacted]"

// Secret is a text that prints as redacted. In the file it is the text itself,
// env:NAME or file:PATH.
type Secret struct{ ref, value string }

// Reveal is the secret itself.
func (s Secret) Reveal() string { return s.value }

// Set says whether there is one.
func (s Secret) Set() bool { return s.value != "" }

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s.ref == "" {
		return ""
	}
	return redacted
}

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return s.String() }

// Format implements fmt.Formatter, so that no verb prints the secret.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, s.String()) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalYAML implements yaml.Unmarshaler.
func (s *Secret) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: must be a text", n.Line)
	}
	s.ref = n.Value
	return nil
}

// resolve reads what the reference names; file is made absolute by abs.
func (s *Secret) resolve(getenv func(string) string, abs func(string) string) error {
	s.value = s.ref
	if name, ok := strings.CutPrefix(s.ref, "env:"); ok {
		if s.value = getenv(name); s.value == "" {
			return fmt.Errorf("the environment variable %s is not set", name)
		}
	} else if path, ok := strings.CutPrefix(s.ref, "file:"); ok {
		b, err := os.ReadFile(abs(path))
		if err != nil {
			return err
		}
		s.value = strings.TrimSpace(string(b))
	}
	return nil
}

// secrets reads every secret of c.
func (p *problems) secrets(c *Config, getenv func(string) string, abs func(string) string) {
	p.resolve(reflect.ValueOf(c).Elem(), "", getenv, abs)
}

func (p *problems) resolve(v reflect.Value, path string, getenv func(string) string, abs func(string) string) {
	if s, ok := v.Addr().Interface().(*Secret); ok {
		if err := s.resolve(getenv, abs); err != nil {
			p.add(path, "%v", err)
		}
		return
	}
	switch v.Kind() { //nolint:exhaustive // nothing else holds secrets
	case reflect.Pointer:
		if !v.IsNil() {
			p.resolve(v.Elem(), path, getenv, abs)
		}
	case reflect.Slice:
		for i := range v.Len() {
			p.resolve(v.Index(i), join(path, strconv.Itoa(i)), getenv, abs)
		}
	case reflect.Map:
		if v.Type().Elem() != reflect.TypeFor[Auth]() {
			return
		}
		for _, k := range v.MapKeys() {
			e := reflect.New(v.Type().Elem()).Elem()
			e.Set(v.MapIndex(k))
			p.resolve(e, join(path, k.String()), getenv, abs)
			v.SetMapIndex(k, e)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				p.resolve(v.Field(i), join(path, cmp.Or(strings.Trim(f.Tag.Get("yaml"), "-"), "bootstrap_key")), getenv, abs)
			}
		}
	}
}

// Ref is where a secret is, kept unread: env:NAME or file:PATH, the path absolute.
type Ref string
