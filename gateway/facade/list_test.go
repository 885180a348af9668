package facade_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// hold is a cloud of n servers, every third of which is named web; it counts the
// lists that it is asked for.
func hold(n int, lists *int) does {
	var all []canonical.Server
	for i := range n {
		kind := "db"
		if i%3 == 0 {
			kind = "web"
		}
		all = append(all, canonical.Server{ID: canonical.ID(fmt.Sprintf("id-%05d", i)), Name: fmt.Sprintf("%05d-%s", i, kind)})
	}
	return func(_ context.Context, call canonical.Call) (canonical.Reply, error) {
		switch r := call.Request.(type) {
		case canonical.ServerList:
			*lists++
			page, err := canonical.Arrange(slices.Clone(all), r.ListOptions)
			return canonical.Reply{Result: page}, err
		case canonical.ServerGet:
			for _, s := range all {
				if s.ID == r.ID {
					return canonical.Reply{Result: s}, nil
				}
			}
		}
		return canonical.Reply{}, canonical.Errorf(canonical.NotFound, "there is no such server")
	}
}

func TestListReadsNoMoreThanItNeeds(t *testing.T) {
	cases := map[string]struct {
		reason, target     string
		items, lists, more int // more: 1 there is a next page
	}{
		"Plain":        {"one page is enough", "/servers?limit=10", 10, 1, 1},
		"Filtered":     {"three pages of ten hold ten of every third", "/servers?limit=10&like=web", 10, 3, 1},
		"OneIsEnough":  {"the first page has it", "/servers?limit=1&like=web", 1, 1, 1},
		"ToTheEnd":     {"too few are there", "/servers?limit=30&like=00010", 1, 2, 0},
		"None":         {"nothing matches", "/servers?limit=30&like=nobody", 0, 2, 0},
		"ExactlyAll":   {"the end is known", "/servers?limit=60", 60, 1, 0},
		"MarkerIsLast": {"nothing comes after it", "/servers?limit=10&marker=id-00059", 0, 1, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			lists := 0
			w := listed(t, ask(t.Context(), t, toy(hold(60, &lists)), "GET", c.target, ""))
			if len(w.Servers) != c.items || lists != c.lists || (w.More != "") != (c.more == 1) {
				t.Errorf("%s: %d items of %d lists, more %q; want %d of %d", c.reason, len(w.Servers), lists, w.More, c.items, c.lists)
			}
		})
	}
}

// TestPagesOfFilteredLists: every item is on one page, in order, whatever the limit.
func TestPagesOfFilteredLists(t *testing.T) {
	lists := 0
	f := toy(hold(60, &lists))
	want := listed(t, ask(t.Context(), t, f, "GET", "/servers?limit=1000&like=web", "")).Servers
	if len(want) != 20 {
		t.Fatalf("%d items", len(want))
	}
	for limit := 1; limit <= 21; limit++ {
		var got []toyServer
		for target := fmt.Sprintf("/servers?limit=%d&like=web", limit); ; {
			w := listed(t, ask(t.Context(), t, f, "GET", target, ""))
			if len(w.Servers) > limit {
				t.Fatalf("%d items on a page of %d", len(w.Servers), limit)
			}
			if got = append(got, w.Servers...); w.More == "" || len(got) > 60 {
				break
			}
			target = fmt.Sprintf("/servers?limit=%d&like=web&marker=%s", limit, w.More)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d: %s", limit, diff)
		}
	}
	if r := ask(t.Context(), t, f, "GET", "/servers?marker=nobody", ""); r.Status != 400 {
		t.Errorf("a marker that is not there: %d", r.Status)
	}
}

func TestWholeLists(t *testing.T) {
	lists := 0
	if w := listed(t, ask(t.Context(), t, toy(hold(2500, &lists)), "GET", "/count?limit=1000", "")); w.Total != 2500 || lists != 3 {
		t.Errorf("%d of %d lists", w.Total, lists)
	}
	if w := listed(t, ask(t.Context(), t, toy(hold(canonical.MaxWhole, &lists)), "GET", "/count?limit=1000", "")); w.Total != canonical.MaxWhole {
		t.Errorf("%d: the most that a whole list may hold", w.Total)
	}
	more := does(func(_ context.Context, call canonical.Call) (canonical.Reply, error) {
		r, _ := call.Request.(canonical.ServerList)
		return canonical.Reply{Result: canonical.Page[canonical.Server]{
			Items: make([]canonical.Server, canonical.MaxLimit), NextCursor: canonical.Cursor{Sort: canonical.ByName, After: map[string]canonical.Position{"": {Key: "n" + r.Cursor}}}.String(),
		}}, nil
	})
	if r := ask(t.Context(), t, toy(more), "GET", "/count?limit=1000", ""); r.Status != 400 {
		t.Errorf("a list without an end: %d %.200s", r.Status, r.Body)
	}
	stuck := does(func(context.Context, canonical.Call) (canonical.Reply, error) {
		return canonical.Reply{Result: canonical.Page[canonical.Server]{
			NextCursor: canonical.Cursor{Sort: canonical.ByName, After: map[string]canonical.Position{"": {Key: "n"}}}.String(),
		}}, nil
	})
	if r := ask(t.Context(), t, toy(stuck), "GET", "/servers", ""); r.Status != 502 {
		t.Errorf("a list that does not go on: %d %s", r.Status, r.Body)
	}
}

// TestPartialLists: what a cloud did not tell is never left out in silence.
func TestPartialLists(t *testing.T) {
	page := func(away ...canonical.Unreachable) does {
		return func(context.Context, canonical.Call) (canonical.Reply, error) {
			return canonical.Reply{Result: canonical.Page[canonical.Server]{
				Items: []canonical.Server{{ID: "a", Name: "a"}}, Unreachable: away,
			}}, nil
		}
	}
	down := canonical.Unreachable{Cloud: "os2", Code: canonical.Timeout, Detail: "the cloud did not answer in time"}
	for _, target := range []string{"/servers", "/servers?like=nobody", "/count"} {
		r := ask(t.Context(), t, toy(page(down)), "GET", target, "")
		if r.Status != 503 || r.Header.Get("Retry-After") == "" || !strings.Contains(string(r.Body), "os2") {
			t.Errorf("%s: %d %v %s", target, r.Status, r.Header, r.Body)
		}
	}
	if r := ask(t.Context(), t, toy(page()), "GET", "/servers", ""); r.Status != 200 {
		t.Errorf("a whole list: %d %s", r.Status, r.Body)
	}
}
