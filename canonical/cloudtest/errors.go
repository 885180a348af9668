package cloudtest

import (
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// unknown is an id that no cloud has.
const unknown canonical.ID = "00000000-dead-4bad-8bad-000000000000"

func testUnknown(k *check) {
	for what, attempt := range map[*canonical.Spec]func() error{
		canonical.GetServer.Spec(): func() error { return try(k, canonical.GetServer, canonical.ServerGet{ID: unknown}) },
		canonical.UpdateServer.Spec(): func() error {
			return try(k, canonical.UpdateServer, canonical.ServerUpdate{ID: unknown, Name: canonical.Some("x")})
		},
		canonical.GetKeypair.Spec():    func() error { return try(k, canonical.GetKeypair, canonical.KeypairGet{ID: unknown}) },
		canonical.DeleteKeypair.Spec(): func() error { return try(k, canonical.DeleteKeypair, canonical.KeypairDelete{ID: unknown}) },
		canonical.ListServerSnapshots.Spec(): func() error {
			return try(k, canonical.ListServerSnapshots, canonical.ServerSnapshotList{ID: unknown})
		},
		canonical.CreateServerSnapshot.Spec(): func() error {
			return try(k, canonical.CreateServerSnapshot, canonical.ServerSnapshotCreate{ID: unknown, Name: "x"})
		},
	} {
		if k.cloud.Support(k.ctx, what).Level != canonical.No {
			k.code(what.Name+" of an unknown id", attempt(), canonical.NotFound)
		}
	}
	for _, a := range append([]action{lock, unlock}, actions...) {
		if k.cloud.Support(k.ctx, a.op).Level == canonical.No {
			continue
		}
		k.code(a.name+" of an unknown id", a.do(k, unknown), a.refusals(canonical.NotFound)...)
	}
}

// testInvalidCreate: what is wrong with a create is said by field, and nothing is
// made.
func testInvalidCreate(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.ListServers.Spec())
	prefix := k.name("invalid")
	for _, tt := range []struct {
		what, field string
		change      func(*canonical.ServerCreate)
	}{
		{"no name", "name", func(r *canonical.ServerCreate) { r.Name = "" }},
		{"a blank name", "name", func(r *canonical.ServerCreate) { r.Name = " \t" }},
		{"a name of 256 characters", "name", func(r *canonical.ServerCreate) { r.Name += strings.Repeat("云", 256-len(r.Name)) }},
		{"no flavor", "flavor", func(r *canonical.ServerCreate) { r.Flavor = "" }},
		{"no image", "image", func(r *canonical.ServerCreate) { r.Image = "" }},
		{"an unknown flavor", "flavor", func(r *canonical.ServerCreate) { r.Flavor = canonical.Ref(unknown) }},
		{"an unknown image", "image", func(r *canonical.ServerCreate) { r.Image = canonical.Ref(unknown) }},
		{"an unknown network", "networks.0.network", func(r *canonical.ServerCreate) { r.Networks.List[0].Network = canonical.Ref(unknown) }},
		{"an unknown second network", "networks.1.network", func(r *canonical.ServerCreate) {
			r.Networks.List = append(r.Networks.List, canonical.NetworkChoice{Network: canonical.Ref(unknown)})
		}},
		{"an unknown keypair", "keypair", func(r *canonical.ServerCreate) { r.Keypair = canonical.Ref(k.name("none")) }},
		{"an unknown zone", "availability_zone", func(r *canonical.ServerCreate) { r.AvailabilityZone = "cloudtest-none" }},
		{"too many", "count", func(r *canonical.ServerCreate) { r.Count = 101 }},
		{"less than none", "count", func(r *canonical.ServerCreate) { r.Count = -1 }},
		{"broken user data", "user_data", func(r *canonical.ServerCreate) { r.UserData = "%" }},
		{"too much user data", "user_data", func(r *canonical.ServerCreate) { r.UserData = strings.Repeat("AAAA", 16384) }},
		{"a broken file", "files.0.contents", func(r *canonical.ServerCreate) { r.Files = []canonical.File{{Path: "/a", Contents: "%"}} }},
		{"an IP that is no IP", "networks.0.ip", func(r *canonical.ServerCreate) { r.Networks.List[0].IP = "nowhere" }},
	} {
		r := k.request(prefix)
		tt.change(&r)
		_, err := k.tryCreate(r)
		k.refused("a create with "+tt.what, err, tt.field)
	}
	if left := k.pagesOf(prefix)(canonical.ListOptions{}).Items; len(left) > 0 {
		k.errorf("refused creates made %v", idsOf(left))
		k.deleteAll(idsOf(left))
	}
}

func testInvalidList(k *check) {
	k.needs(canonical.ListServers.Spec())
	for _, tt := range []struct {
		what, field string
		req         canonical.ServerList
	}{
		{"a limit over the most", "limit", canonical.ServerList{ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit + 1}}},
		{"a limit below none", "limit", canonical.ServerList{ListOptions: canonical.ListOptions{Limit: -1}}},
		{"a sort that is none", "sort", canonical.ServerList{ListOptions: canonical.ListOptions{Sort: "id"}}},
		{"a cursor that is none", "cursor", canonical.ServerList{ListOptions: canonical.ListOptions{Cursor: "AAAA"}}},
		{"a status that is none", "status", canonical.ServerList{Status: "odd"}},
	} {
		k.refused(tt.what, try(k, canonical.ListServers, tt.req), tt.field)
	}
}
