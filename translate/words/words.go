// Package words holds the small values that several dialects write alike: states
// of servers, numbers that travel as text, pointers to texts that may be empty.
package words

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// statuses are the words of clouds that descend from OpenStack compute, in the
// order in which a canonical state prefers them.
var statuses = []struct {
	word string
	is   canonical.ServerStatus
}{
	{"BUILD", canonical.ServerBuilding},
	{"ACTIVE", canonical.ServerRunning},
	{"SHUTOFF", canonical.ServerStopped},
	{"PAUSED", canonical.ServerPaused},
	{"SUSPENDED", canonical.ServerSuspended},
	{"REBOOT", canonical.ServerRebooting},
	{"HARD_REBOOT", canonical.ServerRebooting},
	{"RESIZE", canonical.ServerResizing},
	{"VERIFY_RESIZE", canonical.ServerVerifyResize},
	{"REBUILD", canonical.ServerRebuilding},
	{"MIGRATING", canonical.ServerMigrating},
	{"REVERT_RESIZE", canonical.ServerReverting},
	{"PASSWORD", canonical.ServerPassword},
	{"RESCUE", canonical.ServerRescued},
	{"SHELVED", canonical.ServerShelved},
	{"SHELVED_OFFLOADED", canonical.ServerShelvedOffloaded},
	{"SOFT_DELETED", canonical.ServerSoftDeleted},
	{"DELETED", canonical.ServerDeleted},
	{"ERROR", canonical.ServerError},
	{"UNKNOWN", canonical.ServerUnknown},
}

// HearStatus is the canonical state; words that nobody knows are ServerUnknown.
func HearStatus(word string) canonical.ServerStatus {
	if s, ok := Status(word); ok {
		return s
	}
	return canonical.ServerUnknown
}

// Status is the canonical state of a word, if it is one.
func Status(word string) (canonical.ServerStatus, bool) {
	for _, s := range statuses {
		if s.word == word {
			return s.is, true
		}
	}
	return "", false
}

// SayStatus is the word for s: native where that is a word that means s.
func SayStatus(s canonical.ServerStatus, native string) string {
	if is, ok := Status(native); ok && is == s {
		return native
	}
	for _, known := range statuses {
		if known.is == s {
			return known.word
		}
	}
	return "UNKNOWN"
}

// powers are numbered as in OpenStack (nova.objects.fields, power_state).
var powers = map[int]canonical.Power{
	0: canonical.PowerUnknown, 1: canonical.PowerOn, 3: canonical.PowerPaused,
	4: canonical.PowerOff, 6: canonical.PowerCrashed, 7: canonical.PowerSuspended,
}

// HearPower is the canonical power state of a number.
func HearPower(n int) canonical.Power {
	if p, ok := powers[n]; ok {
		return p
	}
	return canonical.PowerUnknown
}

// SayPower is the number of a power state.
func SayPower(p canonical.Power) int {
	for n, known := range powers {
		if known == p {
			return n
		}
	}
	return 0
}

// Text is an integer that is written as text and read as text or number.
type Text int

// MarshalJSON implements json.Marshaler.
func (n Text) MarshalJSON() ([]byte, error) { return json.Marshal(strconv.Itoa(int(n))) }

// UnmarshalJSON implements json.Unmarshaler.
func (n *Text) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "" || text == "null" {
		*n = 0
		return nil
	}
	got, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return canonical.Errorf(canonical.InvalidRequest, "%.40s is not an integer", text)
	}
	*n = Text(got)
	return nil
}

// Time reads the forms of times that the dialects mix; nil: there is none.
func Time(s string) *time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			t = t.UTC()
			return &t
		}
	}
	return nil
}

// Stamp writes a time by layout, in UTC; nil is "".
func Stamp(t *time.Time, layout string) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(layout)
}

// Filled points to s, and is nil where s is empty.
func Filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Or is *p, def where there is none.
func Or[T any](p *T, def T) T {
	if p == nil {
		return def
	}
	return *p
}

// List is s, never nil.
func List[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Refuse names a canonical field that a call cannot carry.
func Refuse(field, reason string) *canonical.Error {
	return &canonical.Error{
		Code: canonical.Unsupported, Detail: field + ": " + reason,
		Fields: []canonical.FieldError{{Field: field, Reason: reason}},
	}
}

// RefuseSet refuses the first, by name, of the fields that hold something.
func RefuseSet(set map[string]bool) error {
	for _, field := range slices.Sorted(maps.Keys(set)) {
		if set[field] {
			return Refuse(field, "the dialect's call has no place for it")
		}
	}
	return nil
}

// Address is one entry of a server's addresses.
type Address struct {
	Addr    string `json:"addr"`
	Version Text   `json:"version"`
	MAC     string `json:"OS-EXT-IPS-MAC:mac_addr,omitempty"`
	Kind    string `json:"OS-EXT-IPS:type,omitempty"`
	Port    string `json:"OS-EXT-IPS:port_id,omitempty"`
	// Tags of the network.
	Tags []string `json:"network_tags,omitempty" wire:"native"`
}

// HearAddresses makes canonical addresses of those by network, in order of names.
func HearAddresses(by map[string][]Address) []canonical.Address {
	out := []canonical.Address{}
	for _, network := range slices.Sorted(maps.Keys(by)) {
		for _, a := range by[network] {
			kind := canonical.FixedAddress
			if a.Kind == string(canonical.FloatingAddress) {
				kind = canonical.FloatingAddress
			}
			c := canonical.Address{Network: network, IP: a.Addr, Version: int(a.Version), Kind: kind, MAC: Filled(a.MAC)}
			if a.Port != "" {
				id := canonical.ID(a.Port)
				c.InterfaceID = &id
			}
			out = append(out, c)
		}
	}
	return out
}

// SayAddresses is the way back.
func SayAddresses(all []canonical.Address) map[string][]Address {
	out := map[string][]Address{}
	for _, a := range all {
		out[a.Network] = append(out[a.Network], Address{
			Addr: a.IP, Version: Text(a.Version), MAC: Or(a.MAC, ""), Kind: string(a.Kind), Port: string(Or(a.InterfaceID, "")),
		})
	}
	return out
}

// ByHTTP is the code of an answer that tells no more than its status.
func ByHTTP(status int) canonical.Code {
	switch {
	case status == 400 || status == 422:
		return canonical.InvalidRequest
	case status == 401:
		return canonical.Unauthenticated
	case status == 403:
		return canonical.Forbidden
	case status == 404:
		return canonical.NotFound
	case status == 409:
		return canonical.FailedPrecondition
	case status == 413:
		return canonical.TooLarge
	case status == 429:
		return canonical.RateLimited
	case status == 501:
		return canonical.Unsupported
	case status == 503:
		return canonical.Unavailable
	default:
		return canonical.UpstreamError
	}
}
