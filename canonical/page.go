package canonical

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Limits of lists.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
	// MaxWhole is how many items are read at most from a cloud that cannot sort or
	// seek; beyond, the list is refused with advice to filter.
	MaxWhole = 10_000
)

// Sort is the order of a list; the id is always the last key, ascending.
type Sort string

// The orders. What has no creation time sorts by name where these two ask for it.
const (
	NewestFirst Sort = "-created_at" // the default
	OldestFirst Sort = "created_at"
	ByName      Sort = "name"
	ByNameDesc  Sort = "-name"
)

// ListOptions are part of the request of every list.
type ListOptions struct {
	Limit  int    `json:"-" query:"limit" doc:"Most items to answer: 1 to 1000, 100 if not given"`
	Cursor string `json:"-" query:"cursor" doc:"next_cursor of the page before"`
	Sort   Sort   `json:"-" query:"sort" enum:"-created_at,created_at,name,-name" doc:"Order; the id is the last key"`
}

// Validate implements the check of requests.
func (o ListOptions) Validate() error {
	if o.Limit < 0 || o.Limit > MaxLimit {
		return Invalid("limit", "must be 1 to %d", MaxLimit)
	}
	switch o.Sort {
	case "", NewestFirst, OldestFirst, ByName, ByNameDesc:
	default:
		return Invalid("sort", "must be one of -created_at, created_at, name, -name")
	}
	_, err := o.Position()
	return err
}

// OrDefault is o with the defaults in place of what is not given.
func (o ListOptions) OrDefault() ListOptions {
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	if o.Sort == "" {
		o.Sort = NewestFirst
	}
	return o
}

// Position is where the cursor stands; the zero Cursor is the beginning.
func (o ListOptions) Position() (Cursor, error) {
	if o.Cursor == "" {
		return Cursor{}, nil
	}
	c, err := ParseCursor(o.Cursor)
	if err != nil {
		return Cursor{}, err
	}
	if c.Sort != o.OrDefault().Sort {
		return Cursor{}, Invalid("cursor", "belongs to a list sorted by %s", c.Sort)
	}
	return c, nil
}

// Unreachable is a cloud whose part of a list is missing.
type Unreachable struct {
	Cloud  string `json:"cloud"`
	Code   Code   `json:"code"`
	Detail string `json:"detail"`
}

// Page is one page of a list.
type Page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty"` // absent at the end
	// AsOf says when each cloud gave its part.
	AsOf        map[string]time.Time `json:"as_of"`
	Unreachable []Unreachable        `json:"unreachable"`
}

// Position is where an item stands in a sorted list: it is what cursors hold.
type Position struct {
	Key string `json:"k"` // "t" and the creation time, or "n" and the name
	ID  ID     `json:"i"`
}

// Cursor is where a list goes on, in each cloud. Gateways seal its text before they
// hand it out.
type Cursor struct {
	Sort  Sort                `json:"s"`
	After map[string]Position `json:"a"` // by cloud; within one cloud the key is ""
}

// String is the cursor as ParseCursor takes it.
func (c Cursor) String() string {
	b, err := json.Marshal(c)
	if err != nil { // strings and maps of strings always marshal
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseCursor reads the text of a cursor; anything else is InvalidRequest.
func ParseCursor(s string) (Cursor, error) {
	var c Cursor
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || c.Sort == "" || len(c.After) == 0 {
		return Cursor{}, Invalid("cursor", "is not a cursor of this API")
	}
	return c, nil
}

// Listed is what lists are made of.
type Listed interface {
	// ListKeys are the id, the name, and the creation time ("" where there is
	// none, else RFC 3339 in UTC with fixed width, so that text order is time order).
	ListKeys() (id ID, name, created string)
}

// PositionOf is where item stands in a list of that order.
func PositionOf[T Listed](item T, by Sort) Position {
	id, name, created := item.ListKeys()
	if by == ByName || by == ByNameDesc || created == "" {
		return Position{Key: "n" + name, ID: id}
	}
	return Position{Key: "t" + created, ID: id}
}

// Compare orders two positions of a list. In the default order, newest first, kinds
// that have no creation time go by ascending name.
func (s Sort) Compare(a, b Position) int {
	c := strings.Compare(a.Key, b.Key)
	if s == ByNameDesc || s == NewestFirst && strings.HasPrefix(a.Key, "t") && strings.HasPrefix(b.Key, "t") {
		c = -c
	}
	return cmp.Or(c, cmp.Compare(a.ID, b.ID))
}

// Arrange sorts all items of one cloud and cuts out the page that o asks for. It
// is for clouds that cannot sort or seek themselves; items is reordered.
func Arrange[T Listed](items []T, o ListOptions) (Page[T], error) {
	o = o.OrDefault()
	cur, err := o.Position()
	if err != nil {
		return Page[T]{}, err
	}
	if len(items) > MaxWhole {
		return Page[T]{}, Invalid("limit", "the list holds more than %d items: filter it", MaxWhole)
	}
	type placed struct {
		at   Position
		item T
	}
	all := make([]placed, 0, len(items))
	after, seek := cur.After[""]
	for _, item := range items {
		at := PositionOf(item, o.Sort)
		if !seek || o.Sort.Compare(at, after) > 0 {
			all = append(all, placed{at, item})
		}
	}
	slices.SortFunc(all, func(a, b placed) int { return o.Sort.Compare(a.at, b.at) })
	page := Page[T]{Items: []T{}, AsOf: map[string]time.Time{}, Unreachable: []Unreachable{}}
	for i, p := range all {
		if i == o.Limit {
			last := all[i-1].at
			page.NextCursor = Cursor{Sort: o.Sort, After: map[string]Position{"": last}}.String()
			break
		}
		page.Items = append(page.Items, p.item)
	}
	return page, nil
}

// sortTime is t as ListKeys wants it.
func sortTime(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000000Z07:00")
}

// Listing returns the options; requests of lists get it by embedding, and layers
// that treat all lists alike ask for it.
func (o ListOptions) Listing() ListOptions { return o }
