package native

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dragoman-cloud/dragoman/adapters/native/kvm"
	"github.com/dragoman-cloud/dragoman/canonical"
)

func TestCreate(t *testing.T) {
	c, h, _ := fakeCloud(t)
	r := a("web <&>'\"; DROP TABLE x;-- ../../etc 云 🚀")
	r.Metadata, r.Tags, r.Description = map[string]string{"🚀 ]]>": "</x>\x01"}, []string{"t"}, "说明"
	s := create(t, c, r)
	if s.AdminPassword == nil || len(*s.AdminPassword) < 8 {
		t.Error("there is no password")
	}
	now := get(t, c, s.ID)
	if now.Status != canonical.ServerRunning || now.Power != canonical.PowerOn || now.Name != r.Name || now.Metadata["🚀 ]]>"] != "</x>\x01" ||
		*now.Tenant != "acme" || *now.Host != "h1" || *now.AvailabilityZone != "az1" || *now.Description != "说明" || now.Task != nil || now.LaunchedAt == nil {
		t.Errorf("the server is %+v", now)
	}
	live, err := h.Get(string(s.ID))
	if err != nil || live.Tenant != "acme" || live.Name != r.Name {
		t.Errorf("the host has %+v, %v", live, err)
	}
	do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: s.ID})
	nothingKept(t, c)
	if n := len(h.List()); n > 0 {
		t.Errorf("the host has %d servers", n)
	}
}

// TestCreateRefused: what cannot be is refused at once, by its field, and leaves nothing.
func TestCreateRefused(t *testing.T) {
	c, h, _ := fakeCloud(t)
	h.networks = append(h.networks, kvm.Network{Name: "down"})
	do(t, c, canonical.CreateImage, canonical.ImageCreate{Name: "empty", DiskFormat: "raw"})
	list := func(n canonical.NetworkChoice) canonical.Networks {
		return canonical.Networks{Mode: canonical.NetworksList, List: []canonical.NetworkChoice{n}}
	}
	for what, tt := range map[string]struct {
		change func(*canonical.ServerCreate)
		code   canonical.Code
		field  string
	}{
		"flavor":           {func(r *canonical.ServerCreate) { r.Flavor = "none" }, canonical.InvalidRequest, "flavor"},
		"image":            {func(r *canonical.ServerCreate) { r.Image = "../image" }, canonical.InvalidRequest, "image"},
		"queued image":     {func(r *canonical.ServerCreate) { r.Image = "empty" }, canonical.InvalidRequest, "image"},
		"keypair":          {func(r *canonical.ServerCreate) { r.Keypair = "none" }, canonical.InvalidRequest, "keypair"},
		"zone":             {func(r *canonical.ServerCreate) { r.AvailabilityZone = "az9" }, canonical.InvalidRequest, "availability_zone"},
		"host":             {func(r *canonical.ServerCreate) { r.Host = "h9" }, canonical.InvalidRequest, "host"},
		"network":          {func(r *canonical.ServerCreate) { r.Networks = list(canonical.NetworkChoice{Network: "none"}) }, canonical.InvalidRequest, "networks.0.network"},
		"inactive network": {func(r *canonical.ServerCreate) { r.Networks = list(canonical.NetworkChoice{Network: "down"}) }, canonical.QuotaExceeded, ""},
		"address outside": {func(r *canonical.ServerCreate) {
			r.Networks = list(canonical.NetworkChoice{Network: "default", IP: "10.9.0.1"})
		}, canonical.InvalidRequest, "networks.0.ip"},
		"address of two": {func(r *canonical.ServerCreate) {
			r.Networks, r.Count = list(canonical.NetworkChoice{Network: "default", IP: "10.0.0.9"}), 2
		}, canonical.InvalidRequest, "networks.0.ip"},
		"subnet": {func(r *canonical.ServerCreate) {
			r.Networks = list(canonical.NetworkChoice{Network: "default", Subnet: "s"})
		}, canonical.Unsupported, "networks.0.subnet"},
		"user data":      {func(r *canonical.ServerCreate) { r.UserData = "not base64!" }, canonical.InvalidRequest, "user_data"},
		"long user data": {func(r *canonical.ServerCreate) { r.UserData = strings.Repeat("AAAA", 16<<10) }, canonical.InvalidRequest, "user_data"},
		"file":           {func(r *canonical.ServerCreate) { r.Files = []canonical.File{{Path: "/a", Contents: "%"}} }, canonical.InvalidRequest, "files.0.contents"},
		"relative file":  {func(r *canonical.ServerCreate) { r.Files = []canonical.File{{Path: "../a", Contents: "YQ=="}} }, canonical.InvalidRequest, "files.0.path"},
		"volume":         {func(r *canonical.ServerCreate) { r.Volumes = []canonical.ServerVolumeCreate{{}} }, canonical.Unsupported, "volumes"},
		"hints":          {func(r *canonical.ServerCreate) { r.SchedulerHints = map[string]any{"a": 1} }, canonical.Unsupported, "scheduler_hints"},
		"group":          {func(r *canonical.ServerCreate) { r.ServerGroup = "g" }, canonical.Unsupported, "server_group"},
		"count":          {func(r *canonical.ServerCreate) { r.Count = 101 }, canonical.InvalidRequest, "count"},
		"too many":       {func(r *canonical.ServerCreate) { r.Flavor, r.Count = "large", 26 }, canonical.QuotaExceeded, ""},
		"metadata": {func(r *canonical.ServerCreate) {
			r.Metadata = map[string]string{}
			for i := range maxMetadata + 1 {
				r.Metadata[fmt.Sprint(i)] = ""
			}
		}, canonical.InvalidRequest, "metadata"},
		"tags": {func(r *canonical.ServerCreate) { r.Tags = make([]string, maxTags+1) }, canonical.InvalidRequest, "tags"},
	} {
		r := a("refused")
		tt.change(&r)
		out, err := canonical.CreateServer.Do(caller(t.Context()), c, r)
		code(t, what, err, tt.code)
		if fields := canonical.AsError(err); err != nil && tt.field != "" && (len(fields.Fields) == 0 || fields.Fields[0].Field != tt.field) {
			t.Errorf("%s: the error names %v, want %s", what, fields.Fields, tt.field)
		}
		if out.Task != nil {
			t.Errorf("%s: there is a task", what)
		}
	}
	nothingKept(t, c)
	if n := len(h.calls); n > 0 {
		t.Errorf("the host was told %v", h.calls)
	}
}

// TestParallelCreates: of 50 at once where 20 fit 20 are placed and 30 refused, which
// leave nothing.
func TestParallelCreates(t *testing.T) {
	h1, h2 := newFakeHost("h1", ""), newFakeHost("h2", "")
	h1.facts.RAMMiB, h2.facts.RAMMiB = 12*256+100, 8*256
	c := openCloud(t, fakeOptions(t, h1, h2))
	addRaw(t, c)
	var placed, refused atomic.Int32
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			out, err := canonical.CreateServer.Do(caller(t.Context()), c, a(fmt.Sprintf("s%d", i)))
			switch {
			case err == nil:
				placed.Add(1)
				if err := end(t, c, out.Task); err != nil {
					t.Error(err)
				}
			case canonical.CodeOf(err) == canonical.QuotaExceeded && strings.Contains(err.Error(), "MiB of memory"):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if placed.Load() != 20 || refused.Load() != 30 || len(h1.List()) != 12 || len(h2.List()) != 8 {
		t.Errorf("placed %d (%d and %d), refused %d", placed.Load(), len(h1.List()), len(h2.List()), refused.Load())
	}
	claims, err := c.opts.Store.Claims(t.Context(), "kvm1")
	users := 0
	for _, i := range c.images.List() {
		users += len(i.Users)
	}
	if n := len(do(t, c, canonical.ListServers, canonical.ServerList{}).Items); err != nil || len(claims) != 20 || users != 20 || n != 20 {
		t.Errorf("kept: %d claims, %d users of the image, %d servers: %v", len(claims), users, n, err)
	}
}

// TestCount: several servers are made all or none, and each is free when it is made.
func TestCount(t *testing.T) {
	c, h, _ := fakeCloud(t)
	h.facts.CPUs = 100
	r := a("many")
	r.Count = 100
	made := do(t, c, canonical.CreateServer, r).Servers
	if len(made) != 100 || made[41].Name != "many-42" || len(h.List()) != 100 {
		t.Errorf("made %d, the host has %d", len(made), len(h.List()))
	}
	r.Count = 2
	_, err := canonical.CreateServer.Do(caller(t.Context()), c, r)
	code(t, "more than fit", err, canonical.QuotaExceeded)
	if len(h.List()) != 100 {
		t.Errorf("the host has %d", len(h.List()))
	}
}

// TestSomeFail: of several servers one cannot be made; the others can.
func TestSomeFail(t *testing.T) {
	c, h, _ := fakeCloud(t)
	var failed atomic.Int32
	h.stepping(func(_ context.Context, step, _ string) error {
		if step == "start" && failed.Add(1) == 1 {
			return errors.New("no")
		}
		return nil
	})
	r := a("some")
	r.Count = 3
	if err := try(t, c, canonical.CreateServer, r); err == nil {
		t.Error("the job succeeded")
	}
	states := map[canonical.ServerStatus]int{}
	for _, s := range do(t, c, canonical.ListServers, canonical.ServerList{}).Items {
		states[s.Status]++
		if s.Task != nil || (s.Status == canonical.ServerError) != (s.Fault != nil) {
			t.Errorf("server %+v", s)
		}
		do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: s.ID})
	}
	if states[canonical.ServerRunning] != 2 || states[canonical.ServerError] != 1 {
		t.Errorf("the servers are %v", states)
	}
	nothingKept(t, c)
}

// TestReadyBeforeOthers: a server of several can be used when it is made.
func TestReadyBeforeOthers(t *testing.T) {
	c, h, _ := fakeCloud(t)
	g := holdAt(h, "start")
	r := a("pair")
	r.Count = 2
	out := begin(t, c, canonical.CreateServer, r)
	g.await(t)
	last := g.await(t)
	g.open <- struct{}{}
	var first canonical.ID
	eventually(t, jobTime, "one is ready", func() bool {
		for _, s := range out.Result.Servers {
			if now := get(t, c, s.ID); now.Status == canonical.ServerRunning && now.Task == nil {
				first = s.ID
				return true
			}
		}
		return false
	})
	_ = last
	do(t, c, canonical.StopServer, canonical.ServerStop{ID: first})
	close(g.open)
	if err := end(t, c, out.Task); err != nil {
		t.Error(err)
	}
}

// TestDeleteDuringBuild: what is being made is given up at any step, and nothing is left.
func TestDeleteDuringBuild(t *testing.T) {
	for _, step := range []string{"base", "define", "start"} {
		t.Run(step, func(t *testing.T) {
			c, h, _ := fakeCloud(t)
			g := holdAt(h, step)
			out := begin(t, c, canonical.CreateServer, a("short"))
			g.await(t)
			id := out.Result.Servers[0].ID
			del := begin(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: id})
			if step == "start" {
				close(g.open) // which is not given up
			}
			if err := end(t, c, del.Task); err != nil {
				t.Error(err)
			}
			if err := end(t, c, out.Task); err != nil || step != "start" { // which may be done before it is given up
				code(t, "the create", err, canonical.Conflict)
			}
			code(t, "get", try(t, c, canonical.GetServer, canonical.ServerGet{ID: id}), canonical.NotFound)
			nothingKept(t, c)
			if n := len(h.List()); n > 0 {
				t.Errorf("the host has %d servers", n)
			}
		})
	}
}
