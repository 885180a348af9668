package image

// The header of qcow2 (QEMU's docs/interop/qcow2.txt); all numbers are big-endian.
const (
	qcow2Header      = 104
	qcow2MaxCluster  = 21
	qcow2HeaderLimit = 64 << 10 // what we read of header extensions; qemu's own stay far below

	qcow2Corrupt      = 1 << 1
	qcow2ExternalData = 1 << 2
	qcow2Known        = 0b11111 // dirty, corrupt, external data, compression type, extended L2

	extEnd        = 0
	extDataFile   = 0x44415441
	extEncryption = 0x0537be77
)

// parseQCOW2 refuses files that need others: backing files and external data files;
// they name any file of the host.
func parseQCOW2(c content) (int64, error) {
	h, err := c.bytes(0, qcow2Header)
	if err != nil {
		return 0, err
	}
	version, clusterBits := be.Uint32(h[4:]), be.Uint32(h[20:])
	switch {
	case version != 2 && version != 3:
		return 0, refuse("is of version %d of qcow2, which is not supported", version)
	case be.Uint64(h[8:]) != 0 || be.Uint32(h[16:]) != 0:
		return 0, refuse("has a backing file")
	case clusterBits < 9 || clusterBits > qcow2MaxCluster:
		return 0, refuse("has a damaged header (clusters of 2^%d bytes)", clusterBits)
	case be.Uint32(h[32:]) != 0:
		return 0, refuse("is encrypted")
	}
	if err := qcow2Features(h, version); err != nil {
		return 0, err
	}
	return int64(be.Uint64(h[24:])), qcow2Extensions(c, h, version, clusterBits)
}

func qcow2Features(h []byte, version uint32) error {
	if version < 3 {
		return nil
	}
	incompatible := be.Uint64(h[72:])
	switch {
	case incompatible&qcow2ExternalData != 0:
		return refuse("has an external data file")
	case incompatible&qcow2Corrupt != 0:
		return refuse("is marked as corrupt")
	case incompatible&^uint64(qcow2Known) != 0:
		return refuse("needs features of qcow2 that are not supported (%#x)", incompatible)
	}
	return nil
}

// qcow2Extensions looks for extensions that say what the header does not.
func qcow2Extensions(c content, h []byte, version, clusterBits uint32) error {
	off := int64(72)
	if version == 3 {
		off = int64(be.Uint32(h[100:]))
	}
	limit := min(int64(1)<<clusterBits, qcow2HeaderLimit)
	if off < 72 || off > limit || off%8 != 0 {
		return refuse("has a damaged header (of %d bytes)", off)
	}
	for off+8 <= limit {
		ext, err := c.bytes(off, 8)
		if err != nil {
			return err
		}
		switch be.Uint32(ext) {
		case extEnd:
			return nil
		case extDataFile:
			return refuse("has an external data file")
		case extEncryption:
			return refuse("is encrypted")
		}
		off += 8 + (int64(be.Uint32(ext[4:]))+7)&^7
	}
	return nil
}
