package cloudtest

import (
	"reflect"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// testRepeatedReads: what is read twice is the same twice, in lists and alone.
func testRepeatedReads(k *check) {
	f := k.theFleet()
	for range 3 {
		a, b := k.get(f.ids[0]), k.get(f.ids[0])
		if !reflect.DeepEqual(a, b) {
			k.errorf("server.get gave %+v and then %+v", a, b)
		}
		first, second := k.pagesOf(f.prefix)(canonical.ListOptions{}).Items, k.pagesOf(f.prefix)(canonical.ListOptions{}).Items
		if !reflect.DeepEqual(first, second) {
			k.errorf("server.list gave %+v and then %+v", first, second)
		}
	}
	for _, listed := range k.pagesOf(f.prefix)(canonical.ListOptions{}).Items {
		if got := k.get(listed.ID); got.Name != listed.Name || got.Status != listed.Status || !reflect.DeepEqual(got.Metadata, listed.Metadata) {
			k.errorf("server.get gave %+v, the list %+v", got, listed)
		}
	}
}

// testRepeatedDelete: a delete while the first is under way is harmless, and one of
// what is gone says so.
func testRepeatedDelete(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.DeleteServer.Spec())
	id := k.server("twice")
	first, err := canonical.DeleteServer.Do(k.ctx, k.cloud, canonical.ServerDelete{ID: id})
	if err != nil {
		k.fatalf("server.delete: %v", err)
	}
	if err := try(k, canonical.DeleteServer, canonical.ServerDelete{ID: id}); err != nil {
		k.code("the second delete", err, canonical.NotFound)
	}
	if err := k.await(first.Task); err != nil {
		k.errorf("the task of the first delete: %v", err)
	}
	k.gone(id)
	if err := try(k, canonical.DeleteServer, canonical.ServerDelete{ID: id}); err != nil {
		k.code("a delete of what is gone", err, canonical.NotFound)
	}
	for _, a := range actions {
		if k.cloud.Support(k.ctx, a.op).Level != canonical.No && a.op != canonical.DeleteServer.Spec() && a.op != canonical.PurgeServer.Spec() {
			k.code(a.name+" of what is gone", a.do(k, id), a.refusals(canonical.NotFound, canonical.FailedPrecondition)...)
		}
	}
}
