package image

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// TestFormats sends real images of every format and reads back the disk they hold.
func TestFormats(t *testing.T) {
	data := disk(2 * mib)
	cases := map[string]struct {
		format  string
		options []string
		want    Format // found
		kept    bool
	}{
		"raw":            {format: "raw", want: Raw, kept: true},
		"qcow2":          {format: "qcow2", want: QCOW2, kept: true},
		"qcow2v2":        {format: "qcow2", options: []string{"-o", "compat=0.10"}, want: QCOW2, kept: true},
		"qcow2zlib":      {format: "qcow2", options: []string{"-c"}, want: QCOW2, kept: true},
		"qcow2zstd":      {format: "qcow2", options: []string{"-c", "-o", "compression_type=zstd"}, want: QCOW2, kept: true},
		"qcow2extended":  {format: "qcow2", options: []string{"-o", "extended_l2=on"}, want: QCOW2, kept: true},
		"vmdk":           {format: "vmdk", want: VMDK},
		"vmdkStream":     {format: "vmdk", options: []string{"-o", "subformat=streamOptimized"}, want: VMDK},
		"vhd":            {format: "vpc", options: []string{"-o", "force_size=on"}, want: VHD},
		"vhdFixed":       {format: "vpc", options: []string{"-o", "subformat=fixed,force_size=on"}, want: VHD},
		"vhdx":           {format: "vhdx", want: VHDX},
		"vdi":            {format: "vdi", want: VDI},
		"vdiStatic":      {format: "vdi", options: []string{"-o", "static=on"}, want: VDI},
		"rawOfOddLength": {format: "raw", want: Raw, kept: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			sent := made(t, tc.format, data, tc.options...)
			s := open(t, Config{})
			i, err := upload(t, s, "", sent)
			if err != nil {
				t.Fatal(err)
			}
			if i.Status != canonical.ImageActive || i.SourceFormat != tc.want || i.VirtualBytes != int64(len(data)) || i.MinDiskGiB != 1 {
				t.Errorf("got %+v", i)
			}
			kept := read(t, s.disk(i.ID))
			if tc.kept && (!bytes.Equal(kept, sent) || *i.DiskFormat != string(tc.want)) {
				t.Error("the file was changed")
			}
			if !tc.kept && *i.DiskFormat != string(QCOW2) {
				t.Errorf("kept as %s", *i.DiskFormat)
			}
			back := filepath.Join(t.TempDir(), "back")
			qemuImg(t, "convert", "-f", *i.DiskFormat, "-O", "raw", s.disk(i.ID), back)
			if !bytes.Equal(read(t, back), data) {
				t.Error("the disk has other bytes")
			}
			wantSums(t, i, kept)
		})
	}
}

// TestHostFormatRaw converts all but raw when the hosts take raw.
func TestHostFormatRaw(t *testing.T) {
	data := disk(2 * mib)
	s := open(t, Config{HostFormat: Raw})
	i, err := upload(t, s, QCOW2, made(t, "qcow2", data, "-c"))
	if err != nil {
		t.Fatal(err)
	}
	if *i.DiskFormat != "raw" || i.SourceFormat != QCOW2 || !bytes.Equal(read(t, s.disk(i.ID)), data) {
		t.Errorf("got %+v", i)
	}
}

// put writes big-endian numbers at offsets of a copy.
func put(data []byte, at int, value any) []byte {
	out := bytes.Clone(data)
	if _, err := binary.Encode(out[at:], binary.BigEndian, value); err != nil {
		panic(err)
	}
	return out
}

func over(data []byte, at int, text string) []byte {
	out := bytes.Clone(data)
	copy(out[at:], text)
	return out
}

// TestHostile is the list of what must be refused, and that nothing of it is left.
func TestHostile(t *testing.T) {
	data := disk(mib)
	qcow2 := made(t, "qcow2", data)
	vmdk := made(t, "vmdk", data)
	vhd := made(t, "vpc", data)
	vhdx := made(t, "vhdx", data)
	vdi := made(t, "vdi", data)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		declared Format
		data     []byte
		limits   Config
	}{
		"Empty":                {data: nil},
		"QCOW2SaidRaw":         {declared: Raw, data: qcow2},
		"RawSaidQCOW2":         {declared: QCOW2, data: data},
		"RawSaidISO":           {declared: ISO, data: data},
		"VMDKSaidQCOW2":        {declared: QCOW2, data: vmdk},
		"FixedVHDSaidRaw":      {declared: Raw, data: made(t, "vpc", data, "-o", "subformat=fixed,force_size=on")},
		"Backing":              {data: createdWith(t, "qcow2", "-b", file, "-F", "raw")},
		"BackingOffsetAlone":   {data: put(qcow2, 8, uint64(512))},
		"DataFile":             {data: createdWith(t, "qcow2", "-o", "data_file="+file, "1M")},
		"DataFileBitAlone":     {data: put(qcow2, 72, uint64(4))},
		"DataFileExtension":    {data: put(qcow2, 112, []uint32{0x44415441, 8, 0x2f657463, 0})},
		"UnknownFeature":       {data: put(qcow2, 72, uint64(1<<20))},
		"MarkedCorrupt":        {data: put(qcow2, 72, uint64(2))},
		"HeaderTooLong":        {data: put(qcow2, 100, uint32(1<<31))},
		"HugeClusters":         {data: put(qcow2, 20, uint32(63))},
		"EncryptedQCOW2":       {data: put(qcow2, 32, uint32(2))},
		"QCOW1":                {data: put(qcow2, 4, uint32(1))},
		"QCOW2Truncated":       {data: qcow2[:80]},
		"10TB":                 {data: createdWith(t, "qcow2", "10T")},
		"NegativeSize":         {data: put(qcow2, 24, uint64(1<<63))},
		"10TBVMDK":             {data: over(vmdk, 12, "\x00\x00\x00\x00\x05\x00\x00\x00")},
		"10TBVHDX":             {data: createdWith(t, "vhdx", "10T")},
		"10TBVDI":              {data: createdWith(t, "vdi", "10T")},
		"VMDKDescriptor":       {data: []byte("# Disk DescriptorFile\nversion=1\ncreateType=\"monolithicFlat\"\nRW 1 FLAT \"/etc/passwd\" 0\n")},
		"VMDKNoCapacity":       {data: over(vmdk, 12, strings.Repeat("\x00", 8))},
		"VMDKOtherFile":        {data: bytes.Replace(vmdk, []byte(" SPARSE "), []byte(" FLAT   "), 1)},
		"VMDKFlatKind":         {data: bytes.Replace(vmdk, []byte("monolithicSparse"), []byte("monolithicFlat\"\n"), 1)},
		"VMDKParent":           {data: bytes.Replace(vmdk, []byte("parentCID=ffffffff"), []byte("parentCID=12345678"), 1)},
		"VMDKNoDescriptor":     {data: over(vmdk, 28, strings.Repeat("\x00", 8))},
		"VMDKDescriptorBeyond": {data: over(vmdk, 28, "\xff\xff\xff\xff\xff\xff\xff\x7f")},
		"VMDKTwoDescriptors":   {data: vmdkMoved(vmdk)},
		"VMDKHugeDescriptor":   {data: over(vmdk, 36, "\x00\x00\x00\x00\x00\x00\x80\x00")},
		"VMDKTwoExtents":       {data: bytes.Replace(vmdk, []byte("# The Disk Data Base"), []byte("RW 1 SPARSE \"b\"\n# "), 1)},
		"VMDKExtentOfPath":     {data: bytes.Replace(vmdk, []byte("SPARSE \"out\""), []byte("SPARSE \"/x\"\n"), 1)},
		"VMDKTwoHeaders":       {data: over(vmdkAtEnd(vmdk), len(vmdk)+512+12, "\xff")},
		"VMDKNoFooter":         {data: over(vmdk, 56, strings.Repeat("\xff", 8))},
		"VDIVersion":           {data: over(vdi, 68, "\x09")},
		"VHDKind":              {data: put(vhd, 60, uint32(9))},
		"VHDDifferencing":      {data: put(vhd, 60, uint32(4))},
		"VHDXParent":           {data: bytes.Replace(vhdx, []byte(vhdxVirtualSize), []byte(vhdxParentLocator), 1)},
		"VHDXNoRegions":        {data: over(vhdx, vhdxRegions, "nope")},
		"VDIDifferencing":      {data: over(vdi, 76, "\x04")},
		"VDIParent":            {data: over(vdi, 440, "parent")},
		"LUKS":                 {data: over(data, 0, "LUKS\xba\xbe\x00\x01")},
		"Gzip":                 {declared: Raw, data: over(data, 0, "\x1f\x8b\x08\x00")},
		"Polyglot":             {declared: ISO, data: over(qcow2, 16*2048+1, "CD001")},
		"PolyglotVHD":          {declared: QCOW2, data: append(bytes.Clone(qcow2), over(make([]byte, 512), 0, "conectix")...)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := open(t, tc.limits)
			i, err := upload(t, s, tc.declared, tc.data)
			wantError(t, err, canonical.InvalidRequest, "disk_format")
			if i.Status != canonical.ImageQueued {
				t.Errorf("the image is %s", i.Status)
			}
			wantNothingLeft(t, s, i.ID)
		})
	}
}

// vmdkMoved has a good descriptor where the header says, and a bad one where qemu looks.
func vmdkMoved(vmdk []byte) []byte {
	descriptor := bytes.Clone(vmdk[512:][:20*512])
	moved := append(over(vmdk, 28, "\x00\x00\x00\x00\x00\x00\x00\x00"), descriptor...)
	binary.LittleEndian.PutUint64(moved[28:], uint64(len(vmdk)/512))
	return bytes.Replace(moved, []byte("parentCID=ffffffff"), []byte("parentCID=12345678"), 1)
}

// vmdkAtEnd is vmdk as VMware streams it: what the header should say comes at the end,
// between a marker and another.
func vmdkAtEnd(vmdk []byte) []byte {
	marker := make([]byte, 512)
	marker[0], marker[12] = 1, 3 // a footer of one sector
	out := append(bytes.Clone(vmdk), marker...)
	out = append(out, vmdk[:512]...)
	out = append(out, make([]byte, 512)...)
	return over(out, 56, strings.Repeat("\xff", 8))
}

func TestVMDKAtEnd(t *testing.T) {
	s := open(t, Config{})
	i, err := upload(t, s, VMDK, vmdkAtEnd(made(t, "vmdk", disk(mib), "-o", "subformat=streamOptimized")))
	if err != nil || i.VirtualBytes != mib {
		t.Errorf("got %+v, %v", i, err)
	}
}

// createdWith runs qemu-img create and reads what it made.
func createdWith(t testing.TB, format string, args ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	// Options before the file name, a size after it.
	if size := args[len(args)-1]; !strings.Contains(size, "/") && len(size) < 5 && size != "raw" {
		qemuImg(t, append(append([]string{"create", "-q", "-f", format}, args[:len(args)-1]...), out, size)...)
	} else {
		qemuImg(t, append(append([]string{"create", "-q", "-f", format}, args...), out)...)
	}
	return read(t, out)
}

// TestISO is kept as what it was declared: installation media are also raw disks.
func TestISO(t *testing.T) {
	for _, declared := range []Format{ISO, Raw} {
		s := open(t, Config{})
		i, err := upload(t, s, declared, iso(mib))
		if err != nil {
			t.Fatal(err)
		}
		if *i.DiskFormat != string(declared) || i.VirtualBytes != mib {
			t.Errorf("declared %s: got %+v", declared, i)
		}
	}
}

// TestBomb: a small file whose every cluster is the same compressed one expands to its
// whole virtual size when it is converted, and must hit the limit on files.
func TestBomb(t *testing.T) {
	bomb := bombQCOW2(t, 64*mib)
	if len(bomb) > 2*mib {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	t.Run("KeptAsItIs", func(t *testing.T) {
		s := open(t, Config{MaxBytes: 16 * mib})
		i, err := upload(t, s, QCOW2, bomb)
		if err != nil || *i.SizeBytes != int64(len(bomb)) {
			t.Fatalf("got %+v, %v", i, err)
		}
	})
	t.Run("ConvertedToRaw", func(t *testing.T) {
		s := open(t, Config{MaxBytes: 16 * mib, HostFormat: Raw})
		i, err := upload(t, s, QCOW2, bomb)
		wantError(t, err, canonical.InvalidRequest, "disk_format")
		wantNothingLeft(t, s, i.ID)
	})
	t.Run("ConvertedToQCOW2", func(t *testing.T) {
		stream := made(t, "vmdk", bytes.Repeat([]byte{7}, 64*mib), "-o", "subformat=streamOptimized")
		if len(stream) > 2*mib {
			t.Fatalf("the bomb has %d bytes", len(stream))
		}
		s := open(t, Config{MaxBytes: 16 * mib})
		i, err := upload(t, s, VMDK, stream)
		wantError(t, err, canonical.TooLarge, "disk_format")
		wantNothingLeft(t, s, i.ID)
	})
}

func bombQCOW2(t testing.TB, size int) []byte {
	t.Helper()
	return made(t, "qcow2", bytes.Repeat([]byte{7}, size), "-c")
}

func FuzzInspect(f *testing.F) {
	small := disk(64 << 10)
	for _, format := range []string{"qcow2", "vmdk", "vpc", "vhdx", "vdi"} {
		f.Add(made(f, format, small))
	}
	f.Add(iso(40 << 10))
	f.Add(small[:600])
	f.Add([]byte("# Disk DescriptorFile"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &counting{r: bytes.NewReader(data)}
		info, err := Inspect(r, int64(len(data)))
		if r.bytes > mib {
			t.Errorf("read %d bytes", r.bytes)
		}
		if err != nil {
			wantError(t, err, canonical.InvalidRequest, "disk_format")
			return
		}
		if info.VirtualBytes < 0 || checkDeclared(info.Format) != nil || info.Format == "" {
			t.Errorf("got %+v", info)
		}
		if err := glance(data[:min(len(data), chunk)], info.Format); err != nil {
			t.Errorf("Inspect takes %+v, and glance says %v", info, err)
		}
	})
}

// counting counts what is read.
type counting struct {
	r     *bytes.Reader
	bytes int
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	c.bytes += n
	return n, err
}
