package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Format is how a file holds a disk.
type Format string

// The formats that images may have.
const (
	Raw   Format = "raw"
	ISO   Format = "iso"
	QCOW2 Format = "qcow2"
	VMDK  Format = "vmdk"
	VHD   Format = "vhd"
	VHDX  Format = "vhdx"
	VDI   Format = "vdi"
)

// Formats are all formats that images may have.
var Formats = []Format{Raw, ISO, QCOW2, VMDK, VHD, VHDX, VDI}

// driver is qemu's name of the format.
func (f Format) driver() string {
	switch f {
	case ISO:
		return "raw"
	case VHD:
		return "vpc"
	case Raw, QCOW2, VMDK, VHDX, VDI:
	}
	return string(f)
}

// Info is what the content says of itself.
type Info struct {
	Format       Format
	VirtualBytes int64 // of the disk that it holds
}

// field is where errors about the content point to.
const field = "disk_format"

func refuse(format string, args ...any) *canonical.Error {
	return canonical.Invalid(field, format, args...)
}

// content is a file to be looked at. Its reads are short and bounded whatever the
// file says.
type content struct {
	io.ReaderAt
	size int64
}

// bytes reads n bytes at off; what lies beyond the end reads as zeros.
func (c content) bytes(off int64, n int) ([]byte, error) {
	buf := make([]byte, n)
	if off < 0 || off >= c.size {
		return buf, nil
	}
	if _, err := c.ReadAt(buf, off); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the image: %w", err)
	}
	return buf, nil
}

// is says whether magic stands at off.
func (c content) is(off int64, magic string) (bool, error) {
	got, err := c.bytes(off, len(magic))
	return err == nil && string(got) == magic, err
}

// probe knows one format: where its magic may stand, and what its headers say.
type probe struct {
	format Format
	magic  string
	at     func(size int64) []int64 // places, any of which will do
	parse  func(content) (int64, error)
}

func at(off ...int64) func(int64) []int64 { return func(int64) []int64 { return off } }

// probes are the formats that have a magic.
var probes = []probe{
	{QCOW2, "QFI\xfb", at(0), parseQCOW2},
	{VMDK, "KDMV", at(0), parseVMDK},
	{VHD, "conectix", vhdPlaces, parseVHD},
	{VHDX, "vhdxfile", at(0), parseVHDX},
	{VDI, "\x7f\x10\xda\xbe", at(64), parseVDI},
	{ISO, "CD001", at(16*2048 + 1), parseISO},
}

// foreign are contents that no image may have, by their magic and what to say.
var foreign = []struct {
	off   int64
	magic string
	what  string
}{
	{0, "LUKS\xba\xbe", "is encrypted (luks)"},
	{0, "QED\x00", "is of the format qed, which is not supported"},
	{0, "WithoutFreeSpace", "is of the format parallels, which is not supported"},
	{0, "WithouFreSpacExt", "is of the format parallels, which is not supported"},
	{0, "COWD", "is a vmdk of a kind that is not supported"},
	{0, "# Disk DescriptorFile", "is a vmdk that points to other files"},
	{0, "\x1f\x8b\x08", "is compressed (gzip): decompress it first"},
	{0, "BZh", "is compressed (bzip2): decompress it first"},
	{0, "\xfd7zXZ\x00", "is compressed (xz): decompress it first"},
	{0, "\x28\xb5\x2f\xfd", "is compressed (zstd): decompress it first"},
}

// Inspect tells the format of a file of that size from its content, and refuses what
// no image may be: with InvalidRequest on disk_format. What has no known magic is raw.
// Limits on the size are the caller's.
func Inspect(r io.ReaderAt, size int64) (Info, error) {
	c := content{r, size}
	if size <= 0 {
		return Info{}, refuse("the image is empty")
	}
	if err := refuseForeign(c); err != nil {
		return Info{}, err
	}
	found, err := matching(c)
	if err != nil {
		return Info{}, err
	}
	switch len(found) {
	case 0:
		return Info{Raw, size}, nil
	case 1:
		virtual, err := found[0].parse(c)
		if err == nil && virtual < 0 {
			err = refuse("claims a size that no disk has")
		}
		return Info{found[0].format, virtual}, err
	default:
		return Info{}, refuse("can be read as several formats: %s", names(found))
	}
}

// glance refuses, by the first bytes of a file alone, what Inspect would refuse in the
// end for sure: so that nobody sends 100 GiB in vain.
func glance(first []byte, declared Format) error {
	c := content{bytes.NewReader(first), math.MaxInt64} // the end is not known
	if err := refuseForeign(c); err != nil {
		return err
	}
	found, err := matching(c)
	switch {
	case err != nil:
		return err
	case len(found) > 1:
		return refuse("can be read as several formats: %s", names(found))
	case len(found) == 1 && !agrees(declared, found[0].format):
		return refuse("the data are %s, and not %s", found[0].format, declared)
	}
	return nil
}

func refuseForeign(c content) error {
	for _, f := range foreign {
		found, err := c.is(f.off, f.magic)
		if err != nil {
			return err
		}
		if found {
			return refuse("%s", f.what)
		}
	}
	return nil
}

func matching(c content) ([]probe, error) {
	var found []probe
	for _, p := range probes {
		here, err := anywhere(c, p)
		if err != nil {
			return nil, err
		}
		if here {
			found = append(found, p)
		}
	}
	return found, nil
}

func anywhere(c content, p probe) (bool, error) {
	for _, off := range p.at(c.size) {
		if here, err := c.is(off, p.magic); here || err != nil {
			return here, err
		}
	}
	return false, nil
}

func names(ps []probe) string {
	all := make([]string, len(ps))
	for i, p := range ps {
		all[i] = string(p.format)
	}
	return strings.Join(all, ", ")
}

// agrees says whether content of a format may go under the declared one.
func agrees(declared, found Format) bool {
	return declared == "" || declared == found || declared == Raw && found == ISO
}

// checkDeclared refuses a format that is none.
func checkDeclared(f Format) error {
	if f != "" && !slices.Contains(Formats, f) {
		return refuse("is none of %v", Formats)
	}
	return nil
}

var (
	be = binary.BigEndian
	le = binary.LittleEndian
)

// parseISO finds nothing to say: the disk is the file.
func parseISO(c content) (int64, error) { return c.size, nil }
