package canonical

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func FuzzParseCursor(f *testing.F) {
	f.Add("")
	f.Add("e30")
	f.Add(Cursor{Sort: ByName, After: map[string]Position{"": {Key: "nx", ID: "a:b"}}}.String())
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCursor(s)
		if err != nil {
			if CodeOf(err) != InvalidRequest {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		again, err := ParseCursor(c.String())
		if err != nil || !cmp.Equal(again, c) {
			t.Fatalf("%+v came back as %+v, %v", c, again, err)
		}
	})
}

func servers() []Server {
	at := func(s int) *time.Time { u := time.Unix(int64(s), 0); return &u }
	return []Server{
		{ID: "3", Name: "b", CreatedAt: at(1)},
		{ID: "1", Name: "c", CreatedAt: at(2)},
		{ID: "2", Name: "a", CreatedAt: at(2)},
		{ID: "4", Name: "a", CreatedAt: at(3)},
	}
}

func TestArrange(t *testing.T) {
	for sort, want := range map[Sort][]ID{
		"": {"4", "1", "2", "3"}, OldestFirst: {"3", "1", "2", "4"},
		ByName: {"2", "4", "3", "1"}, ByNameDesc: {"1", "3", "2", "4"},
	} {
		for limit := 1; limit <= 5; limit++ {
			var got []ID
			o := ListOptions{Limit: limit, Sort: sort}
			for range 5 {
				p, err := Arrange(servers(), o)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range p.Items {
					got = append(got, s.ID)
				}
				if o.Cursor = p.NextCursor; o.Cursor == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("sort %q, limit %d: got %v, want %v", sort, limit, got, want)
			}
		}
	}
}

func TestArrangeRefuses(t *testing.T) {
	cursor := Cursor{Sort: ByName, After: map[string]Position{"": {Key: "na", ID: "2"}}}.String()
	if _, err := Arrange(servers(), ListOptions{Cursor: cursor, Sort: ByNameDesc}); CodeOf(err) != InvalidRequest {
		t.Errorf("a cursor of another order: %v", err)
	}
	if _, err := Arrange(make([]Server, MaxWhole+1), ListOptions{}); CodeOf(err) != InvalidRequest {
		t.Errorf("too many items: %v", err)
	}
}

func TestArrangeWithoutTimes(t *testing.T) {
	p, err := Arrange([]Flavor{{ID: "1", Name: "b"}, {ID: "2", Name: "a"}}, ListOptions{})
	if err != nil || p.Items[0].ID != "2" || p.AsOf == nil || p.Unreachable == nil {
		t.Errorf("got %+v, %v", p, err)
	}
}
