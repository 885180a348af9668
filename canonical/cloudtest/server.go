package cloudtest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func testLifecycle(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.GetServer.Spec(), canonical.ListServers.Spec(), canonical.DeleteServer.Spec())
	name := k.name("life")
	id := k.create(k.request(name))[0]
	s := k.get(id)
	if s.ID != id || s.Name != name || s.Status != canonical.ServerRunning || s.Power != canonical.PowerOn || s.CreatedAt == nil {
		k.errorf("the new server is %+v", s)
	}
	if s.Metadata == nil || s.Tags == nil || s.Addresses == nil || s.Volumes == nil || s.SecurityGroups == nil {
		k.errorf("the new server has nil lists or maps: %+v", s)
	}
	if items := do(k, canonical.ListServers, canonical.ServerList{Name: name}).Items; len(items) != 1 || items[0].ID != id {
		k.errorf("the list by name has %d servers, want the new one", len(items))
	}
	do(k, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	if r, err := canonical.GetServer.Do(k.ctx, k.cloud, canonical.ServerGet{ID: id}); err == nil && r.Result.Status != canonical.ServerSoftDeleted {
		k.errorf("after its deletion the server is %s", r.Result.Status)
	} else if err != nil {
		k.code("server.get after server.delete", err, canonical.NotFound)
	}
	if items := do(k, canonical.ListServers, canonical.ServerList{Name: name}).Items; len(items) != 0 {
		k.errorf("the list still holds the deleted server")
	}
}

func testUpdate(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.UpdateServer.Spec())
	r := k.request(k.name("update"))
	r.Metadata = map[string]string{"keep": "1", "drop": "2"}
	id, name := k.create(r)[0], k.name("renamed")
	do(k, canonical.UpdateServer, canonical.ServerUpdate{ID: id, Name: canonical.Some(name)})
	s := k.get(id)
	if s.Name != name || s.Metadata["keep"] != "1" || s.Metadata["drop"] != "2" {
		k.errorf("after the renaming: name %q, metadata %v", s.Name, s.Metadata)
	}
	do(k, canonical.UpdateServer, canonical.ServerUpdate{ID: id, Metadata: canonical.Some(map[string]canonical.Opt[string]{
		"drop": canonical.Null[string](), "add": canonical.Some("3"),
	})})
	s = k.get(id)
	if _, dropped := s.Metadata["drop"]; dropped || s.Metadata["keep"] != "1" || s.Metadata["add"] != "3" || s.Name != name {
		k.errorf("after the merge: name %q, metadata %v", s.Name, s.Metadata)
	}
}

func testCount(k *check) {
	k.needs(canonical.CreateServer.Spec())
	r := k.request(k.name("count"))
	r.Count = 3
	var names []string
	for _, id := range k.create(r) {
		names = append(names, k.get(id).Name)
	}
	slices.Sort(names)
	if want := []string{r.NameOf(0), r.NameOf(1), r.NameOf(2)}; !slices.Equal(names, want) {
		k.errorf("the servers are named %v, want %v", names, want)
	}
}

// many makes n servers and gives the prefix of their names.
func (k *check) many(what string, n int) string {
	r := k.request(k.name(what))
	r.Count = n
	k.create(r)
	return r.Name
}

// testPages walks the same servers in every order by pages of every size.
func testPages(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.ListServers.Spec())
	const n = 5
	prefix := k.many("pages", n)
	for _, sort := range []canonical.Sort{"", canonical.NewestFirst, canonical.OldestFirst, canonical.ByName, canonical.ByNameDesc} {
		for limit := 1; limit <= n+1; limit++ {
			k.walk(prefix, sort, limit, n)
		}
	}
}

func (k *check) walk(prefix string, sort canonical.Sort, limit, want int) {
	r := canonical.ServerList{NamePrefix: prefix, ListOptions: canonical.ListOptions{Sort: sort, Limit: limit}}
	seen := map[canonical.ID]bool{}
	var last *canonical.Position
	for range want + 1 {
		page := do(k, canonical.ListServers, r)
		if len(page.Items) > limit {
			k.errorf("sort %q: a page of %d holds %d", sort, limit, len(page.Items))
		}
		for _, s := range page.Items {
			at := canonical.PositionOf(s, r.OrDefault().Sort)
			if last != nil && r.OrDefault().Sort.Compare(*last, at) >= 0 {
				k.errorf("sort %q, limit %d: %v comes before %v", sort, limit, *last, at)
			}
			seen[s.ID], last = true, &at
		}
		if r.Cursor = page.NextCursor; r.Cursor == "" {
			break
		}
	}
	if len(seen) != want || r.Cursor != "" {
		k.errorf("sort %q, limit %d: the walk found %d of %d, and ended at cursor %q", sort, limit, len(seen), want, r.Cursor)
	}
}

func testCursor(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.ListServers.Spec())
	r := canonical.ServerList{NamePrefix: k.many("cursor", 2), ListOptions: canonical.ListOptions{Limit: 1, Sort: canonical.ByName}}
	if r.Cursor = do(k, canonical.ListServers, r).NextCursor; r.Cursor == "" {
		k.fatalf("the first page of two has no cursor")
	}
	r.Sort = canonical.ByNameDesc
	k.code("a cursor of another order", try(k, canonical.ListServers, r), canonical.InvalidRequest)
	r.Cursor = "nonsense"
	k.code("a cursor that is none", try(k, canonical.ListServers, r), canonical.InvalidRequest)
}

func testFilters(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.ListServers.Spec())
	prefix := k.many("filters", 2)
	for _, f := range []struct {
		what string
		req  canonical.ServerList
		want int
	}{
		{"name", canonical.ServerList{Name: prefix + "-1"}, 1},
		{"name that is only a prefix", canonical.ServerList{Name: prefix}, 0},
		{"name_prefix", canonical.ServerList{NamePrefix: prefix}, 2},
		{"status running", canonical.ServerList{NamePrefix: prefix, Status: canonical.ServerRunning}, 2},
		{"status stopped", canonical.ServerList{NamePrefix: prefix, Status: canonical.ServerStopped}, 0},
		{"status soft_deleted", canonical.ServerList{NamePrefix: prefix, Status: canonical.ServerSoftDeleted}, 0},
	} {
		if got := len(do(k, canonical.ListServers, f.req).Items); got != f.want {
			k.errorf("filter by %s: %d servers, want %d", f.what, got, f.want)
		}
	}
}

// testConcurrency makes, reads and deletes servers from several goroutines.
func testConcurrency(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.GetServer.Spec(), canonical.DeleteServer.Spec())
	const n = 4
	req, parts := k.request(""), make([]*check, n)
	var wg sync.WaitGroup
	for i := range parts {
		parts[i] = &check{h: k.h, ctx: k.ctx, cloud: k.cloud}
		mine := req
		mine.Name = k.name(fmt.Sprintf("parallel%d", i))
		wg.Go(func() {
			parts[i].perform(func(p *check) {
				id := p.create(mine)[0]
				if s := p.get(id); s.Name != mine.Name {
					p.errorf("server %s is named %q, want %q", id, s.Name, mine.Name)
				}
				do(p, canonical.DeleteServer, canonical.ServerDelete{ID: id})
			})
			parts[i].cleanUp()
		})
	}
	wg.Wait()
	for _, p := range parts {
		k.failures = append(k.failures, p.failures...)
	}
}

func testSnapshots(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.CreateServerSnapshot.Spec(),
		canonical.ListServerSnapshots.Spec(), canonical.RollbackServerSnapshot.Spec())
	id, name := k.server("snapshots"), k.name("snapshot")
	do(k, canonical.CreateServerSnapshot, canonical.ServerSnapshotCreate{ID: id, Name: name})
	items := do(k, canonical.ListServerSnapshots, canonical.ServerSnapshotList{ID: id}).Items
	if len(items) != 1 || items[0].Name != name || items[0].Server != id {
		k.fatalf("the list of snapshots is %+v", items)
	}
	do(k, canonical.RollbackServerSnapshot, canonical.ServerSnapshotRollback{ID: id, Snapshot: items[0].ID})
	k.is(id, canonical.ServerRunning)
	k.code("a rollback to an unknown snapshot",
		try(k, canonical.RollbackServerSnapshot, canonical.ServerSnapshotRollback{ID: id, Snapshot: unknown}), canonical.NotFound)
}
