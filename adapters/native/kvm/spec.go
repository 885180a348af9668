package kvm

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// ServerSpec is a server to make. Names and texts may hold anything: they are kept in
// the Record, and never become a part of a command, a path or XML.
type ServerSpec struct {
	ID               string // UUID; the same ID always means the same server
	Tenant           string
	Name             string
	Description      string
	Flavor           canonical.ServerFlavor // VCPUs, RAMMiB and DiskGiB are required; see CheckExtraSpecs
	ImageName        string
	Base             *Base // from EnsureBase of this host
	Seed             Seed  // zero: none
	NICs             []NICSpec
	Keypair          string
	Metadata         map[string]string
	Tags             []string
	AvailabilityZone string
	CreatedAt        time.Time
}

// Seed is a disk that is read only, from which cloud-init learns what the server is
// to become.
type Seed struct {
	SizeBytes int64
	Open      func() (io.ReadCloser, error) // called again when the upload is
}

// NICSpec is an interface to make.
type NICSpec struct {
	Network string     // libvirt's name of the network
	IP      netip.Addr // to be reserved; zero: the next free one where the network has DHCP
}

// Limits of what one server may be: far above real hosts, below what overflows.
const (
	maxVCPUs   = 1024
	maxRAMMiB  = 64 << 20 // 64 TiB
	maxDiskGiB = 1 << 20  // 1 PiB
	maxNICs    = 16
)

func (s ServerSpec) validate() error {
	shape := func(field string, v *int, low, high int) error {
		if v == nil || *v < low || *v > high {
			return canonical.Invalid("flavor."+field, "must be %d to %d", low, high)
		}
		return nil
	}
	switch {
	case !validID(s.ID):
		return canonical.Invalid("id", "%q is not a UUID", s.ID)
	case s.Base == nil:
		return canonical.Invalid("image", "is required")
	case len(s.NICs) > maxNICs:
		return canonical.Invalid("networks", "are more than %d", maxNICs)
	case s.CreatedAt.IsZero():
		return canonical.Invalid("created_at", "is required")
	}
	for _, err := range []error{
		shape("vcpus", s.Flavor.VCPUs, 1, maxVCPUs), shape("ram_mib", s.Flavor.RAMMiB, 1, maxRAMMiB),
		shape("disk_gib", s.Flavor.DiskGiB, 0, maxDiskGiB), CheckExtraSpecs(s.Flavor.ExtraSpecs), s.checkDisk(),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s ServerSpec) checkDisk() error {
	if gib := *s.Flavor.DiskGiB; gib > 0 && uint64(gib)<<30 < s.Base.Bytes {
		return canonical.Invalid("flavor.disk_gib", "%d GiB are less than the image needs: %d bytes", gib, s.Base.Bytes)
	}
	return nil
}

// diskBytes is the size of the root disk: the flavor's, or with 0 the image's.
func (s ServerSpec) diskBytes() uint64 {
	if gib := *s.Flavor.DiskGiB; gib > 0 {
		return uint64(gib) << 30
	}
	return s.Base.Bytes
}

// record is what is kept of the spec.
func (s ServerSpec) record(nics []NIC) Record {
	return Record{
		ID: s.ID, Tenant: s.Tenant, Name: s.Name, Description: s.Description,
		Flavor: s.Flavor, Image: ImageRef{ID: s.Base.ImageID, Name: s.ImageName}, Keypair: s.Keypair,
		Metadata: s.Metadata, Tags: slices.Clone(s.Tags), AvailabilityZone: s.AvailabilityZone,
		Networks: nics, CreatedAt: s.CreatedAt.UTC().Round(0), Intent: IntendBuild,
	}
}

// MAC is the address of the n-th interface of a server. It follows from the server's
// id alone, so a create that is done again gives the same, and what is reserved for a
// server is found without its record. The prefix is QEMU's.
func MAC(id string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", id, n))
	return fmt.Sprintf("52:54:00:%02x:%02x:%02x", sum[0], sum[1], sum[2])
}
