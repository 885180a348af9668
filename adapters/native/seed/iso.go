package seed

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf16"
)

// A small ISO 9660 image with Joliet (ECMA-119, and Microsoft's Joliet specification):
// one directory of a few files. We write it ourselves: libraries at hand work in a
// directory on the disk, where passwords would stay after a crash, put the time and the
// user into the image, and know no Joliet.

const sector = 2048

// The sectors of the image.
const (
	primarySector = 16 + iota
	jolietSector
	endSector
	pathLSector // path tables, the least byte first, then the most
	pathMSector
	jolietPathLSector
	jolietPathMSector
	rootSector
	jolietRootSector
	dataSector
)

type isoFile struct {
	name string // as Joliet has it; in ISO 9660 in capitals
	data []byte
}

// names is one of the two ways to write names.
type names struct {
	root, pathL, pathM uint32
	joliet             bool
}

// writeISO needs names of up to 30 characters, and few enough files for a directory of
// one sector.
func writeISO(label string, files []isoFile) []byte {
	plain := names{root: rootSector, pathL: pathLSector, pathM: pathMSector}
	joliet := names{root: jolietRootSector, pathL: jolietPathLSector, pathM: jolietPathMSector, joliet: true}
	slices.SortFunc(files, func(a, b isoFile) int { return strings.Compare(a.name, b.name) }) // 9.3
	total := uint32(dataSector)
	for _, f := range files {
		total += sectors(f.data)
	}
	image := make([]byte, int(total)*sector)
	at := func(n uint32) []byte { return image[int(n)*sector:] }
	plain.descriptor(at(primarySector), label, total)
	joliet.descriptor(at(jolietSector), label, total)
	copy(at(endSector), "\xffCD001\x01")
	for _, n := range []names{plain, joliet} {
		n.pathTable(at(n.pathL), binary.LittleEndian)
		n.pathTable(at(n.pathM), binary.BigEndian)
		copy(at(n.root), n.directory(files))
	}
	next := uint32(dataSector)
	for _, f := range files {
		copy(at(next), f.data)
		next += sectors(f.data)
	}
	return image
}

func sectors(data []byte) uint32 { return uint32((len(data) + sector - 1) / sector) }

// text is a name or label as this directory writes it.
func (n names) text(s string) []byte {
	if !n.joliet {
		return []byte(s)
	}
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return b
}

// descriptor fills a volume descriptor (8.4 and 8.5). Unused texts are spaces.
func (n names) descriptor(d []byte, label string, total uint32) {
	copy(d, "\x01CD001\x01")
	pad := bytes.Repeat([]byte{' '}, 32)
	if n.joliet {
		d[0] = 2
		pad = bytes.Repeat([]byte{0, ' '}, 16)
		copy(d[88:], "%/E") // UCS-2, level 3
	}
	copy(d[8:40], pad)
	copy(d[40:72], pad)
	copy(d[40:72], n.text(label))
	both32(d[80:], total)
	both16(d[120:], 1) // one volume in the set
	both16(d[124:], 1) // the first
	both16(d[128:], sector)
	both32(d[132:], 10) // bytes in a path table
	binary.LittleEndian.PutUint32(d[140:], n.pathL)
	binary.BigEndian.PutUint32(d[148:], n.pathM)
	copy(d[156:], n.record([]byte{0}, n.root, sector, true))
	for off := 190; off < 813; off++ { // names of persons, programs and files
		d[off] = ' '
		if n.joliet && off%2 == 0 {
			d[off] = 0
		}
	}
	copy(d[813:881], strings.Repeat("2000010100000000\x00", 4)) // made, changed, expires, from: always the same
	d[881] = 1
}

// pathTable has one row, the root (9.4).
func (n names) pathTable(t []byte, order binary.ByteOrder) {
	t[0] = 1 // the length of its name
	order.PutUint32(t[2:], n.root)
	order.PutUint16(t[6:], 1) // it is its own parent
}

func (n names) directory(files []isoFile) []byte {
	dir := append(n.record([]byte{0}, n.root, sector, true), n.record([]byte{1}, n.root, sector, true)...)
	at := uint32(dataSector)
	for _, f := range files {
		name := f.name + ";1"
		if !n.joliet {
			name = strings.ToUpper(f.name) + ".;1"
		}
		dir = append(dir, n.record(n.text(name), at, uint32(len(f.data)), false)...)
		at += sectors(f.data)
	}
	return dir
}

// record is an entry of a directory (9.1).
func (n names) record(name []byte, at, size uint32, isDir bool) []byte {
	r := make([]byte, (33+len(name)+1)&^1)
	r[0] = byte(len(r))
	both32(r[2:], at)
	both32(r[10:], size)
	copy(r[18:], []byte{100, 1, 1}) // 1 January 2000, always
	if isDir {
		r[25] = 2
	}
	both16(r[28:], 1)
	r[32] = byte(len(name))
	copy(r[33:], name)
	return r
}

// both32 and both16 write a number in both byte orders.
func both32(b []byte, v uint32) {
	binary.LittleEndian.PutUint32(b, v)
	binary.BigEndian.PutUint32(b[4:], v)
}

func both16(b []byte, v uint16) {
	binary.LittleEndian.PutUint16(b, v)
	binary.BigEndian.PutUint16(b[2:], v)
}
