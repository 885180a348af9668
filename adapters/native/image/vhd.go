package image

// VHD (Microsoft's "Virtual Hard Disk Image Format Specification"); big-endian.
const (
	vhdFooter  = 512
	vhdFixed   = 2
	vhdDynamic = 3
	vhdDiffers = 4
)

// vhdPlaces: a dynamic disk begins with a copy of its footer, a fixed one has it at
// the end alone.
func vhdPlaces(size int64) []int64 { return []int64{0, size - vhdFooter} }

func parseVHD(c content) (int64, error) {
	off := int64(0)
	atStart, err := c.is(0, "conectix")
	if err != nil {
		return 0, err
	}
	if !atStart {
		off = c.size - vhdFooter
	}
	f, err := c.bytes(off, vhdFooter)
	if err != nil {
		return 0, err
	}
	switch kind := be.Uint32(f[60:]); kind {
	case vhdFixed, vhdDynamic:
		return int64(be.Uint64(f[48:])), nil
	case vhdDiffers:
		return 0, refuse("has a backing file")
	default:
		return 0, refuse("is a vhd of kind %d, which is not supported", kind)
	}
}

// VHDX (Microsoft's MS-VHDX, 2.2.3 and 2.6); little-endian, and ids as stored.
const (
	vhdxRegions     = 192 << 10
	vhdxRegionLimit = 64 // we read no more entries; two are in use
	vhdxHasParent   = 2

	vhdxMetadataRegion = "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e"
	vhdxFileParameters = "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b"
	vhdxVirtualSize    = "\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8"
	vhdxParentLocator  = "\x2d\x5f\xd3\xa8\x0b\xb3\x4d\x45\xab\xf7\xd3\xd8\x48\x34\xab\x0c"
)

func parseVHDX(c content) (int64, error) {
	meta, err := vhdxMetadata(c)
	if err != nil {
		return 0, err
	}
	head, err := c.bytes(meta, 32+32*vhdxRegionLimit)
	if err != nil {
		return 0, err
	}
	count := int(le.Uint16(head[10:]))
	if string(head[:8]) != "metadata" || count > vhdxRegionLimit {
		return 0, refuse("is a vhdx with a damaged header")
	}
	size := int64(-1)
	for e := head[32:]; count > 0; e, count = e[32:], count-1 {
		value, err := c.bytes(meta+int64(le.Uint32(e[16:])), 8)
		if err != nil {
			return 0, err
		}
		switch string(e[:16]) {
		case vhdxParentLocator:
			return 0, refuse("has a backing file")
		case vhdxFileParameters:
			if le.Uint32(value[4:])&vhdxHasParent != 0 {
				return 0, refuse("has a backing file")
			}
		case vhdxVirtualSize:
			size = int64(le.Uint64(value))
		}
	}
	return size, nil
}

// vhdxMetadata is the offset of the metadata region.
func vhdxMetadata(c content) (int64, error) {
	table, err := c.bytes(vhdxRegions, 16+32*vhdxRegionLimit)
	if err != nil {
		return 0, err
	}
	count := int(le.Uint32(table[8:]))
	if string(table[:4]) != "regi" || count > vhdxRegionLimit {
		return 0, refuse("is a vhdx with a damaged header")
	}
	for e := table[16:]; count > 0; e, count = e[32:], count-1 {
		if off := int64(le.Uint64(e[16:])); string(e[:16]) == vhdxMetadataRegion && off > 0 && off < c.size {
			return off, nil
		}
	}
	return 0, refuse("is a vhdx with a damaged header")
}
