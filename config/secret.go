package config

import (
	"fmt"
	"log/slog"
	"os"
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

// Ref is where a secret is, kept unread: env:NAME or file:PATH, the path absolute.
type Ref string
