package kvm

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/digitalocean/go-libvirt"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// stream is a connection of its own for one upload or download. It speaks libvirt's
// protocol (src/rpc/virnetprotocol.x, src/remote/remote_protocol.x) without
// go-libvirt, whose streams leave goroutines behind when an upload fails, deadlock
// their connection when a writer does, and cannot be ended. Here nothing runs beside
// the caller, who is slowed down by the daemon and the daemon by the caller.
type stream struct {
	conn   net.Conn
	serial uint32
	// watchdog closes conn when the daemon has not moved for patience. Deadlines would
	// not do: SSH has none.
	watchdog *time.Timer
	patience time.Duration
}

// waits starts the watchdog anew: from now on it is the daemon's turn.
func (s *stream) waits() {
	if s.watchdog != nil {
		s.watchdog.Reset(s.patience)
	}
}

// works stops the watchdog: it is our turn.
func (s *stream) works() {
	if s.watchdog != nil {
		s.watchdog.Stop()
	}
}

// Numbers of the protocol.
const (
	remoteProgram = 0x20008086
	remoteVersion = 1

	procConnectOpen  = 1
	procConnectClose = 2
	procAuthList     = 66
	procAuthPolkit   = 70
	procVolUpload    = 208
	procVolDownload  = 209

	typeCall   = 0
	typeStream = 3

	statusOK       = 0
	statusError    = 1
	statusContinue = 2

	authNone   = 0
	authPolkit = 2

	// streamChunk is what libvirt's own clients put into a packet
	// (VIR_NET_MESSAGE_LEGACY_PAYLOAD_MAX).
	streamChunk = 262120
)

// openStream connects and says hello; ctx ends the connection at any time.
func openStream(ctx context.Context, to address, patience time.Duration) (s *stream, done func(), err error) {
	conn, err := to.dial(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errLost, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	s = &stream{conn: conn, patience: patience, watchdog: time.AfterFunc(patience, func() { _ = conn.Close() })}
	done = func() {
		stop()
		s.works()
		_ = conn.Close() // it is over: nothing is left to fail
	}
	if err := s.hello(to.driver); err != nil {
		done()
		return nil, nil, err
	}
	return s, done, nil
}

func (s *stream) hello(driver string) error {
	ways, err := s.call(procAuthList, nil)
	if err != nil {
		return err
	}
	if way, ok := firstAuth(ways); ok && way == authPolkit {
		if _, err := s.call(procAuthPolkit, nil); err != nil {
			return err
		}
	}
	var args xdr
	args.word(1) // the name that follows is not null
	args.text(driver)
	args.word(0)
	_, err = s.call(procConnectOpen, args.Bytes())
	return err
}

// firstAuth is the first of the ways to log in that the daemon offers.
func firstAuth(list []byte) (uint32, bool) {
	if len(list) < 8 || binary.BigEndian.Uint32(list) == 0 {
		return 0, false
	}
	return binary.BigEndian.Uint32(list[4:]), true
}

// xdr writes what the calls above need of RFC 4506.
type xdr struct{ bytes.Buffer }

func (x *xdr) word(n uint32)  { _ = binary.Write(x, binary.BigEndian, n) } // a Buffer does not fail
func (x *xdr) hyper(n uint64) { _ = binary.Write(x, binary.BigEndian, n) }

func (x *xdr) text(s string) {
	x.word(uint32(len(s)))
	x.WriteString(s)
	x.Write(make([]byte, -len(s)&3))
}

func (x *xdr) volume(v libvirt.StorageVol) {
	x.text(v.Pool)
	x.text(v.Name)
	x.text(v.Key)
}

// header is that of a packet, without the length before it.
type header struct {
	Program, Version, Procedure, Type, Serial, Status uint32
}

func (s *stream) send(h header, payload []byte) error {
	var x xdr
	x.word(uint32(minPacket + len(payload)))
	_ = binary.Write(&x, binary.BigEndian, h) // a Buffer does not fail
	bufs := net.Buffers{x.Bytes()}
	if len(payload) > 0 {
		bufs = append(bufs, payload)
	}
	s.waits()
	if _, err := bufs.WriteTo(s.conn); err != nil {
		return fmt.Errorf("%w: %w", errLost, err)
	}
	return nil
}

// receive reads a packet; one that carries an error is that error.
func (s *stream) receive() (header, []byte, error) {
	var h header
	var head [4]byte
	s.waits()
	if _, err := io.ReadFull(s.conn, head[:]); err != nil {
		return h, nil, fmt.Errorf("%w: %w", errLost, err)
	}
	length, err := packetLength(head)
	if err != nil {
		return h, nil, err
	}
	body := make([]byte, length-len(head))
	if _, err := io.ReadFull(s.conn, body); err != nil {
		return h, nil, fmt.Errorf("%w: %w", errLost, err)
	}
	if err := binary.Read(bytes.NewReader(body), binary.BigEndian, &h); err != nil {
		return h, nil, err
	}
	payload := body[minPacket-len(head):]
	if h.Status == statusError {
		return h, nil, readError(payload)
	}
	return h, payload, nil
}

// readError reads the beginning of a remote_error: code, domain, message.
func readError(b []byte) error {
	word := func() (n uint32) {
		if len(b) >= 4 {
			n = binary.BigEndian.Uint32(b)
			b = b[4:]
		}
		return n
	}
	e := libvirt.Error{Code: word(), Message: "the daemon gives no reason"}
	_ = word() // which part of libvirt it was
	if present := word(); present != 0 {
		if n := int(word()); n <= len(b) {
			e.Message = string(b[:n])
		}
	}
	return e
}

// call makes a call and returns its result.
func (s *stream) call(procedure uint32, args []byte) ([]byte, error) {
	s.serial++
	h := header{remoteProgram, remoteVersion, procedure, typeCall, s.serial, statusOK}
	if err := s.send(h, args); err != nil {
		return nil, err
	}
	_, result, err := s.receive()
	return result, err
}

var errUploadSize = errors.New("the data is not as long as was said")

// upload writes size bytes of r to the beginning of a volume: neither more, which
// libvirt would append, nor less, which it would accept.
func (s *stream) upload(v libvirt.StorageVol, r io.Reader, size int64) error {
	if err := s.begin(procVolUpload, v, 0, uint64(size)); err != nil {
		return err
	}
	h := header{remoteProgram, remoteVersion, procVolUpload, typeStream, s.serial, statusContinue}
	sent, err := s.pump(h, r, size)
	switch {
	case lost(err):
		return err
	case err == nil && sent != size:
		err = fmt.Errorf("%w: %d of %d bytes", errUploadSize, sent, size)
	}
	if err != nil {
		h.Status = statusError
		return errors.Join(err, s.send(h, nil))
	}
	h.Status = statusOK
	if err := s.send(h, nil); err != nil {
		return err
	}
	_, _, err = s.receive() // only now it is written, or known why it could not be
	return err
}

// pump sends what r has, and counts it; it stops after size bytes and one.
func (s *stream) pump(h header, r io.Reader, size int64) (sent int64, err error) {
	r = io.LimitReader(r, size+1)
	buf := make([]byte, streamChunk)
	for {
		s.works()
		n, err := io.ReadFull(r, buf)
		if sent+int64(n) > size {
			return size + 1, fmt.Errorf("%w: over %d bytes", errUploadSize, size)
		}
		if n > 0 {
			if err := s.send(h, buf[:n]); err != nil {
				return sent, err
			}
			sent += int64(n)
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return sent, nil
		default:
			return sent, err
		}
	}
}

// download writes size bytes from offset on, or what there is of them, to w.
func (s *stream) download(v libvirt.StorageVol, w io.Writer, offset, size uint64) error {
	if err := s.begin(procVolDownload, v, offset, size); err != nil {
		return err
	}
	for {
		h, data, err := s.receive()
		switch {
		case err != nil:
			return err
		case h.Status == statusOK: // the daemon has ended the stream
			return s.bye()
		case len(data) == 0: // there is no more: ours to end
			return s.finish(h)
		}
		s.works()
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
}

// finish ends a stream that was read to its end, and the connection. A daemon whose
// client goes away in between frees what its own thread still uses: libvirt 9.0 of Debian
// 12 dies of it ("malloc(): unsorted double linked list corrupted") when a console is read
// some hundred times in a second.
func (s *stream) finish(h header) error {
	h.Status = statusOK
	if err := s.send(h, nil); err != nil {
		return err
	}
	if _, _, err := s.receive(); err != nil {
		return err
	}
	return s.bye()
}

// bye tells the daemon that nothing more is asked.
func (s *stream) bye() error {
	_, err := s.call(procConnectClose, nil)
	return err
}

func (s *stream) begin(procedure uint32, v libvirt.StorageVol, offset, size uint64) error {
	var args xdr
	args.volume(v)
	args.hyper(offset)
	args.hyper(size)
	args.word(0)
	_, err := s.call(procedure, args.Bytes())
	return err
}

// upload fills a volume.
func (h *Host) upload(ctx context.Context, v libvirt.StorageVol, r io.Reader, size int64) error {
	s, done, err := openStream(ctx, h.addr, h.opts.CallLimit)
	if err == nil {
		defer done()
		err = s.upload(v, r, size)
	}
	return streamError(ctx, err)
}

// download reads a part of a volume.
func (h *Host) download(ctx context.Context, v libvirt.StorageVol, w io.Writer, offset, size uint64) error {
	s, done, err := openStream(ctx, h.addr, h.opts.CallLimit)
	if err == nil {
		defer done()
		err = s.download(v, w, offset, size)
	}
	return streamError(ctx, err)
}

// streamError says that the caller ended the connection where it was so.
func streamError(ctx context.Context, err error) error {
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errUploadSize):
		return canonical.Errorf(canonical.InvalidRequest, "%w", err)
	default:
		return err
	}
}
