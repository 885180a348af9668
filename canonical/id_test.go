package canonical

import (
	"context"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIDSplit(t *testing.T) {
	for id, want := range map[ID][2]string{
		"os1:a":     {"os1", "a"},
		"os1:a:b:c": {"os1", "a:b:c"},
		"bare":      {"", "bare"},
		"os1:":      {"os1", ""},
		"":          {"", ""},
	} {
		if cloud, native := id.Split(); cloud != want[0] || native != want[1] {
			t.Errorf("%q splits into %q and %q", id, cloud, native)
		}
	}
	if got := MakeID("h3c1", "key:with:colons"); got != "h3c1:key:with:colons" {
		t.Errorf("MakeID gave %q", got)
	}
}

func sample() Page[Server] {
	flavor, network := ID("f"), ID("n")
	return Page[Server]{Items: []Server{{
		ID: "s", Flavor: ServerFlavor{ID: &flavor}, Image: &Link{ID: "i"},
		Addresses: []Address{{NetworkID: &network}}, Volumes: []ServerVolume{{ID: "v"}},
	}}}
}

func TestMapIDs(t *testing.T) {
	in := sample()
	out := MapIDs(in, "server", func(kind string, id ID) ID { return ID(kind + "/" + string(id)) })
	if diff := cmp.Diff(sample(), in); diff != "" {
		t.Errorf("the input changed (-want +got):\n%s", diff)
	}
	s := out.Items[0]
	got := []ID{s.ID, *s.Flavor.ID, s.Image.ID, *s.Addresses[0].NetworkID, s.Volumes[0].ID}
	want := []ID{"server/s", "flavor/f", "image/i", "network/n", "volume/v"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEachRefLeavesTheInputAlone(t *testing.T) {
	in := ServerCreate{
		Flavor: "m:f", Image: "m:i", SecurityGroups: []Ref{"m:g"},
		Networks: Networks{Mode: NetworksList, List: []NetworkChoice{{Network: "m:n"}}},
	}
	out, paths := in, map[string]string{}
	EachRef(reflect.ValueOf(&out).Elem(), func(path, kind string, r Ref) Ref {
		paths[path] = kind
		return r[2:]
	})
	if in.Networks.List[0].Network != "m:n" || in.SecurityGroups[0] != "m:g" {
		t.Errorf("the input changed: %+v", in)
	}
	if out.Flavor != "f" || out.Networks.List[0].Network != "n" || out.SecurityGroups[0] != "g" {
		t.Errorf("got %+v", out)
	}
	for _, path := range []string{"flavor", "image", "networks.0.network", "security_groups.0"} {
		if _, ok := paths[path]; !ok {
			t.Errorf("%s was not visited: %v", path, paths)
		}
	}
}

func TestQualify(t *testing.T) {
	var m Mux
	Handle(&m, GetServer, func(_ context.Context, r ServerGet) (TypedReply[Server], error) {
		if r.ID != "a:b" {
			return TypedReply[Server]{}, Errorf(NotFound, "there is no %s", r.ID)
		}
		return TypedReply[Server]{Result: Server{ID: r.ID}, Task: WaitGone(r.ID)}, nil
	})
	q := Qualify("os1", &m)
	r, err := GetServer.Do(t.Context(), q, ServerGet{ID: "os1:a:b"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Result.ID != "os1:a:b" || r.Result.Cloud != "os1" || r.Task.Cloud != "os1" || r.Task.Resources[0].ID != "os1:a:b" {
		t.Errorf("got %+v, task %+v", r.Result, r.Task)
	}
	if _, err := GetServer.Do(t.Context(), q, ServerGet{ID: "os1:x"}); AsError(err).Cloud != "os1" {
		t.Errorf("got %v", err)
	}
}
