package image

import (
	"bytes"
	"strings"
)

// The header of a sparse vmdk (VMware's "Virtual Disk Format 5.0"); little-endian.
const (
	vmdkHeader     = 512
	vmdkGDAtEnd    = ^uint64(0) // the true header is a copy near the end
	vmdkFooterBack = 1024       // the footer's distance from the end
	vmdkDescriptor = 64 << 10   // the longest descriptor that we read
	vmdkNoParent   = "ffffffff"
)

// parseVMDK takes the two kinds that are one file and need no other. The descriptor
// inside names its extents; qemu opens what it names, so each must be the file itself.
func parseVMDK(c content) (int64, error) {
	h, err := c.bytes(0, vmdkHeader)
	if err != nil {
		return 0, err
	}
	sectors := le.Uint64(h[12:])
	if sectors == 0 || sectors > 1<<53 {
		// Without a capacity qemu takes the descriptor for one of other files.
		return 0, refuse("is a vmdk without a capacity")
	}
	if le.Uint64(h[56:]) == vmdkGDAtEnd {
		if err := vmdkFooter(c, sectors); err != nil {
			return 0, err
		}
	}
	return int64(sectors) * 512, vmdkDescribed(c, le.Uint64(h[28:]), le.Uint64(h[36:]))
}

func vmdkFooter(c content, sectors uint64) error {
	f, err := c.bytes(c.size-vmdkFooterBack, vmdkHeader)
	if err != nil {
		return err
	}
	if string(f[:4]) != "KDMV" || le.Uint64(f[12:]) != sectors {
		return refuse("is a vmdk whose two headers differ")
	}
	return nil
}

// vmdkDescribed reads the descriptor. It must stand where qemu looks for it whatever the
// header says (block/vmdk.c), or there could be two.
func vmdkDescribed(c content, sector, length uint64) error {
	if sector != 1 || length == 0 || length > vmdkDescriptor/512 {
		return refuse("is a vmdk without a descriptor at its beginning")
	}
	raw, err := c.bytes(int64(sector)*512, int(length)*512)
	if err != nil {
		return err
	}
	text, _, _ := bytes.Cut(raw, []byte{0})
	return vmdkLines(strings.Split(string(text), "\n"))
}

func vmdkLines(lines []string) error {
	var kind, parent string
	extents := 0
	for _, line := range lines {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(line, "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch key = strings.TrimSpace(key); {
		case strings.EqualFold(key, "createType"):
			kind = value
		case strings.EqualFold(key, "parentCID"):
			parent = value
		case strings.EqualFold(key, "parentFileNameHint"):
			return refuse("has a backing file")
		case isExtent(line):
			extents++
			if !ownExtent(line) {
				return refuse("is a vmdk that points to other files")
			}
		}
	}
	switch {
	case kind != "monolithicSparse" && kind != "streamOptimized":
		return refuse("is a vmdk of a kind that is not supported")
	case parent != "" && !strings.EqualFold(parent, vmdkNoParent):
		return refuse("has a backing file")
	case extents != 1:
		return refuse("is a vmdk of %d extents; one is supported", extents)
	}
	return nil
}

// isExtent knows the lines `RW 8192 SPARSE "disk.vmdk"` by their access word.
func isExtent(line string) bool {
	word, _, _ := strings.Cut(line, " ")
	return word == "RW" || word == "RDONLY" || word == "NOACCESS"
}

func ownExtent(line string) bool {
	words := strings.Fields(line)
	if len(words) < 4 || words[2] != "SPARSE" {
		return false
	}
	return !strings.ContainsAny(strings.Join(words[3:], " "), `/\:`)
}
