package memory

import (
	"slices"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Names of what the cloud is made with.
const (
	defaultGroup = "default"
	zoneName     = "az1"
)

// stableID is the id of what has that name on this cloud, the same in every process.
func (c *Cloud) stableID(kind, name string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://dragoman.cloud/memory/"+c.opts.Name+"/"+kind+"/"+name)).String()
}

func (c *Cloud) seed() {
	c.flavors = []canonical.Flavor{
		c.flavor("small", 1, 512, 1), c.flavor("medium", 2, 2048, 10), c.flavor("large", 4, 8192, 40),
	}
	now, size, disk, container, sum := c.now(), int64(blankSize), "raw", "bare", blankChecksum()
	c.images = []canonical.Image{{
		ID: canonical.ID(c.stableID("image", "cirros")), Name: "cirros", Status: canonical.ImageActive, NativeStatus: "active",
		SizeBytes: &size, MinDiskGiB: 1, MinRAMMiB: 64, DiskFormat: &disk, ContainerFormat: &container,
		Checksum: &sum, Visibility: "public", Properties: map[string]string{}, Tags: []string{}, CreatedAt: &now, UpdatedAt: &now,
	}}
	c.volumeTypes = []canonical.VolumeType{
		c.volumeType(defaultType, true), c.volumeType("fast", false),
	}
	c.seedGroup()
	c.seedNetworks()
	c.zones = []canonical.AvailabilityZone{{ID: zoneName, Name: zoneName, Available: true, Hosts: slices.Clone(hosts)}}
}

func (c *Cloud) flavor(name string, vcpus, ramMiB, diskGiB int) canonical.Flavor {
	return canonical.Flavor{
		ID: canonical.ID(c.stableID("flavor", name)), Name: name, VCPUs: vcpus, RAMMiB: ramMiB, DiskGiB: diskGiB,
		Public: true, Available: true, ExtraSpecs: map[string]string{},
	}
}

// pick is the item of that id or, failing that, of that name.
func pick[T canonical.Listed](items []T, ref string) (T, bool) {
	i := slices.IndexFunc(items, func(t T) bool { id, _, _ := t.ListKeys(); return string(id) == ref })
	if i < 0 {
		i = slices.IndexFunc(items, func(t T) bool { _, name, _ := t.ListKeys(); return name == ref })
	}
	if i < 0 {
		var none T
		return none, false
	}
	return items[i], true
}

// byID answers a get.
func byID[T canonical.Listed](items []T, kind string, id canonical.ID, copied func(T) T) (canonical.TypedReply[T], error) {
	for _, item := range items {
		if got, _, _ := item.ListKeys(); got == id {
			return reply(copied(item), nil)
		}
	}
	return refuse[T](canonical.Errorf(canonical.NotFound, "there is no %s %s", kind, id))
}

// those are the items that pass the filter.
func those[T any](items []T, match func(*T) bool) []T {
	out := make([]T, 0, len(items))
	for i := range items {
		if match(&items[i]) {
			out = append(out, items[i])
		}
	}
	return out
}

func copyZone(z canonical.AvailabilityZone) canonical.AvailabilityZone {
	z.Hosts = slices.Clone(z.Hosts)
	return z
}

func (c *Cloud) listZones(r canonical.AvailabilityZoneList) (canonical.TypedReply[canonical.Page[canonical.AvailabilityZone]], error) {
	return arrange(those(c.zones, r.Match), r.ListOptions, copyZone)
}
