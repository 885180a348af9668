package native

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// candidate is a host that is asked whether it may run a server.
type candidate struct {
	name     string
	zone     string
	up       bool
	networks []string
	room     use // what may be given away of it
}

// demand is what a server wants of its host.
type demand struct {
	claim    store.Claim // without host and server
	zone     string      // "": any
	host     string      // "": any
	networks []string
}

// firstContact is how long a create waits for a first host, just after the start.
const firstContact = 5 * time.Second

// await waits until a host is connected, for a while; not where none has been for longer.
func (c *Cloud) await(ctx context.Context) {
	fresh := false
	for _, h := range c.hosts {
		is := h.Health()
		if is.Connected {
			return
		}
		fresh = fresh || time.Since(is.Since) < firstContact
	}
	if !fresh {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, firstContact)
	defer cancel()
	for _, h := range c.hosts {
		if h.Ready(ctx) == nil {
			return
		}
	}
}

// candidates are the hosts as they are.
func (c *Cloud) candidates(ctx context.Context) []candidate {
	var all []candidate
	for _, h := range c.hosts {
		x := candidate{name: h.Name(), zone: zoneOf(h), up: h.Health().Connected}
		if x.up {
			x.up = c.describe(ctx, h, &x) == nil
		}
		all = append(all, x)
	}
	return all
}

func (c *Cloud) describe(ctx context.Context, h host, x *candidate) error {
	f, err := h.Facts(ctx)
	if err != nil {
		return err
	}
	networks, err := h.Networks(ctx)
	x.room = c.capacity(f)
	for _, n := range networks {
		if n.Active {
			x.networks = append(x.networks, n.Name)
		}
	}
	return err
}

// place gives each server a host, all or none. Of the hosts that can, the one with
// most free memory is taken, then the one with fewest servers, then by name.
func place(hosts []candidate, taken map[string]use, d demand, servers []string) ([]store.Claim, error) {
	var claims []store.Claim
	for _, server := range servers {
		var fit []candidate
		var short []string
		for _, h := range hosts {
			if why := h.refuses(d, taken[h.name]); why != "" {
				short = append(short, h.name+" "+why)
			} else {
				fit = append(fit, h)
			}
		}
		if len(fit) == 0 {
			return nil, noRoom(hosts, len(claims), len(servers), short)
		}
		best := slices.MinFunc(fit, func(a, b candidate) int {
			return cmp.Or(
				-cmp.Compare(a.room.ramMiB-taken[a.name].ramMiB, b.room.ramMiB-taken[b.name].ramMiB),
				cmp.Compare(taken[a.name].servers, taken[b.name].servers), strings.Compare(a.name, b.name),
			)
		})
		claim := d.claim
		claim.Host, claim.Server = best.name, server
		claims = append(claims, claim)
		taken[best.name] = taken[best.name].with(claim)
	}
	return claims, nil
}

// noRoom says what is short on each host. That all hosts are down passes; that they
// are full is for whoever asks to change.
func noRoom(hosts []candidate, placed, wanted int, short []string) error {
	detail := fmt.Sprintf("no host can take it: %s", strings.Join(short, "; "))
	if wanted > 1 {
		detail = fmt.Sprintf("the hosts can take %d of %d: %s", placed, wanted, strings.Join(short, "; "))
	}
	if !slices.ContainsFunc(hosts, func(h candidate) bool { return h.up }) {
		return canonical.Errorf(canonical.Unavailable, "%s", detail)
	}
	return canonical.Errorf(canonical.QuotaExceeded, "%s", detail)
}

// refuses says why the host does not take the server; "": it does.
func (h candidate) refuses(d demand, taken use) string {
	switch {
	case !h.up:
		return "is not connected"
	case d.host != "" && d.host != h.name:
		return "is not the host that is asked for"
	case d.zone != "" && d.zone != h.zone:
		return "is in zone " + h.zone
	}
	for _, n := range d.networks {
		if !slices.Contains(h.networks, n) {
			return "has no active network " + n
		}
	}
	after := taken.with(d.claim)
	for _, r := range []struct {
		name       string
		have, want int
	}{
		{"vcpus", h.room.vcpus, after.vcpus}, {"MiB of memory", h.room.ramMiB, after.ramMiB}, {"GiB of disk", h.room.diskGiB, after.diskGiB},
	} {
		if r.want > r.have {
			return fmt.Sprintf("is short of %d %s", r.want-r.have, r.name)
		}
	}
	return ""
}
