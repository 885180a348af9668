package cloudtest

import (
	"fmt"
	"sync/atomic"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// width is how much is done at once.
func (k *check) width() int {
	if k.h.Costly {
		return 3
	}
	return 16
}

// testParallelCreates makes, reads, lists and deletes servers all at once.
func testParallelCreates(k *check) {
	k.needs(canonical.CreateServer.Spec(), canonical.GetServer.Spec(), canonical.ListServers.Spec(), canonical.DeleteServer.Spec())
	req := k.request(k.name("parallel"))
	ids := make([]canonical.ID, k.width())
	k.parallel(len(ids), func(p *check, i int) {
		mine := req
		mine.Name = fmt.Sprintf("%s-%d", req.Name, i)
		ids[i] = p.create(mine)[0]
		if s := p.get(ids[i]); s.Name != mine.Name || s.Status != running {
			p.errorf("server %s is %q (%s), want %q", ids[i], s.Name, s.Status, mine.Name)
		}
		if items := p.named(mine.Name); len(items) != 1 || items[0].ID != ids[i] {
			p.errorf("the list by %q holds %v, want %s", mine.Name, idsOf(items), ids[i])
		}
		do(p, canonical.DeleteServer, canonical.ServerDelete{ID: ids[i]})
	})
	seen := map[canonical.ID]bool{}
	for _, id := range ids {
		if seen[id] {
			k.errorf("two creates made server %s", id)
		}
		seen[id] = true
	}
	if left := k.pagesOf(req.Name)(canonical.ListOptions{}).Items; len(left) > 0 {
		k.errorf("the list still holds %v", idsOf(left))
	}
}

// testParallelActions stops one server from many sides: it is stopped, one at least
// did it, and the others are told that the state forbids it.
func testParallelActions(k *check) {
	k.needs(canonical.StopServer.Spec(), canonical.StartServer.Spec())
	m := k.machineIn("running")
	for _, step := range []struct {
		a   action
		end canonical.ServerStatus
	}{{halt, stopped}, {start, running}} {
		var done atomic.Int32
		k.parallel(k.width(), func(p *check, _ int) {
			if err := step.a.do(p, m.id); err == nil {
				done.Add(1)
			} else {
				p.code(step.a.name+" from many sides", err, canonical.FailedPrecondition, canonical.Conflict)
			}
		})
		if done.Load() == 0 {
			k.errorf("%s from many sides: nobody could", step.a.name)
		}
		k.is(m.id, step.end)
		m.at = string(step.end)
	}
}

// testParallelDeletes deletes one server from many sides: it is gone, and whoever
// came late is told that it is not there, if not that it went well.
func testParallelDeletes(k *check) {
	k.needs(canonical.DeleteServer.Spec())
	m := k.machineIn("running")
	k.suite.machine = nil
	var done atomic.Int32
	k.parallel(k.width(), func(p *check, _ int) {
		if err := try(p, canonical.DeleteServer, canonical.ServerDelete{ID: m.id}); err == nil {
			done.Add(1)
		} else {
			p.code("delete from many sides", err, canonical.NotFound)
		}
	})
	if done.Load() == 0 {
		k.errorf("delete from many sides: nobody could")
	}
	k.gone(m.id)
}
