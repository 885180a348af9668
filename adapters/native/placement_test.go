package native

import (
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

func TestPlace(t *testing.T) {
	room := use{vcpus: 8, ramMiB: 8192, diskGiB: 80}
	up := func(name, zone string) candidate {
		return candidate{name: name, zone: zone, up: true, networks: []string{"default"}, room: room}
	}
	with := func(c candidate, f func(*candidate)) candidate {
		f(&c)
		return c
	}
	want := store.Claim{VCPUs: 2, RAMMiB: 2048, DiskGiB: 20}
	cases := map[string]struct {
		reason string
		hosts  []candidate
		taken  map[string]use
		demand demand
		n      int // 0: 1
		on     []string
		code   canonical.Code
		says   []string
	}{
		"MostMemory": {
			reason: "The host with most free memory is taken.",
			hosts:  []candidate{up("a", "z"), up("b", "z")}, taken: map[string]use{"a": {1, 1, 1024, 1}}, on: []string{"b"},
		},
		"FewestServers": {
			reason: "With as much memory the one with fewer servers.",
			hosts:  []candidate{up("a", "z"), up("b", "z")}, taken: map[string]use{"a": {2, 2, 1024, 2}, "b": {1, 2, 1024, 2}}, on: []string{"b"},
		},
		"ByName": {
			reason: "With all the same the first by name, so that it is always the same.",
			hosts:  []candidate{up("b", "z"), up("a", "z")}, on: []string{"a"},
		},
		"Spread": {
			reason: "Several go round.",
			hosts:  []candidate{up("a", "z"), up("b", "z")}, n: 4, on: []string{"a", "b", "a", "b"},
		},
		"AllOrNone": {
			reason: "One too many, and none is placed.",
			hosts:  []candidate{up("a", "z"), up("b", "z")}, n: 9, code: canonical.QuotaExceeded,
			says: []string{"8 of 9", "a is short of 2 vcpus", "b is short of 2 vcpus"},
		},
		"Zone": {
			reason: "Only hosts of the zone, whatever the others have.",
			hosts:  []candidate{up("a", "z1"), up("b", "z2")}, taken: map[string]use{"b": {3, 6, 6000, 60}}, demand: demand{zone: "z2"}, on: []string{"b"},
		},
		"Host": {
			reason: "A host that is asked for is taken or nothing.",
			hosts:  []candidate{up("a", "z"), up("b", "z")}, taken: map[string]use{"b": {1, 1, 7000, 1}}, demand: demand{host: "b"}, code: canonical.QuotaExceeded,
			says: []string{"a is not the host that is asked for", "b is short of 856 MiB of memory"},
		},
		"Network": {
			reason: "Only hosts that have the network.",
			hosts:  []candidate{up("a", "z"), with(up("b", "z"), func(c *candidate) { c.networks = []string{"x", "default"} })}, demand: demand{networks: []string{"x"}}, on: []string{"b"},
		},
		"Disk": {
			reason: "What is short is said in its unit.",
			hosts:  []candidate{up("a", "z")}, taken: map[string]use{"a": {1, 1, 1, 65}}, code: canonical.QuotaExceeded, says: []string{"a is short of 5 GiB of disk"},
		},
		"Down": {
			reason: "A host that is down is not taken, and that it is is not for ever.",
			hosts:  []candidate{with(up("a", "z"), func(c *candidate) { c.up = false })}, code: canonical.Unavailable, says: []string{"a is not connected"},
		},
		"OneDown": {
			reason: "With one that is full it is for whoever asks to change.",
			hosts:  []candidate{with(up("a", "z"), func(c *candidate) { c.up = false }), up("b", "z")}, taken: map[string]use{"b": {1, 8, 1, 1}}, code: canonical.QuotaExceeded,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := c.demand
			d.claim = want
			taken := c.taken
			if taken == nil {
				taken = map[string]use{}
			}
			ids := slices.Repeat([]string{"s"}, max(c.n, 1))
			claims, err := place(c.hosts, taken, d, ids)
			code(t, c.reason, err, c.code)
			var on []string
			for _, claim := range claims {
				on = append(on, claim.Host)
			}
			if !slices.Equal(on, c.on) {
				t.Errorf("%s It went to %v, want %v", c.reason, on, c.on)
			}
			for _, s := range c.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
}

func TestLastLines(t *testing.T) {
	for _, tt := range []struct {
		text string
		n    int
		want string
	}{
		{"a\nb\nc\n", 0, "a\nb\nc\n"}, {"a\nb\nc\n", 1, "c\n"}, {"a\nb\nc", 2, "b\nc"}, {"a\nb\n", 9, "a\nb\n"}, {"", 3, ""}, {"\n\n\n", 1, "\n\n\n"},
	} {
		if got := string(lastLines([]byte(tt.text), tt.n)); got != tt.want {
			t.Errorf("the last %d of %q are %q, want %q", tt.n, tt.text, got, tt.want)
		}
	}
}

// TestHypervisorAway: the listing tells why a host is away, also one that was never there.
func TestHypervisorAway(t *testing.T) {
	c, h, _ := fakeCloud(t)
	h.connect(false)
	ctx := canonical.WithOptions(admin(t.Context()), canonical.Options{Native: true})
	out, err := canonical.ListHypervisors.Do(ctx, c, canonical.HypervisorList{})
	if err != nil {
		t.Fatal(err)
	}
	v := out.Result.Items[0]
	if reason, _ := v.Native["reason"].(string); v.State != "down" || !strings.Contains(reason, "cannot be reached") {
		t.Errorf("%+v", v)
	}
}
