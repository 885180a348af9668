package cloudtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// running and stopped are the states that operations lead to everywhere.
const (
	running = canonical.ServerRunning
	stopped = canonical.ServerStopped
)

func testLifecycle(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.GetServer.Spec(), canonical.ListServers.Spec(), canonical.DeleteServer.Spec())
	r := k.request(k.name("life"))
	r.Metadata = map[string]string{"key": "值", "empty": ""}
	id := k.create(r)[0]
	s := k.get(id)
	if s.ID != id || s.Name != r.Name || s.Status != running || s.Power != canonical.PowerOn || s.Kind == "" {
		k.errorf("the new server is %+v", s)
	}
	if s.CreatedAt == nil || s.NativeStatus == "" || s.Fault != nil || s.Image == nil || s.Flavor.VCPUs == nil || len(s.Addresses) != 1 {
		k.errorf("the new server lacks what it was made with: %+v", s)
	}
	if !maps.Equal(s.Metadata, r.Metadata) {
		k.errorf("the metadata are %q, want %q", s.Metadata, r.Metadata)
	}
	if items := k.named(r.Name); len(items) != 1 || items[0].ID != id {
		k.errorf("the list by name has %d servers, want the new one", len(items))
	}
	do(k, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	k.gone(id)
	if items := k.named(r.Name); len(items) != 0 {
		k.errorf("the list still holds the deleted server")
	}
}

// names are kept as they are; 255 characters may be more bytes.
var names = []string{
	"云主机-世界", "сервер", "é (e\u0301)", `quotes " ' and \ slashes /`, "<b>&amp;%41?#", "a  b",
	strings.Repeat("x", 255), strings.Repeat("云", 255),
}

// emoji are beyond the first 65,536 characters of Unicode.
var emoji = []string{"emoji 🚀👩‍🚀🇨🇳", strings.Repeat("🚀", 255), "𠮷野家"}

// odd names may be refused, but not changed.
var oddNames = []string{" leading", "trailing ", "line\nbreak", "nul\x00", "tab\there", "\u200bzero width"}

// testNames: names survive byte by byte, in reads and as filters.
func testNames(k *check) {
	k.needs(canonical.GetServer.Spec(), canonical.UpdateServer.Spec())
	k.keep(slices.Concat(names, oddNames))
	id := k.machineIn("running").id
	for what, name := range map[string]string{"an empty name": "", "a blank name": "  ", "256 characters": strings.Repeat("x", 256)} {
		k.refused(what, try(k, canonical.UpdateServer, canonical.ServerUpdate{ID: id, Name: canonical.Some(name)}), "name")
	}
	if k.h.Costly {
		return
	}
	for _, name := range names {
		if got := k.get(k.create(k.request(name))[0]).Name; got != name {
			k.errorf("the server made as %s is named %s", brief(name), brief(got))
		}
	}
}

func testEmoji(k *check) {
	k.needs(canonical.GetServer.Spec(), canonical.UpdateServer.Spec())
	k.keep(emoji)
}

// keep gives a server one name after the other.
func (k *check) keep(names []string) {
	id := k.machineIn("running").id
	for _, name := range names {
		err := try(k, canonical.UpdateServer, canonical.ServerUpdate{ID: id, Name: canonical.Some(name)})
		switch {
		case err != nil && slices.Contains(oddNames, name):
			k.refused("the odd name "+brief(name), err, "name")
			continue
		case err != nil:
			k.errorf("the name %s is refused: %v", brief(name), err)
			continue
		}
		if got := k.get(id).Name; got != name {
			k.errorf("the name %s became %s", brief(name), brief(got))
		}
		if !slices.Contains(idsOf(k.named(name)), id) {
			k.errorf("the list by the name %s does not hold its server", brief(name))
		}
	}
}

// brief is a name as reports show it.
func brief(name string) string {
	if r := []rune(name); len(r) > 24 {
		return fmt.Sprintf("%q... (%d characters)", string(r[:24]), len(r))
	}
	return fmt.Sprintf("%q", name)
}

func testUpdate(k *check) {
	k.needs(canonical.UpdateServer.Spec())
	id, name := k.machineIn("running").id, k.name("renamed")
	update := func(u canonical.ServerUpdate) canonical.Server {
		u.ID = id
		answer := do(k, canonical.UpdateServer, u)
		s := k.get(id)
		if answer.Name != s.Name || !maps.Equal(answer.Metadata, s.Metadata) || !slices.Equal(answer.Tags, s.Tags) {
			k.errorf("the update answered %+v, the server is %+v", answer, s)
		}
		return s
	}
	before := map[string]string{"keep": "1", "drop": "2"}
	update(canonical.ServerUpdate{Metadata: canonical.Null[map[string]canonical.Opt[string]]()})
	update(canonical.ServerUpdate{Metadata: canonical.Some(map[string]canonical.Opt[string]{
		"keep": canonical.Some("1"), "drop": canonical.Some("2"),
	})})
	s := update(canonical.ServerUpdate{Name: canonical.Some(name)})
	if s.Name != name || !maps.Equal(s.Metadata, before) {
		k.errorf("after the renaming: name %q, metadata %v", s.Name, s.Metadata)
	}
	s = update(canonical.ServerUpdate{Metadata: canonical.Some(map[string]canonical.Opt[string]{
		"drop": canonical.Null[string](), "never": canonical.Null[string](), "add": canonical.Some("3"),
	})})
	if !maps.Equal(s.Metadata, map[string]string{"keep": "1", "add": "3"}) || s.Name != name {
		k.errorf("after the merge: name %q, metadata %v", s.Name, s.Metadata)
	}
	if s = update(canonical.ServerUpdate{}); s.Name != name || len(s.Metadata) != 2 {
		k.errorf("after an update of nothing: name %q, metadata %v", s.Name, s.Metadata)
	}
	s = update(canonical.ServerUpdate{Metadata: canonical.Null[map[string]canonical.Opt[string]]()})
	if len(s.Metadata) != 0 {
		k.errorf("after metadata null: %v", s.Metadata)
	}
	s = update(canonical.ServerUpdate{Description: canonical.Some("说明"), Tags: canonical.Some([]string{"a", "b"})})
	if tags := slices.Sorted(slices.Values(s.Tags)); text(s.Description) != "说明" || !slices.Equal(tags, []string{"a", "b"}) {
		k.errorf("description %q, tags %v", text(s.Description), s.Tags)
	}
	s = update(canonical.ServerUpdate{Description: canonical.Null[string](), Tags: canonical.Some([]string{})})
	if text(s.Description) != "" || len(s.Tags) != 0 {
		k.errorf("after clearing: description %q, tags %v", text(s.Description), s.Tags)
	}
}

// testMetadata: keys and values of 255 characters are kept, longer ones refused.
func testMetadata(k *check) {
	k.needs(canonical.UpdateServer.Spec())
	id := k.machineIn("running").id
	long := strings.Repeat("x", 255)
	set := func(key, value string) error {
		return try(k, canonical.UpdateServer, canonical.ServerUpdate{ID: id, Metadata: canonical.Some(
			map[string]canonical.Opt[string]{key: canonical.Some(value)})})
	}
	for key, value := range map[string]string{long: long, "a b:c-d_e.f": "", "unicode": "值"} {
		if err := set(key, value); err != nil {
			k.errorf("the key %s with the value %s is refused: %v", brief(key), brief(value), err)
		} else if got, ok := k.get(id).Metadata[key]; !ok || got != value {
			k.errorf("the value %s of %s became %s", brief(value), brief(key), brief(got))
		}
	}
	before := k.get(id).Metadata
	k.refused("a key of 256", set(long+"x", "v"), "metadata")
	k.refused("a value of 256", set("k", long+"x"), "metadata")
	k.refused("an empty key", set("", "v"), "metadata")
	if after := k.get(id).Metadata; !maps.Equal(before, after) {
		k.errorf("a refused update changed the metadata from %v to %v", before, after)
	}
	r := k.request(k.name("metadata"))
	r.Metadata = map[string]string{"k": long + "x"}
	_, err := k.tryCreate(r)
	k.refused("a create with a value of 256", err, "metadata")
}

func testCount(k *check) {
	f := k.theFleet()
	r := canonical.ServerCreate{Name: f.prefix, Count: fleetSize}
	seen := map[canonical.ID]bool{}
	for i, id := range f.ids {
		if s := k.get(id); s.Name != r.NameOf(i) || seen[id] {
			k.errorf("server %d is %q (%s), want %q", i, s.Name, id, r.NameOf(i))
		}
		seen[id] = true
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
	k.is(id, running)
	k.code("a rollback to an unknown snapshot",
		try(k, canonical.RollbackServerSnapshot, canonical.ServerSnapshotRollback{ID: id, Snapshot: unknown}), canonical.NotFound)
}
