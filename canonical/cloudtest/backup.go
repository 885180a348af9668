package cloudtest

import (
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// testBackups: of the backups of a kind the newest are kept.
func testBackups(k *check) {
	k.needs(canonical.CreateServerBackup.Spec(), canonical.ListImages.Spec(), canonical.DeleteImage.Spec())
	id := k.server("backed")
	names := []string{k.name("backup-1"), k.name("backup-2"), k.name("backup-3"), k.name("backup-4")}
	k.undo = append(k.undo, func(k *check) {
		for _, i := range do(k, canonical.ListImages, canonical.ImageList{ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit}}).Items {
			if slices.Contains(names, i.Name) {
				do(k, canonical.DeleteImage, canonical.ImageDelete{ID: i.ID})
			}
		}
	})
	for i, name := range names {
		r := canonical.ServerCreateBackup{ID: id, Name: name, Kind: "daily", Keep: 2}
		if i == 0 {
			r.Kind = "weekly"
		}
		do(k, canonical.CreateServerBackup, r)
	}
	var left []string
	for _, i := range do(k, canonical.ListImages, canonical.ImageList{ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit, Sort: canonical.ByName}}).Items {
		if slices.Contains(names, i.Name) {
			left = append(left, i.Name)
		}
	}
	if want := []string{names[0], names[2], names[3]}; !slices.Equal(left, want) {
		k.errorf("%v are left of %v, want %v", left, names, want)
	}
	k.is(id, canonical.ServerRunning)
	k.refused("a backup without a name", try(k, canonical.CreateServerBackup, canonical.ServerCreateBackup{ID: id, Keep: 1}), "name")
	k.refused("less than none", try(k, canonical.CreateServerBackup, canonical.ServerCreateBackup{ID: id, Name: names[0], Keep: -1}), "keep")
	k.code("of no server", try(k, canonical.CreateServerBackup, canonical.ServerCreateBackup{ID: unknown, Name: names[0], Keep: 1}), canonical.NotFound)
}
