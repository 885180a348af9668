package translate

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Version is a microversion of a service. The zero value is a service without any.
type Version struct{ Major, Minor int }

// ParseVersion reads "2.93".
func ParseVersion(s string) (Version, error) {
	major, minor, ok := strings.Cut(s, ".")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	if !ok || errA != nil || errB != nil || a < 0 || b < 0 || strconv.Itoa(a) != major || strconv.Itoa(b) != minor {
		return Version{}, fmt.Errorf("%q is not of the form MAJOR.MINOR", s)
	}
	return Version{a, b}, nil
}

// mustVersion reads the version of a tag; the empty text is the zero Version.
func mustVersion(s string) Version {
	if s == "" {
		return Version{}
	}
	v, err := ParseVersion(s)
	if err != nil {
		panic("translate: tag: " + err.Error())
	}
	return v
}

func (v Version) String() string { return strconv.Itoa(v.Major) + "." + strconv.Itoa(v.Minor) }

// IsZero says whether there is no version.
func (v Version) IsZero() bool { return v == Version{} }

// Compare orders versions.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor))
}

// AtLeast says whether v is w or newer.
func (v Version) AtLeast(w Version) bool { return v.Compare(w) >= 0 }

// Window is the versions that a service speaks; the zero value is one without any.
type Window struct{ Min, Max Version }

// Clamp is the version of the window nearest to v.
func (w Window) Clamp(v Version) Version {
	switch {
	case w.Max.IsZero():
		return Version{}
	case v.Compare(w.Min) < 0:
		return w.Min
	case v.Compare(w.Max) > 0:
		return w.Max
	default:
		return v
	}
}

// span is the versions that have a field or a row.
type span struct{ since, until Version }

// has says whether the span holds v. Services without versions have every field.
func (s span) has(v Version) bool {
	return v.IsZero() || v.AtLeast(s.since) && (s.until.IsZero() || s.until.AtLeast(v))
}
