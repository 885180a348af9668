package cloudtest

import (
	"slices"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// fleet is a few running servers that tests of reading share; nobody changes them.
type fleet struct {
	prefix string // of their names, which end in -1 to -5
	ids    []canonical.ID
}

const fleetSize = 5

// theFleet is the shared servers; the first who asks makes them.
func (k *check) theFleet() *fleet {
	k.needs(canonical.CreateServer.Spec(), canonical.ListServers.Spec())
	if k.suite.fleet == nil {
		r := k.request(k.name("fleet-云"))
		r.Count = fleetSize
		maker := &check{suite: k.suite, ctx: k.ctx}
		maker.perform(func(m *check) { k.suite.fleet = &fleet{r.Name, m.create(r)} })
		k.suite.undo = append(k.suite.undo, maker.undo...)
		if k.suite.fleet == nil {
			k.fatalf("the servers to list cannot be made: %v", maker.failures)
		}
		k.failures = append(k.failures, maker.failures...)
	}
	return k.suite.fleet
}

var sorts = []canonical.Sort{"", canonical.NewestFirst, canonical.OldestFirst, canonical.ByName, canonical.ByNameDesc}

// walk reads a list page by page and checks its order; the items are those of all
// pages.
func walk[T canonical.Listed](k *check, o canonical.ListOptions, list func(canonical.ListOptions) canonical.Page[T]) []T {
	var all []T
	by := o.OrDefault().Sort
	for range 1000 {
		page := list(o)
		if len(page.Items) > o.OrDefault().Limit {
			k.errorf("sort %q: a page of %d holds %d", o.Sort, o.Limit, len(page.Items))
		}
		all = append(all, page.Items...)
		if o.Cursor = page.NextCursor; o.Cursor == "" {
			break
		}
		if len(page.Items) == 0 {
			k.fatalf("sort %q, limit %d: an empty page says that there is another", o.Sort, o.Limit)
		}
	}
	if o.Cursor != "" {
		k.fatalf("sort %q, limit %d: the pages do not end", o.Sort, o.Limit)
	}
	for i := 1; i < len(all); i++ {
		a, b := canonical.PositionOf(all[i-1], by), canonical.PositionOf(all[i], by)
		if by.Compare(a, b) >= 0 {
			k.errorf("sort %q, limit %d: %v comes before %v", o.Sort, o.Limit, a, b)
		}
	}
	return all
}

func idsOf[T canonical.Listed](items []T) []canonical.ID {
	ids := make([]canonical.ID, len(items))
	for i, item := range items {
		ids[i], _, _ = item.ListKeys()
	}
	slices.Sort(ids)
	return ids
}

// testLists walks a list of a catalogue in every order, and filters it by name.
func testLists[T canonical.Listed](k *check, list func(canonical.ListOptions, string, string) canonical.Page[T]) []T {
	plain := func(o canonical.ListOptions) canonical.Page[T] { return list(o, "", "") }
	all := walk(k, canonical.ListOptions{}, plain)
	if len(all) == 0 {
		k.fatalf("the list is empty")
	}
	want := idsOf(all)
	for _, sort := range sorts {
		if got := idsOf(walk(k, canonical.ListOptions{Sort: sort, Limit: max(1, len(all)/2)}, plain)); !slices.Equal(got, want) {
			k.errorf("sort %q: the pages hold %v, the whole list %v", sort, got, want)
		}
	}
	_, name, _ := all[0].ListKeys()
	for _, f := range []struct{ name, prefix string }{{name, ""}, {"", name}, {"", name[:1]}, {name, name[:1]}} {
		found := list(canonical.ListOptions{}, f.name, f.prefix).Items
		if !slices.Contains(idsOf(found), idsOf(all[:1])[0]) {
			k.errorf("name %q, prefix %q: %q is not in the list", f.name, f.prefix, name)
		}
		for _, item := range found {
			if _, got, _ := item.ListKeys(); f.name != "" && got != f.name || len(got) < len(f.prefix) || got[:len(f.prefix)] != f.prefix {
				k.errorf("name %q, prefix %q: the list holds %q", f.name, f.prefix, got)
			}
		}
	}
	if found := list(canonical.ListOptions{}, "cloudtest-none", "").Items; len(found) > 0 {
		k.errorf("the list by a name that nothing has holds %v", idsOf(found))
	}
	return all
}

// testPages walks the same servers in every order by pages of every size.
func testPages(k *check) {
	f := k.theFleet()
	limits := []int{1, 2, 3, 4, fleetSize, fleetSize + 1}
	if k.h.Costly {
		limits = []int{2, fleetSize}
	}
	want := slices.Sorted(slices.Values(f.ids))
	for _, sort := range sorts {
		for _, limit := range limits {
			got := idsOf(walk(k, canonical.ListOptions{Sort: sort, Limit: limit}, k.pagesOf(f.prefix)))
			if !slices.Equal(got, want) {
				k.errorf("sort %q, limit %d: the pages hold %v, want %v", sort, limit, got, want)
			}
		}
	}
}

// pagesOf lists the servers whose names begin with prefix.
func (k *check) pagesOf(prefix string) func(canonical.ListOptions) canonical.Page[canonical.Server] {
	return func(o canonical.ListOptions) canonical.Page[canonical.Server] {
		return do(k, canonical.ListServers, canonical.ServerList{NamePrefix: prefix, ListOptions: o})
	}
}

func testCursor(k *check) {
	r := canonical.ServerList{NamePrefix: k.theFleet().prefix, ListOptions: canonical.ListOptions{Limit: 1, Sort: canonical.ByName}}
	page := do(k, canonical.ListServers, r)
	if r.Cursor = page.NextCursor; r.Cursor == "" {
		k.fatalf("the first page of several has no cursor")
	}
	second := do(k, canonical.ListServers, r).Items
	if again := do(k, canonical.ListServers, r).Items; !slices.Equal(idsOf(second), idsOf(again)) {
		k.errorf("the same cursor gives %v and then %v", idsOf(second), idsOf(again))
	}
	r.Sort = canonical.ByNameDesc
	k.refused("a cursor of another order", try(k, canonical.ListServers, r), "cursor")
	r.Cursor = "nonsense"
	k.refused("a cursor that is none", try(k, canonical.ListServers, r), "cursor")
}

// testStability: servers that come and go before the cursor change nothing of what
// is still to come, even when the one that the cursor stands at goes.
func testStability(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.ListServers.Spec(), canonical.DeleteServer.Spec())
	r := k.request(k.name("stable"))
	prefix := r.Name
	r.Count = 2
	ids := k.create(r)
	o := canonical.ListOptions{Sort: canonical.ByName, Limit: 1}
	first := k.pagesOf(prefix)(o)
	if got := idsOf(first.Items); !slices.Equal(got, ids[:1]) {
		k.errorf("the first page holds %v of %v", got, ids)
	}
	o.Cursor = first.NextCursor
	want := slices.Sorted(slices.Values(ids[1:]))
	rest := func(after string) {
		if got := idsOf(walk(k, o, k.pagesOf(prefix))); !slices.Equal(got, want) {
			k.errorf("after %s before the cursor the rest is %v, want %v", after, got, want)
		}
	}
	r.Name, r.Count = prefix+"-0", 0
	k.create(r)
	rest("a create")
	do(k, canonical.DeleteServer, canonical.ServerDelete{ID: ids[0]})
	rest("a create and a delete")
}

func testFilters(k *check) {
	f := k.theFleet()
	s := k.get(f.ids[0])
	begin := time.Unix(0, 0).UTC()
	later, unknown := begin, fleetSize // a cloud may not tell when servers change: then all of them may have
	if s.UpdatedAt != nil {
		later, unknown = s.UpdatedAt.AddDate(1, 0, 0), 0
	}
	for _, tt := range []struct {
		what string
		req  canonical.ServerList
		want int
	}{
		{"name", canonical.ServerList{Name: f.prefix + "-1"}, 1},
		{"name that is only a prefix", canonical.ServerList{Name: f.prefix}, 0},
		{"name_prefix", canonical.ServerList{NamePrefix: f.prefix}, fleetSize},
		{"name_prefix that is the whole name", canonical.ServerList{NamePrefix: f.prefix + "-2"}, 1},
		{"name_prefix that is the end of names", canonical.ServerList{NamePrefix: f.prefix[1:]}, 0},
		{"name_prefix with a wildcard", canonical.ServerList{NamePrefix: f.prefix + "%"}, 0},
		{"name_prefix with a pattern", canonical.ServerList{NamePrefix: f.prefix[:3] + ".*"}, 0},
		{"name and name_prefix that differ", canonical.ServerList{Name: f.prefix + "-1", NamePrefix: f.prefix + "-2"}, 0},
		{"status running", canonical.ServerList{NamePrefix: f.prefix, Status: running}, fleetSize},
		{"status stopped", canonical.ServerList{NamePrefix: f.prefix, Status: stopped}, 0},
		{"status error", canonical.ServerList{NamePrefix: f.prefix, Status: canonical.ServerError}, 0},
		{"status soft_deleted", canonical.ServerList{NamePrefix: f.prefix, Status: canonical.ServerSoftDeleted}, 0},
		{"a keypair that nothing has", canonical.ServerList{NamePrefix: f.prefix, Keypair: "cloudtest-none"}, 0},
		{"a zone that does not exist", canonical.ServerList{NamePrefix: f.prefix, AvailabilityZone: "cloudtest-none"}, 0},
		{"the flavor", canonical.ServerList{NamePrefix: f.prefix, Flavor: id(s.Flavor.ID)}, fleetSize},
		{"the image", canonical.ServerList{NamePrefix: f.prefix, Image: s.Image.ID}, fleetSize},
		{"the id", canonical.ServerList{ID: f.ids[0]}, 1},
		{"the time of a change long ago", canonical.ServerList{NamePrefix: f.prefix, ChangedSince: &begin}, fleetSize},
		{"a time to come", canonical.ServerList{NamePrefix: f.prefix, ChangedSince: &later}, unknown},
		{"the zone", canonical.ServerList{NamePrefix: f.prefix, AvailabilityZone: canonical.Ref(text(s.AvailabilityZone))}, fleetSize},
	} {
		if got := len(do(k, canonical.ListServers, tt.req).Items); got != tt.want {
			k.errorf("filter by %s: %d servers, want %d", tt.what, got, tt.want)
		}
	}
}

// testChangedSince: who asks for what has changed is told of deleted servers as deleted,
// as far as the cloud remembers them, and nobody else is told of them.
func testChangedSince(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.ListServers.Spec(), canonical.DeleteServer.Spec())
	gone, stays := k.server("changed"), k.server("stays")
	do(k, canonical.DeleteServer, canonical.ServerDelete{ID: gone})
	k.gone(gone)
	begin := time.Unix(0, 0).UTC()
	for _, s := range do(k, canonical.ListServers, canonical.ServerList{ID: gone, ChangedSince: &begin}).Items {
		if s.ID != gone || s.Status != canonical.ServerDeleted && s.Status != canonical.ServerSoftDeleted {
			k.errorf("the deleted server is listed as %s, which is %s", s.ID, s.Status)
		}
	}
	if n := len(do(k, canonical.ListServers, canonical.ServerList{ID: gone}).Items); n != 0 {
		k.errorf("the deleted server is listed for who does not ask for it")
	}
	if n := len(do(k, canonical.ListServers, canonical.ServerList{ID: stays, ChangedSince: &begin}).Items); n != 1 {
		k.errorf("the list of changes has the other server %d times", n)
	}
}

func id(p *canonical.ID) canonical.ID {
	if p == nil {
		return ""
	}
	return *p
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
