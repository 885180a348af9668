package native

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/canonical/cloudtest"
)

// brokered is the cloud behind a broker on its store, as dragoman serves it.
func brokered(t testing.TB, c *Cloud) *broker.Broker {
	t.Helper()
	b, err := broker.New(broker.Options{
		Store: c.opts.Store, Log: testLog(t), PollFirst: 5 * time.Millisecond, PollMost: 50 * time.Millisecond,
		Members: []broker.Member{{
			Name: c.opts.Name, Dialect: "native", Watch: c.Watch,
			Open: func(string) (broker.Account, error) { return broker.Account{Cloud: c, Shared: true}, nil },
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// TestConformanceWithoutLibvirt runs the suite on a host that is not real: bare, and
// behind the broker as a tenant.
func TestConformanceWithoutLibvirt(t *testing.T) {
	h := cloudtest.Harness{
		Flavor: "tiny", Image: "image", Network: "default", First: 2 * time.Millisecond, Most: 20 * time.Millisecond,
		Deviations: map[string]string{
			"image/content":      "an image without any bytes is refused; TestImageContent does the rest",
			"flavor/lifecycle":   "a server here has one disk: ephemeral disks and swap are refused by name",
			"flavor/extra_specs": "extra specs that mean nothing to a KVM host are refused by name; TestExtraSpecs does the rest",
		},
	}
	t.Run("bare", func(t *testing.T) {
		c, host, _ := fakeCloud(t)
		host.facts.CPUs = 1000 // all of the suite's servers
		h := h
		h.Open = func(*testing.T) canonical.Cloud { return canonical.Qualify("kvm1", c) }
		h.Context = func() context.Context { return admin(context.Background()) }
		cloudtest.Run(t, h)
		nothingKept(t, c)
	})
	t.Run("brokered", func(t *testing.T) {
		c, host, _ := fakeCloud(t)
		host.facts.CPUs = 1000
		b := brokered(t, c)
		h := h
		h.Open = func(*testing.T) canonical.Cloud { return b }
		h.Context = func() context.Context { return admin(context.Background()) }
		share(t, c)
		cloudtest.Run(t, h)
		nothingKept(t, c)
	})
}

// share makes the image public, so that every tenant can use it.
func share(t testing.TB, c *Cloud) {
	t.Helper()
	for _, i := range do(t, c, canonical.ListImages, canonical.ImageList{}).Items {
		do(t, c, canonical.UpdateImage, canonical.ImageUpdate{ID: i.ID, Visibility: canonical.Some("public")})
	}
}

// member is somebody of a tenant.
func member(t testing.TB, tenant string) context.Context {
	return canonical.WithCaller(t.Context(), canonical.Caller{Tenant: tenant, Role: canonical.Member})
}

// TestTenants: tenants of the one cloud see and use what is theirs alone.
func TestTenants(t *testing.T) {
	c, _, _ := fakeCloud(t)
	b := brokered(t, c)
	acme, evil := member(t, "acme"), member(t, "evil")
	mine, err := canonical.CreateImage.Do(acme, b, canonical.ImageCreate{Name: "private", DiskFormat: "raw"})
	if err != nil {
		t.Fatal(err)
	}
	id := mine.Result.ID
	if _, err := canonical.UploadImage.Do(acme, b, canonical.ImageUpload{ID: id, Content: fileContent(t, file(t, t.TempDir(), "d", []byte("data")))}); err != nil {
		t.Fatal(err)
	}
	if _, err := canonical.CreateKeypair.Do(acme, b, canonical.KeypairCreate{Name: "key"}); err != nil {
		t.Fatal(err)
	}
	r := canonical.ServerCreate{Name: "web", Flavor: "tiny", Image: canonical.Ref(id), Keypair: "key"}
	made, err := canonical.CreateServer.Do(acme, b, r)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := made.Task.Await(acme, b, time.Millisecond, 10*time.Millisecond); err != nil || p.Verdict != canonical.TaskSucceeded {
		t.Fatalf("%+v, %v", p, err)
	}
	servers, err := canonical.ListServers.Do(acme, b, canonical.ServerList{})
	if err != nil || len(servers.Result.Items) != 1 {
		t.Fatalf("%+v, %v", servers.Result, err)
	}
	s := servers.Result.Items[0]
	if *s.Tenant != "acme" {
		t.Errorf("a member sees %+v", s)
	}
	for what, err := range map[string]error{
		"get":      second(canonical.GetServer.Do(evil, b, canonical.ServerGet{ID: s.ID})),
		"delete":   second(canonical.DeleteServer.Do(evil, b, canonical.ServerDelete{ID: s.ID})),
		"stop":     second(canonical.StopServer.Do(evil, b, canonical.ServerStop{ID: s.ID})),
		"console":  second(canonical.GetConsoleOutput.Do(evil, b, canonical.ConsoleOutputGet{ID: s.ID})),
		"image":    second(canonical.GetImage.Do(evil, b, canonical.ImageGet{ID: id})),
		"download": second(canonical.DownloadImage.Do(evil, b, canonical.ImageDownload{ID: id})),
		"key":      second(canonical.GetKeypair.Do(evil, b, canonical.KeypairGet{ID: "kvm1:key"})),
	} {
		code(t, "the other tenant's "+what, err, canonical.NotFound)
	}
	images, err := canonical.ListImages.Do(evil, b, canonical.ImageList{})
	if err != nil || len(images.Result.Items) != 0 {
		t.Errorf("the other tenant sees the images %+v, %v", images.Result.Items, err)
	}
	for what, change := range map[string]func(*canonical.ServerCreate){
		"image by id":   func(*canonical.ServerCreate) {},
		"image by name": func(r *canonical.ServerCreate) { r.Image = "private" },
		"native id": func(r *canonical.ServerCreate) {
			_, native := id.Split()
			r.Image = canonical.Ref(native)
		},
		"keypair": func(r *canonical.ServerCreate) { r.Image, r.Keypair = "image", "key" },
	} {
		r := canonical.ServerCreate{Name: "theft", Flavor: "tiny", Image: canonical.Ref(id)}
		change(&r)
		out, err := canonical.CreateServer.Do(evil, b, r)
		if err == nil && out.Task != nil {
			if p, _ := out.Task.Await(evil, b, time.Millisecond, 10*time.Millisecond); p.Verdict == canonical.TaskSucceeded {
				t.Errorf("the other tenant used the %s", what)
			}
		} else if err == nil {
			t.Errorf("the other tenant used the %s", what)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// nextEvent is the state of a server in the events that the broker keeps, once it is
// as wanted; after is the id of the last event that is not asked for.
func nextEvent(t testing.TB, b *broker.Broker, ctx context.Context, after int64, id canonical.ID, want canonical.ServerStatus, within time.Duration) {
	t.Helper()
	eventually(t, within, "an event that the server is "+string(want), func() bool {
		out, err := canonical.ListEvents.Do(ctx, b, canonical.EventList{After: after, Wait: 50})
		if err != nil {
			t.Fatal(err)
		}
		after = out.Result.Last
		for _, e := range out.Result.Items {
			var s canonical.Server
			if e.Type != canonical.ServerEvent {
				continue
			}
			if err := json.Unmarshal(e.Data, &s); err != nil {
				t.Fatal(err)
			}
			if s.ID == id && s.Status == want {
				return true
			}
		}
		return false
	})
}
