package kvm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// pipe is the connection under go-libvirt. It exists for what the library does not
// do: it tells reliably that the connection ended (the library misses that when it
// happens just as it finishes connecting), and it refuses lengths of packets that
// would make the library panic or allocate gigabytes, as when the port is not
// libvirt's.
type pipe struct {
	net.Conn
	frames  frames
	settled chan struct{} // closed when the library finished connecting

	once  sync.Once
	dead  chan struct{} // closed when the connection ended
	cause error         // why; to be read once dead is closed
}

func newPipe(c net.Conn) *pipe {
	return &pipe{Conn: c, settled: make(chan struct{}), dead: make(chan struct{})}
}

func (p *pipe) fail(err error) {
	p.once.Do(func() {
		p.cause = err
		close(p.dead)
	})
}

// settleWait is how long the library may take from the daemon's last answer to the
// end of its connecting.
const settleWait = 50 * time.Millisecond

// Read implements net.Conn. An error right after the daemon's last answer comes a
// little late: the library writes a field when connecting ends that it reads when the
// connection does.
func (p *pipe) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if err == nil {
		err = p.frames.pass(b[:n])
	}
	if err == nil {
		return n, nil
	}
	p.fail(err)
	if p.frames.opened {
		late := time.NewTimer(settleWait)
		defer late.Stop()
		select {
		case <-p.settled:
		case <-late.C: // opening was refused, and the library waits for this error
		}
	}
	return 0, err
}

// Write implements net.Conn.
func (p *pipe) Write(b []byte) (int, error) {
	n, err := p.Conn.Write(b)
	if err != nil {
		p.fail(err)
	}
	return n, err
}

// Close implements net.Conn.
func (p *pipe) Close() error {
	p.fail(net.ErrClosed)
	return p.Conn.Close()
}

// ended says whether the connection ended.
func (p *pipe) ended() bool {
	select {
	case <-p.dead:
		return true
	default:
		return false
	}
}

// The length of a packet counts itself: the smallest is a header alone, the largest
// is VIR_NET_MESSAGE_MAX and its length word (src/rpc/virnetprotocol.x).
const (
	minPacket = 28
	maxPacket = 32<<20 + 4
)

var errNotLibvirt = errors.New("the peer does not speak libvirt's protocol")

// frames follows the packets in what passes by.
type frames struct {
	left   int      // bytes until the next packet
	head   [16]byte // of a packet: length, program, version, procedure
	have   int      // bytes of head that came
	opened bool     // the answer to the last call of connecting came
}

func (f *frames) pass(b []byte) error {
	for len(b) > 0 {
		if f.left > 0 {
			n := min(f.left, len(b))
			f.left -= n
			b = b[n:]
			continue
		}
		n := copy(f.head[f.have:], b)
		f.have += n
		b = b[n:]
		if f.have < len(f.head) {
			return nil
		}
		length, err := packetLength([4]byte(f.head[:4]))
		if err != nil {
			return err
		}
		f.opened = f.opened || binary.BigEndian.Uint32(f.head[12:]) == procConnectOpen
		f.have, f.left = 0, length-len(f.head)
	}
	return nil
}

func packetLength(head [4]byte) (int, error) {
	n := binary.BigEndian.Uint32(head[:])
	if n < minPacket || n > maxPacket {
		return 0, fmt.Errorf("%w: a packet of %d bytes", errNotLibvirt, n)
	}
	return int(n), nil
}
