package image

// The header of VDI (VirtualBox's VDICore.h; also QEMU's block/vdi.c); little-endian.
const (
	vdiHeader  = 512
	vdiVersion = 1<<16 | 1
	vdiDynamic = 1
	vdiStatic  = 2
)

func parseVDI(c content) (int64, error) {
	h, err := c.bytes(0, vdiHeader)
	if err != nil {
		return 0, err
	}
	kind := le.Uint32(h[76:])
	switch {
	case le.Uint32(h[68:]) != vdiVersion:
		return 0, refuse("is a vdi of a version that is not supported")
	case kind != vdiDynamic && kind != vdiStatic, !zero(h[424:456]):
		return 0, refuse("has a backing file") // undo and differencing disks; ids of a parent
	}
	return int64(le.Uint64(h[368:])), nil
}

func zero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
