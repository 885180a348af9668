package nova

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/canonical/cloudtest"
	"github.com/dragoman-cloud/dragoman/test/openstack"
	"github.com/dragoman-cloud/dragoman/translate"
)

// whole is the adapter with its own dialect, for one user of the real OpenStack.
func whole(t *testing.T, peer openstack.Peer, who openstack.Credentials) *Cloud {
	t.Helper()
	c, err := New(realOptions(peer, who))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// settle waits for a task and fails the test where that fails.
func settle(t *testing.T, c canonical.Cloud, task *canonical.Task) {
	t.Helper()
	if task == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	p, err := task.Await(ctx, c, 100*time.Millisecond, time.Second)
	if err != nil || p.Verdict != canonical.TaskSucceeded {
		t.Fatalf("%+v, %v", p, err)
	}
}

// run makes servers and waits for them; they are deleted when the test ends.
func run(t *testing.T, c *Cloud, r canonical.ServerCreate) []canonical.ServerWithPassword {
	t.Helper()
	made, err := canonical.CreateServer.Do(t.Context(), c, r)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range made.Result.Servers {
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			gone, err := canonical.DeleteServer.Do(ctx, c, canonical.ServerDelete{ID: s.ID})
			switch {
			case canonical.CodeOf(err) == canonical.NotFound:
			case err != nil:
				t.Error(err)
			default:
				settle(t, c, gone.Task)
			}
		})
	}
	settle(t, c, made.Task)
	return made.Result.Servers
}

func uniqueName() string { return fmt.Sprintf("dragoman-nova-%d", time.Now().UnixNano()) }

func TestOpenStackServerLife(t *testing.T) {
	peer := openstack.Require(t)
	c := whole(t, peer, peer.Demo)
	name := uniqueName()
	made := run(t, c, canonical.ServerCreate{
		Name: name, Flavor: canonical.Ref(peer.Flavor), Image: canonical.Ref(peer.Image), Count: 2,
		Networks: canonical.Networks{Mode: canonical.NetworksList, List: []canonical.NetworkChoice{{Network: canonical.Ref(peer.Network)}}},
		Metadata: map[string]string{"keep": "1", "drop": "1"},
	})
	if len(made) != 2 {
		t.Fatalf("made %d servers", len(made))
	}
	id := made[0].ID
	got, err := canonical.GetServer.Do(t.Context(), c, canonical.ServerGet{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	s := got.Result
	if s.Name != name+"-1" || s.Status != canonical.ServerRunning || s.Flavor.ID == nil || *s.Flavor.ID != canonical.ID(peer.FlavorID) ||
		s.Image == nil || s.Image.ID != canonical.ID(peer.ImageID) || len(s.Addresses) == 0 {
		t.Errorf("%+v", s)
	}
	listed, err := canonical.ListServers.Do(t.Context(), c, canonical.ServerList{NamePrefix: name})
	if err != nil || len(listed.Result.Items) != 2 {
		t.Errorf("%d listed, %v", len(listed.Result.Items), err)
	}
	testUpdate(t, c, id)
	testPower(t, c, id)
}

func testUpdate(t *testing.T, c *Cloud, id canonical.ID) {
	t.Helper()
	got, err := canonical.UpdateServer.Do(t.Context(), c, canonical.ServerUpdate{
		ID: id, Description: canonical.Some("d"), Tags: canonical.Some([]string{"a"}),
		Metadata: canonical.Some(map[string]canonical.Opt[string]{
			"new": canonical.Some("2"), "drop": canonical.Null[string](), "never": canonical.Null[string](),
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := got.Result
	if len(s.Metadata) != 2 || s.Metadata["keep"] != "1" || s.Metadata["new"] != "2" ||
		len(s.Tags) != 1 || s.Tags[0] != "a" || s.Description == nil || *s.Description != "d" {
		t.Errorf("%v %v %v", s.Metadata, s.Tags, s.Description)
	}
	if s.Name == "" {
		t.Error("the name is lost")
	}
}

func testPower(t *testing.T, c *Cloud, id canonical.ID) {
	t.Helper()
	stopped, err := canonical.StopServer.Do(t.Context(), c, canonical.ServerStop{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	settle(t, c, stopped.Task)
	if s, err := canonical.GetServer.Do(t.Context(), c, canonical.ServerGet{ID: id}); err != nil || s.Result.Status != canonical.ServerStopped {
		t.Errorf("%s, %v", s.Result.Status, err)
	}
	started, err := canonical.StartServer.Do(t.Context(), c, canonical.ServerStart{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	settle(t, c, started.Task)
	rebooted, err := canonical.RebootServer.Do(t.Context(), c, canonical.ServerReboot{ID: id, Kind: canonical.RebootHard})
	if err != nil {
		t.Fatal(err)
	}
	settle(t, c, rebooted.Task)
}

func TestOpenStackErrors(t *testing.T) {
	peer := openstack.Require(t)
	c := whole(t, peer, peer.Demo)
	missing := canonical.ID("00000000-0000-0000-0000-000000000000")
	_, err := canonical.GetServer.Do(t.Context(), c, canonical.ServerGet{ID: missing})
	if got := canonical.CodeOf(err); got != canonical.NotFound {
		t.Errorf("get: %s (%v)", got, err)
	}
	_, err = canonical.UpdateServer.Do(t.Context(), c, canonical.ServerUpdate{ID: missing, Tags: canonical.Some([]string{"a"})})
	if got := canonical.CodeOf(err); got != canonical.NotFound {
		t.Errorf("update: %s (%v)", got, err)
	}
	_, err = canonical.UpdateServer.Do(t.Context(), c, canonical.ServerUpdate{
		ID: missing, Metadata: canonical.Some(map[string]canonical.Opt[string]{"k": canonical.Null[string]()}),
	})
	if got := canonical.CodeOf(err); got != canonical.NotFound {
		t.Errorf("update: %s (%v)", got, err)
	}
}

func TestOpenStackTenantsAreApart(t *testing.T) {
	peer := openstack.Require(t)
	demo, other := whole(t, peer, peer.Demo), whole(t, peer, peer.Other)
	made := run(t, demo, canonical.ServerCreate{
		Name: uniqueName(), Flavor: canonical.Ref(peer.Flavor), Image: canonical.Ref(peer.Image),
		Networks: canonical.Networks{Mode: canonical.NetworksNone},
	})
	_, err := canonical.GetServer.Do(t.Context(), other, canonical.ServerGet{ID: made[0].ID})
	if got := canonical.CodeOf(err); got != canonical.NotFound {
		t.Errorf("%s (%v)", got, err)
	}
}

func TestOpenStackKeypairs(t *testing.T) {
	peer := openstack.Require(t)
	c := whole(t, peer, peer.Demo)
	name := uniqueName()
	made, err := canonical.CreateKeypair.Do(t.Context(), c, canonical.KeypairCreate{
		Name:      name,
		PublicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHbBXTFcgAHQCRGVMrPtNcPLdIEFYvqgUMGQBvUOHZ5E test",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := canonical.DeleteKeypair.Do(context.Background(), c, canonical.KeypairDelete{ID: made.Result.ID}); err != nil {
			t.Error(err)
		}
	})
	got, err := canonical.GetKeypair.Do(t.Context(), c, canonical.KeypairGet{ID: canonical.ID(name)})
	if err != nil || got.Result.Name != name || got.Result.ID != canonical.ID(name) || got.Result.Fingerprint == "" {
		t.Errorf("%+v, %v", got.Result, err)
	}
}

func TestOpenStackCatalogues(t *testing.T) {
	peer := openstack.Require(t)
	c := whole(t, peer, peer.Demo)
	flavors, err := canonical.ListFlavors.Do(t.Context(), c, canonical.FlavorList{})
	if err != nil || len(flavors.Result.Items) < 2 {
		t.Errorf("flavors: %+v, %v", flavors.Result, err)
	}
	images, err := canonical.ListImages.Do(t.Context(), c, canonical.ImageList{})
	if err != nil || len(images.Result.Items) < 2 {
		t.Errorf("images: %+v, %v", images.Result, err)
	}
	networks, err := canonical.ListNetworks.Do(t.Context(), c, canonical.NetworkList{})
	if err != nil || len(networks.Result.Items) < 2 {
		t.Errorf("networks: %+v, %v", networks.Result, err)
	}
	zones, err := canonical.ListAvailabilityZones.Do(t.Context(), c, canonical.AvailabilityZoneList{})
	if err != nil || len(zones.Result.Items) < 1 {
		t.Errorf("zones: %+v, %v", zones.Result, err)
	}
}

func TestOpenStackConformance(t *testing.T) {
	peer := openstack.Require(t)
	c, admin := whole(t, peer, peer.Demo), whole(t, peer, peer.Admin)
	cloudtest.Run(t, cloudtest.Harness{
		Open:   func(*testing.T) canonical.Cloud { return c },
		Flavor: canonical.Ref(peer.Flavor), Image: canonical.Ref(peer.Image), Network: canonical.Ref(peer.Network),
		First: 100 * time.Millisecond, Timeout: 3 * time.Minute, Costly: true,
		Deviations: map[string]string{
			"server/emoji": "Nova takes the first 65,536 characters of Unicode in names (nova/api/validation/parameter_types.py), and refuses others",
		},
		Enter: map[string]cloudtest.Way{
			"error": entered(admin, `{"os-resetState":{"state":"error"}}`, canonical.ServerError),
		},
	})
}

// TestOpenStackOperatorConformance: what only operators may.
func TestOpenStackOperatorConformance(t *testing.T) {
	peer := openstack.Require(t)
	admin := whole(t, peer, peer.Admin)
	account, err := admin.conn.Session(t.Context(), "compute")
	if err != nil {
		t.Fatal(err)
	}
	cloudtest.Run(t, cloudtest.Harness{
		Open: func(*testing.T) canonical.Cloud { return admin }, Project: canonical.Project(account.Project),
		Only: []string{"flavor/", "catalogue/hypervisors", "host/"}, Timeout: 3 * time.Minute, Costly: true,
	})
}

// act is an action of Nova's that no operation says.
func act(ctx context.Context, c *Cloud, id canonical.ID, body string) error {
	resp, err := c.conn.Send(ctx, &translate.Request{
		Service: "compute", Method: http.MethodPost, Path: "/servers/" + string(id) + "/action", Header: http.Header{}, Body: []byte(body),
	})
	if err == nil && resp.Status != http.StatusAccepted {
		err = fmt.Errorf("%s: %d %s", body, resp.Status, resp.Body)
	}
	return err
}

// entered brings a server into a state by an action.
func entered(c *Cloud, body string, want canonical.ServerStatus) cloudtest.Way {
	return func(ctx context.Context, id canonical.ID) (func(context.Context) error, error) {
		if err := act(ctx, c, id, body); err != nil {
			return nil, err
		}
		p, err := canonical.WaitStatus(id, want).Await(ctx, c, 100*time.Millisecond, time.Second)
		if err == nil && p.Verdict == canonical.TaskFailed {
			err = p.Err
		}
		return nil, err
	}
}
