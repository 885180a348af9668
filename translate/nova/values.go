package nova

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// v is a microversion of compute.
func v(minor int) translate.Version { return translate.Version{Major: 2, Minor: minor} }

// flag is a boolean that Nova sends as "True" or "".
type flag bool

// MarshalJSON implements json.Marshaler.
func (f flag) MarshalJSON() ([]byte, error) {
	if f {
		return []byte(`"True"`), nil
	}
	return []byte(`""`), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *flag) UnmarshalJSON(b []byte) error {
	got, err := strconv.ParseBool(strings.Trim(string(b), `"`))
	*f = flag(err == nil && got)
	return nil
}

// number is an integer that may be sent as text.
type number int

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "" || text == "null" {
		*n = 0
		return nil
	}
	got, err := strconv.Atoi(text)
	if err != nil {
		return canonical.Errorf(canonical.InvalidRequest, "%s is not an integer", text)
	}
	*n = number(got)
	return nil
}

// swap is the MiB of a flavor's swap: "" for none below 2.75.
type swap struct {
	MiB  int  `json:"mib"`
	Text bool `json:"text"` // say "" for 0
}

// MarshalJSON implements json.Marshaler.
func (s swap) MarshalJSON() ([]byte, error) {
	if s.Text && s.MiB == 0 {
		return []byte(`""`), nil
	}
	return json.Marshal(s.MiB)
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *swap) UnmarshalJSON(b []byte) error {
	var n number
	err := n.UnmarshalJSON(b)
	s.MiB = int(n)
	return err
}

// Layouts of times; "naive" ones are UTC without saying so.
const (
	zoned = "2006-01-02T15:04:05Z"
	naive = "2006-01-02T15:04:05.000000"
)

func sayOptTime(t *time.Time, layout string) canonical.Opt[string] {
	if t == nil {
		return canonical.Null[string]()
	}
	return canonical.Some(t.UTC().Format(layout))
}

// opt is a value that is null where there is none.
func opt[T any](p *T) canonical.Opt[T] {
	if p == nil {
		return canonical.Null[T]()
	}
	return canonical.Some(*p)
}

// ptr is the value of o, nil where it has none.
func ptr[T any](o canonical.Opt[T]) *T {
	if got, ok := o.Get(); ok {
		return &got
	}
	return nil
}

// kept is a native field that came with the same dialect, or def.
func kept[T any](native map[string]any, key string, def T) T {
	if got, ok := native[key].(T); ok {
		return got
	}
	return def
}

// dict is m, never nil.
func dict[T any](m map[string]T) map[string]T {
	if m == nil {
		return map[string]T{}
	}
	return m
}
