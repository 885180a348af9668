package native

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/digitalocean/go-libvirt"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dragoman-cloud/dragoman/adapters/native/kvm"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// crash ends a cloud as far as it can be ended without ending the process: what is
// under way is abandoned, and the next cloud of the options takes it up.
func crash(t testing.TB, c *Cloud) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestResume: whatever step a process ends in, the next one finishes the job, once.
func TestResume(t *testing.T) {
	for _, step := range []string{"base", "define", "start"} {
		t.Run("create/"+step, func(t *testing.T) {
			c, h, o := fakeCloud(t)
			g := holdAt(h, step)
			r := a("crashed")
			r.Count = 3
			out := begin(t, c, canonical.CreateServer, r)
			g.await(t)
			crash(t, c)
			h.stepping(nil)
			next := openCloud(t, o)
			if err := end(t, next, out.Task); err != nil {
				t.Error(err)
			}
			if p := do(t, next, canonical.ListServers, canonical.ServerList{Status: canonical.ServerRunning}); len(p.Items) != 3 || len(h.List()) != 3 {
				t.Errorf("%d servers run, the host has %d", len(p.Items), len(h.List()))
			}
		})
	}
	resizing := func(t *testing.T, c *Cloud, id canonical.ID) *canonical.Task {
		return begin(t, c, canonical.ResizeServer, canonical.ServerResize{ID: id, Flavor: "small"}).Task
	}
	for name, tt := range map[string]struct {
		begin func(*testing.T, *Cloud, canonical.ID) *canonical.Task
		step  string
		want  canonical.ServerStatus
	}{
		"stop": {func(t *testing.T, c *Cloud, id canonical.ID) *canonical.Task {
			return begin(t, c, canonical.StopServer, canonical.ServerStop{ID: id}).Task
		}, "stop", canonical.ServerStopped},
		"reboot/stop": {func(t *testing.T, c *Cloud, id canonical.ID) *canonical.Task {
			return begin(t, c, canonical.RebootServer, canonical.ServerReboot{ID: id}).Task
		}, "stop", canonical.ServerRunning},
		"reboot/start": {func(t *testing.T, c *Cloud, id canonical.ID) *canonical.Task {
			return begin(t, c, canonical.RebootServer, canonical.ServerReboot{ID: id, Kind: canonical.RebootHard}).Task
		}, "start", canonical.ServerRunning},
		"pause": {func(t *testing.T, c *Cloud, id canonical.ID) *canonical.Task {
			return begin(t, c, canonical.PauseServer, canonical.ServerPause{ID: id}).Task
		}, "pause", canonical.ServerPaused},
		"suspend": {func(t *testing.T, c *Cloud, id canonical.ID) *canonical.Task {
			return begin(t, c, canonical.SuspendServer, canonical.ServerSuspend{ID: id}).Task
		}, "suspend", canonical.ServerSuspended},
		"resize/stop":    {resizing, "stop", canonical.ServerVerifyResize},
		"resize/reshape": {resizing, "reshape", canonical.ServerVerifyResize},
		"resize/start":   {resizing, "start", canonical.ServerVerifyResize},
		"delete": {func(t *testing.T, c *Cloud, id canonical.ID) *canonical.Task {
			return begin(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id}).Task
		}, "delete", canonical.ServerDeleted},
	} {
		t.Run(name, func(t *testing.T) {
			c, h, o := fakeCloud(t)
			id := create(t, c, a("crashed")).ID
			starts := h.called("start")
			g := holdAt(h, tt.step)
			task := tt.begin(t, c, id)
			g.await(t)
			crash(t, c)
			h.stepping(nil)
			next := openCloud(t, o)
			if err := end(t, next, task); err != nil {
				t.Error(err)
			}
			if tt.want == canonical.ServerDeleted {
				nothingKept(t, next)
			} else if s := get(t, next, id); s.Status != tt.want || s.Task != nil {
				t.Errorf("the server is %s (%v)", s.Status, s.Task)
			}
			if name == "reboot/start" && (h.called("stop") != 1 || h.called("start") != starts+2) {
				t.Errorf("the host was told %v", h.calls)
			}
		})
	}
}

// TestResumeDeleteOverBuild: a delete that a crash met while what it deletes was made.
func TestResumeDeleteOverBuild(t *testing.T) {
	c, h, o := fakeCloud(t)
	g := holdAt(h, "start")
	out := begin(t, c, canonical.CreateServer, a("both"))
	g.await(t)
	del := begin(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: out.Result.Servers[0].ID})
	crash(t, c)
	h.stepping(nil)
	next := openCloud(t, o)
	if err := end(t, next, del.Task); err != nil {
		t.Error(err)
	}
	_ = end(t, next, out.Task) // it may be done before the delete begins
	nothingKept(t, next)
	if n := len(h.List()); n > 0 {
		t.Errorf("the host has %d servers", n)
	}
}

// TestResumeWithoutRecord: the record of a server went just before the crash, what its
// making had put on the host did not.
func TestResumeWithoutRecord(t *testing.T) {
	c, h, o := fakeCloud(t)
	g := holdAt(h, "start")
	out := begin(t, c, canonical.CreateServer, a("orphan"))
	id := g.await(t)
	crash(t, c)
	if err := o.Store.DeleteObject(t.Context(), c.object(serverKind, id)); err != nil {
		t.Fatal(err)
	}
	h.stepping(nil)
	next := openCloud(t, o)
	code(t, "the create", end(t, next, out.Task), canonical.NotFound)
	nothingKept(t, next)
	if n := len(h.List()); n > 0 {
		t.Errorf("the host has %d servers", n)
	}
}

// TestUnanswered: creates that a crash met before they had a job are forgotten.
func TestUnanswered(t *testing.T) {
	c, _, o := fakeCloud(t)
	kept := create(t, c, a("kept"))
	p, err := c.plan(caller(t.Context()), a("unanswered"))
	if err != nil {
		t.Fatal(err)
	}
	claims := []store.Claim{{Host: "h1", Server: "11111111-1111-4111-8111-111111111111"}, {Host: "h1", Server: "22222222-2222-4222-8222-222222222222"}}
	if err := o.Store.Claim(t.Context(), "kvm1", func([]store.Claim) ([]store.Claim, error) { return claims, nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := c.begin(t.Context(), p, claims[0], 0); err != nil {
		t.Fatal(err)
	}
	crash(t, c)
	next := openCloud(t, o)
	if all := do(t, next, canonical.ListServers, canonical.ServerList{}).Items; len(all) != 1 || all[0].ID != kept.ID {
		t.Errorf("the servers are %v", all)
	}
	do(t, next, canonical.DeleteServer, canonical.ServerDelete{ID: kept.ID})
	nothingKept(t, next)
}

// TestCreateFails: whatever step fails, the server tells why, nothing of it is on the
// host, and it can be deleted.
func TestCreateFails(t *testing.T) {
	for _, step := range []string{"base", "define", "start"} {
		t.Run(step, func(t *testing.T) {
			c, h, _ := fakeCloud(t)
			h.stepping(func(_ context.Context, s, _ string) error {
				if s == step {
					return canonical.Errorf(canonical.QuotaExceeded, "the disk is full")
				}
				return nil
			})
			out := begin(t, c, canonical.CreateServer, a("failed"))
			code(t, "the job", end(t, c, out.Task), canonical.QuotaExceeded)
			s := get(t, c, out.Result.Servers[0].ID)
			if s.Status != canonical.ServerError || s.Fault == nil || s.Fault.Message != "the disk is full" || len(h.List()) > 0 {
				t.Errorf("the server is %s: %v; the host has %v", s.Status, s.Fault, h.List())
			}
			for what, err := range map[string]error{
				"start":   try(t, c, canonical.StartServer, canonical.ServerStart{ID: s.ID}),
				"stop":    try(t, c, canonical.StopServer, canonical.ServerStop{ID: s.ID}),
				"reboot":  try(t, c, canonical.RebootServer, canonical.ServerReboot{ID: s.ID, Kind: canonical.RebootHard}),
				"console": try(t, c, canonical.GetConsoleOutput, canonical.ConsoleOutputGet{ID: s.ID}),
			} {
				code(t, what, err, canonical.FailedPrecondition)
			}
			do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: s.ID})
			nothingKept(t, c)
		})
	}
}

// TestHostLost: work that loses its host goes on when the host is back.
func TestHostLost(t *testing.T) {
	for _, step := range []string{"base", "define", "start", "stop", "delete"} {
		t.Run(step, func(t *testing.T) {
			c, h, _ := fakeCloud(t)
			lost := make(chan struct{}, 1)
			h.stepping(func(_ context.Context, s, _ string) error {
				if s == step && len(lost) == 0 && h.called(step) == 1 {
					h.connect(false)
					lost <- struct{}{}
				}
				return nil
			})
			out := begin(t, c, canonical.CreateServer, a("patient"))
			id := out.Result.Servers[0].ID
			tasks := []*canonical.Task{out.Task}
			if step == "stop" || step == "delete" {
				if err := end(t, c, out.Task); err != nil {
					t.Fatal(err)
				}
				if step == "stop" {
					tasks = []*canonical.Task{begin(t, c, canonical.StopServer, canonical.ServerStop{ID: id}).Task}
				} else {
					tasks = []*canonical.Task{begin(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id}).Task}
				}
			}
			<-lost
			s := get(t, c, id)
			if *s.HostStatus != "down" || s.Task == nil {
				t.Errorf("the host is %s, the task is %v", *s.HostStatus, s.Task)
			}
			if h := c.Health(); h.Status != canonical.CloudDown {
				t.Errorf("the cloud is %s", h.Status)
			}
			h.stepping(nil)
			h.connect(true)
			for _, task := range tasks {
				if err := end(t, c, task); err != nil {
					t.Error(err)
				}
			}
			if err := try(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id}); err != nil && step != "delete" {
				t.Error(err)
			}
			nothingKept(t, c)
		})
	}
}

// TestHostDown: with its only host down a cloud takes nothing on but deletes, which
// are done when the host is back.
func TestHostDown(t *testing.T) {
	c, h, o := fakeCloud(t)
	id := create(t, c, a("there")).ID
	crash(t, c)
	h.connect(false)
	c = openCloud(t, o)
	ctx, cancel := context.WithCancel(caller(t.Context()))
	_, err := canonical.StopServer.Do(ctx, c, canonical.ServerStop{ID: id})
	cancel()
	code(t, "stop", err, canonical.Unavailable)
	if s := get(t, c, id); *s.HostStatus != "down" || s.Name != "there" {
		t.Errorf("the server is %+v", s)
	}
	del := begin(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	h.connect(true)
	if err := end(t, c, del.Task); err != nil {
		t.Error(err)
	}
	nothingKept(t, c)
}

// TestHostTakenOut: the servers of a host that is not configured any more are still
// shown, and nothing is done to them.
func TestHostTakenOut(t *testing.T) {
	h1, h2 := newFakeHost("h1", ""), newFakeHost("h2", "")
	o := fakeOptions(t, h1, h2)
	c := openCloud(t, o)
	addRaw(t, c)
	r := a("left")
	r.Host = "h2"
	id := create(t, c, r).ID
	crash(t, c)
	o.Hosts = o.Hosts[:1]
	c = openCloud(t, o)
	if s := get(t, c, id); s.Status != canonical.ServerUnknown || *s.Host != "h2" || *s.HostStatus != "down" {
		t.Errorf("the server is %+v", s)
	}
	for what, err := range map[string]error{
		"delete":  try(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id}),
		"console": try(t, c, canonical.GetConsoleOutput, canonical.ConsoleOutputGet{ID: id}),
	} {
		code(t, what, err, canonical.FailedPrecondition)
	}
	code(t, "stop", try(t, c, canonical.StopServer, canonical.ServerStop{ID: id}), canonical.Unavailable)
	do(t, c, canonical.UpdateServer, canonical.ServerUpdate{ID: id, Name: canonical.Some("renamed")})
	crash(t, c)
	o.Hosts = append(o.Hosts, HostOptions{Name: "h2"})
	c = openCloud(t, o)
	do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	nothingKept(t, c)
}

// TestTwice: of two deletes and of two stops at once one does it.
func TestTwice(t *testing.T) {
	c, h, _ := fakeCloud(t)
	id := create(t, c, a("twice")).ID
	g := holdAt(h, "stop")
	first := begin(t, c, canonical.StopServer, canonical.ServerStop{ID: id})
	if first.Result.Task == nil || *first.Result.Task != stopping {
		t.Errorf("the task is %v", first.Result.Task)
	}
	g.await(t)
	code(t, "the second stop", try(t, c, canonical.StopServer, canonical.ServerStop{ID: id}), canonical.FailedPrecondition)
	code(t, "a start meanwhile", try(t, c, canonical.StartServer, canonical.ServerStart{ID: id}), canonical.FailedPrecondition)
	close(g.open)
	if err := end(t, c, first.Task); err != nil {
		t.Error(err)
	}
	code(t, "a stop of what is stopped", try(t, c, canonical.StopServer, canonical.ServerStop{ID: id}), canonical.FailedPrecondition)

	g = holdAt(h, "delete")
	one := begin(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	g.await(t)
	two := begin(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	close(g.open)
	if err := errors.Join(end(t, c, one.Task), end(t, c, two.Task)); err != nil {
		t.Error(err)
	}
	if n := h.called("delete"); n != 1 {
		t.Errorf("the host was told %d times", n)
	}
	nothingKept(t, c)
}

// TestLost: a server that somebody removed from its host is an error, and can be deleted.
func TestLost(t *testing.T) {
	c, h, _ := fakeCloud(t)
	id := create(t, c, a("lost")).ID
	seen := make(chan canonical.Server, 100)
	c.Watch(func(s canonical.Server) { seen <- s })
	h.outside(string(id), func(s *kvm.Server) { *s = kvm.Server{} })
	if s := <-seen; s.Status != canonical.ServerError {
		t.Errorf("told: %s", s.Status)
	}
	if s := get(t, c, id); s.Status != canonical.ServerError || s.Fault == nil {
		t.Errorf("the server is %s: %v", s.Status, s.Fault)
	}
	for what, err := range map[string]error{
		"stop":    try(t, c, canonical.StopServer, canonical.ServerStop{ID: id}),
		"reboot":  try(t, c, canonical.RebootServer, canonical.ServerReboot{ID: id, Kind: canonical.RebootHard}),
		"console": try(t, c, canonical.GetConsoleOutput, canonical.ConsoleOutputGet{ID: id}),
	} {
		code(t, what, err, canonical.FailedPrecondition)
	}
	do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	nothingKept(t, c)
}

// TestEvents: the last word on every change is told, and it is the truth.
func TestEvents(t *testing.T) {
	c, h, _ := fakeCloud(t)
	var told []string
	seen := make(chan struct{}, 1000)
	c.Watch(func(s canonical.Server) {
		word := string(s.Status)
		if s.Task != nil {
			word += " " + *s.Task
		}
		if len(told) == 0 || told[len(told)-1] != word {
			told = append(told, word)
		}
		seen <- struct{}{}
	})
	id := create(t, c, a("watched")).ID
	h.outside(string(id), func(s *kvm.Server) {
		s.State = kvm.State{Code: int32(libvirt.DomainShutoff)}
		s.Status, s.Power = canonical.ServerStopped, canonical.PowerOff
	})
	do(t, c, canonical.StartServer, canonical.ServerStart{ID: id})
	do(t, c, canonical.RebootServer, canonical.ServerReboot{ID: id})
	do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	c.telling.Lock()
	defer c.telling.Unlock()
	if len(told) == 0 || told[len(told)-1] != "deleted" {
		t.Errorf("told: %q", told)
	}
	for _, word := range []string{"building building", "running", "stopped", "rebooting rebooting"} {
		if !slices.Contains(told, word) {
			t.Errorf("not told %q: %q", word, told)
		}
	}
}

// lostMark is the mark of a store that is lost.
const lostMark = "dragoman.abcdefgh"

// TestRecover: without the store the servers come back from their hosts as they were,
// but for the mark of that store.
func TestRecover(t *testing.T) {
	c, h, o := fakeCloud(t)
	r := a("recovered 云")
	r.Metadata, r.Tags, r.Networks = map[string]string{"k": "值", lostMark: "op"}, []string{"t"}, canonical.Networks{
		Mode: canonical.NetworksList, List: []canonical.NetworkChoice{{Network: "default", IP: "10.0.0.9"}},
	}
	id := create(t, c, r).ID
	do(t, c, canonical.UpdateServer, canonical.ServerUpdate{ID: id, Name: canonical.Some("renamed 云")})
	do(t, c, canonical.UpdateServer, canonical.ServerUpdate{ID: id, AccessIPv4: canonical.Some("192.0.2.1"), AccessIPv6: canonical.Some("2001:db8::1")})
	do(t, c, canonical.ResizeServer, canonical.ServerResize{ID: id, Flavor: "small"})
	before := do(t, c, canonical.LockServer, canonical.ServerLock{ID: id, Reason: "mine"})
	claim := claimed(t, c, id)
	h.put(kvm.Server{Record: kvm.Record{ID: "33333333-3333-4333-8333-333333333333"}}, libvirt.DomainRunning) // whose record is spoiled
	h.orphans = map[string]bool{"44444444-4444-4444-8444-444444444444": true}
	crash(t, c)

	o.Store = testStore(t, t.TempDir()+"/new.db")
	c = openCloud(t, o)
	if n := len(do(t, c, canonical.ListServers, canonical.ServerList{}).Items); n != 0 {
		t.Errorf("the new store has %d servers", n)
	}
	found, err := c.Recover(t.Context())
	if len(found) != 1 || found[0] != (Recovered{ID: id, Tenant: "acme", Host: "h1"}) || err == nil {
		t.Fatalf("recovered %v, %v", found, err)
	}
	if len(h.orphans) != 0 {
		t.Errorf("left on the host: %v", h.orphans)
	}
	after := get(t, c, id)
	if before.Status != canonical.ServerVerifyResize || len(before.Addresses) != 1 || before.Addresses[0].IP != "10.0.0.9" {
		t.Errorf("before %+v", before)
	}
	delete(before.Metadata, lostMark)
	if diff := cmp.Diff(before, after, cmpopts.IgnoreFields(canonical.Server{}, "UpdatedAt", "LaunchedAt")); diff != "" {
		t.Errorf("recovered, less what it was (-) and more than that (+):\n%s", diff)
	}
	if got := claimed(t, c, id); got != claim {
		t.Errorf("recovered it claims %+v, and claimed %+v", got, claim)
	}
	if owner, err := o.Store.Owner(t.Context(), "kvm1", "server", canonical.MakeID("kvm1", string(id))); err != nil || owner != "acme" {
		t.Errorf("it belongs to %q, %v", owner, err)
	}
	code(t, "delete of its image", try(t, c, canonical.DeleteImage, canonical.ImageDelete{ID: after.Image.ID}), canonical.FailedPrecondition)
	if again, _ := c.Recover(t.Context()); len(again) != 0 {
		t.Errorf("recovered again: %v", again)
	}
	if _, err := canonical.UnlockServer.Do(admin(t.Context()), c, canonical.ServerUnlock{ID: id}); err != nil {
		t.Error(err)
	}
	do(t, c, canonical.RevertServerResize, canonical.ServerRevertResize{ID: id})
	if s := get(t, c, id); *s.Flavor.Name != "tiny" {
		t.Errorf("reverted it is a %s", *s.Flavor.Name)
	}
	do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	nothingKept(t, c)
}

// TestImageInUse: the image of a server is kept, also by the next process, until the
// server is gone.
func TestImageInUse(t *testing.T) {
	c, _, o := fakeCloud(t)
	id := create(t, c, a("web")).ID
	image := get(t, c, id).Image.ID
	remove := func(c *Cloud) error { return try(t, c, canonical.DeleteImage, canonical.ImageDelete{ID: image}) }
	code(t, "a delete of the image", remove(c), canonical.FailedPrecondition)
	crash(t, c)
	next := openCloud(t, o)
	code(t, "a delete of the image after a restart", remove(next), canonical.FailedPrecondition)
	do(t, next, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	if err := remove(next); err != nil {
		t.Errorf("a delete of the image that nobody uses: %v", err)
	}
}
