package kvm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/digitalocean/go-libvirt"
)

// api is what we need of libvirt; *libvirt.Libvirt has it, and so have the fakes of
// tests. None of it takes a context: see session.call.
type api interface {
	ConnectGetAllDomainStats(doms []libvirt.Domain, stats, flags uint32) ([]libvirt.DomainStatsRecord, error)
	ConnectGetCapabilities() (string, error)
	ConnectGetDomainCapabilities(emulator, arch, machine, virt libvirt.OptString, flags uint32) (string, error)
	ConnectBaselineCPU(cpus []string, flags libvirt.ConnectBaselineCPUFlags) (string, error)
	ConnectGetLibVersion() (uint64, error)
	ConnectGetVersion() (uint64, error)
	ConnectGetHostname() (string, error)
	NodeGetInfo() (model [32]int8, memory uint64, cpus, mhz, nodes, sockets, cores, threads int32, err error)

	DomainLookupByUUID(id libvirt.UUID) (libvirt.Domain, error)
	DomainGetState(d libvirt.Domain, flags uint32) (state, reason int32, err error)
	DomainGetMetadata(d libvirt.Domain, kind int32, uri libvirt.OptString, flags libvirt.DomainModificationImpact) (string, error)
	DomainSetMetadata(d libvirt.Domain, kind int32, xml, key, uri libvirt.OptString, flags libvirt.DomainModificationImpact) error
	DomainDefineXMLFlags(xml string, flags libvirt.DomainDefineFlags) (libvirt.Domain, error)
	DomainCreate(d libvirt.Domain) error
	DomainShutdownFlags(d libvirt.Domain, flags libvirt.DomainShutdownFlagValues) error
	DomainDestroyFlags(d libvirt.Domain, flags libvirt.DomainDestroyFlagsValues) error
	DomainSuspend(d libvirt.Domain) error
	DomainResume(d libvirt.Domain) error
	DomainManagedSave(d libvirt.Domain, flags uint32) error
	DomainManagedSaveRemove(d libvirt.Domain, flags uint32) error
	DomainBlockResize(d libvirt.Domain, disk string, bytes uint64, flags libvirt.DomainBlockResizeFlags) error
	DomainUndefineFlags(d libvirt.Domain, flags libvirt.DomainUndefineFlagsValues) error
	Disconnected() <-chan struct{}
	LifecycleEvents(ctx context.Context) (<-chan libvirt.DomainEventLifecycleMsg, error)

	StoragePoolLookupByName(name string) (libvirt.StoragePool, error)
	StoragePoolDefineXML(xml string, flags uint32) (libvirt.StoragePool, error)
	StoragePoolBuild(p libvirt.StoragePool, flags libvirt.StoragePoolBuildFlags) error
	StoragePoolCreate(p libvirt.StoragePool, flags libvirt.StoragePoolCreateFlags) error
	StoragePoolSetAutostart(p libvirt.StoragePool, on int32) error
	StoragePoolIsActive(p libvirt.StoragePool) (int32, error)
	StoragePoolRefresh(p libvirt.StoragePool, flags uint32) error
	StoragePoolGetInfo(p libvirt.StoragePool) (state uint8, capacity, allocation, available uint64, err error)
	StoragePoolListAllVolumes(p libvirt.StoragePool, need int32, flags uint32) ([]libvirt.StorageVol, uint32, error)

	StorageVolLookupByName(p libvirt.StoragePool, name string) (libvirt.StorageVol, error)
	StorageVolCreateXML(p libvirt.StoragePool, xml string, flags libvirt.StorageVolCreateFlags) (libvirt.StorageVol, error)
	StorageVolDelete(v libvirt.StorageVol, flags libvirt.StorageVolDeleteFlags) error
	StorageVolResize(v libvirt.StorageVol, bytes uint64, flags libvirt.StorageVolResizeFlags) error
	StorageVolGetInfo(v libvirt.StorageVol) (kind int8, capacity, allocation uint64, err error)
	StorageVolGetPath(v libvirt.StorageVol) (string, error)
	StorageVolGetXMLDesc(v libvirt.StorageVol, flags uint32) (string, error)

	ConnectListAllNetworks(need int32, flags libvirt.ConnectListAllNetworksFlags) ([]libvirt.Network, uint32, error)
	NetworkGetXMLDesc(n libvirt.Network, flags uint32) (string, error)
	NetworkIsActive(n libvirt.Network) (int32, error)
	NetworkGetDhcpLeases(n libvirt.Network, mac libvirt.OptString, need int32, flags uint32) ([]libvirt.NetworkDhcpLease, uint32, error)
	NetworkUpdateCompat(n libvirt.Network, command libvirt.NetworkUpdateCommand, section libvirt.NetworkUpdateSection,
		parent int32, xml string, flags libvirt.NetworkUpdateFlags) error
}

var _ api = (*libvirt.Libvirt)(nil)

// session is one connection for calls, which may be made concurrently.
type session struct {
	api  api
	pipe *pipe
}

// openTimeout limits dialling and the first words with the daemon.
const openTimeout = 20 * time.Second

// open connects and says hello.
func open(ctx context.Context, to address) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	conn, err := to.dial(ctx)
	if err != nil {
		return nil, err
	}
	p := newPipe(conn)
	defer close(p.settled)
	stop := context.AfterFunc(ctx, func() { _ = p.Close() })
	defer stop()
	lv := libvirt.NewWithDialer(given{p})
	if err := lv.ConnectToURI(libvirt.ConnectURI(to.driver)); err != nil {
		_ = p.Close() // the failure counts, and it may be closed already
		return nil, errors.Join(err, ctx.Err(), p.whyEnded())
	}
	return &session{api: lv, pipe: p}, nil
}

// whyEnded is the cause of the end; nil if it was ours or has not come.
func (p *pipe) whyEnded() error {
	if p.ended() && !errors.Is(p.cause, net.ErrClosed) {
		return p.cause
	}
	return nil
}

// given is a connection as a dialer.
type given struct{ net.Conn }

// Dial implements socket.Dialer.
func (g given) Dial() (net.Conn, error) { return g.Conn, nil }

// close ends the connection: calls under way fail at once. The daemon is not told,
// for one that hangs would not hear.
func (s *session) close() { _ = s.pipe.Close() }

// errLost means that the connection ended under a call, whose effect is unknown.
var errLost = errors.New("the connection to libvirt was lost")

// lost says whether err means that the connection ended under a call.
func lost(err error) bool { return errors.Is(err, errLost) }

// ask runs f, which makes calls of the library. The library's calls know no context:
// when ctx ends ask returns, and f is left to end by itself, or with the connection
// that is closed when limit has passed. So f must write nothing that its caller reads:
// what it finds is its result. The goroutine is spawned by spawn.
func ask[T any](ctx context.Context, s *session, spawn func(func()) bool, limit time.Duration, f func(api) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	ok := spawn(func() {
		watchdog := time.AfterFunc(limit, s.close)
		defer watchdog.Stop()
		value, err := f(s.api)
		done <- result{value, s.judge(err)}
	})
	var none T
	if !ok {
		return none, errClosed
	}
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// judge tells failures of the connection from what the daemon answered.
func (s *session) judge(err error) error {
	var answer libvirt.Error
	switch {
	case err == nil, errors.As(err, &answer), errors.Is(err, libvirt.ErrUnsupported):
		return err
	case s.pipe.ended(), errors.Is(err, libvirt.ErrInterrupted), errors.Is(err, syscall.EINVAL):
		// EINVAL is what the library answers once the socket is closed.
		return fmt.Errorf("%w: %w", errLost, err)
	default:
		return err
	}
}
