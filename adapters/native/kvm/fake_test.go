package kvm

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"
)

// fake is a libvirtd in memory, for faults that a real one does not have on demand.
// Its answers are those of libvirt 9.0.
type fake struct {
	// fault is asked before every call, by its name and number from 1 on; an error is
	// the call's answer. It may wait.
	fault func(call string, n int) error

	mu       sync.Mutex // guards all below
	n        int
	calls    []string
	domains  map[libvirt.UUID]*fakeDomain
	pools    map[string]*fakePool
	networks map[string]*libvirtxml.Network
	away     bool  // nobody connects
	line     *pipe // of the newest connection
	ended    chan struct{}
	events   chan libvirt.DomainEventLifecycleMsg
	streams  sync.WaitGroup
}

type fakeDomain struct {
	name, metadata string
	state          State
}

type fakePool struct {
	active  bool
	dir     string
	volumes map[string]*fakeVolume
}

type fakeVolume struct {
	capacity uint64
	data     []byte
	backing  string
}

// fakeHost is a host on a fake, with one NAT network "nat".
func fakeHost(t testing.TB, change ...func(*Options)) (*Host, *fake) {
	t.Helper()
	f := &fake{
		fault: func(string, int) error { return nil }, domains: map[libvirt.UUID]*fakeDomain{}, pools: map[string]*fakePool{},
		networks: map[string]*libvirtxml.Network{"nat": {Name: "nat", IPs: []libvirtxml.NetworkIP{{
			Address: "10.0.0.1", Prefix: 24, DHCP: &libvirtxml.NetworkDHCP{Ranges: []libvirtxml.NetworkDHCPRange{{Start: "10.0.0.10", End: "10.0.0.20"}}},
		}}}},
	}
	o, err := Options{Name: "h1", URI: "qemu:///system", Virt: VirtQEMU}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(&o)
	}
	h := newHost(o, address{text: "fake", driver: "qemu:///system", dial: f.dial})
	h.connect = f.connect
	h.begin()
	t.Cleanup(func() {
		h.Close()
		f.streams.Wait()
	})
	if err := h.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h, f
}

func (f *fake) connect(context.Context) (*session, error) {
	a, b := net.Pipe()
	p := newPipe(a)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return nil, errors.New("nobody listens")
	}
	f.line = p
	ended, events := make(chan struct{}), make(chan libvirt.DomainEventLifecycleMsg)
	f.ended, f.events = ended, events
	f.streams.Go(func() {
		<-p.dead
		_ = b.Close()
		close(ended)
		close(events)
	})
	return &session{api: f, pipe: p}, nil
}

// leave ends the connection, and keeps others from coming about until back.
func (f *fake) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = true
	_ = f.line.Close()
}

func (f *fake) back() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = false
}

// call notes a call, and answers with its fault.
func (f *fake) call(name string) error {
	f.mu.Lock()
	f.n++
	n := f.n
	f.calls = append(f.calls, name)
	fault := f.fault
	f.mu.Unlock()
	return fault(name, n)
}

// arm sets the fault and counts from 1 again.
func (f *fake) arm(fault func(call string, n int) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.n, f.calls = fault, 0, nil
}

func (f *fake) disarm() { f.arm(func(string, int) error { return nil }) }

func answer(n libvirt.ErrorNumber, text string) error {
	return libvirt.Error{Code: uint32(n), Message: text}
}

// in runs g with the state, unless the call has a fault.
func in[T any](f *fake, name string, g func() (T, error)) (T, error) {
	if err := f.call(name); err != nil {
		var none T
		return none, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return g()
}

// with is in without a result.
func (f *fake) with(name string, g func() error) error {
	_, err := in(f, name, func() (struct{}, error) { return struct{}{}, g() })
	return err
}

func (f *fake) domain(d libvirt.Domain) (*fakeDomain, error) {
	if got := f.domains[d.UUID]; got != nil {
		return got, nil
	}
	return nil, answer(libvirt.ErrNoDomain, "no domain")
}

func (f *fake) pool(p libvirt.StoragePool) (*fakePool, error) {
	got := f.pools[p.Name]
	switch {
	case got == nil:
		return nil, answer(libvirt.ErrNoStoragePool, "no pool")
	case !got.active:
		return nil, answer(libvirt.ErrOperationInvalid, "not active")
	}
	return got, nil
}

func (f *fake) volume(v libvirt.StorageVol) (*fakePool, *fakeVolume, error) {
	p, err := f.pool(libvirt.StoragePool{Name: v.Pool})
	if err != nil {
		return nil, nil, err
	}
	if got := p.volumes[v.Name]; got != nil {
		return p, got, nil
	}
	return nil, nil, answer(libvirt.ErrNoStorageVol, "no volume")
}

// names are all that the fake holds of servers: domains, volumes, reservations.
func (f *fake) names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, d := range f.domains {
		out = append(out, d.name)
	}
	for _, p := range f.pools {
		for name := range p.volumes {
			out = append(out, name)
		}
	}
	for _, n := range f.networks {
		for _, h := range n.IPs[0].DHCP.Hosts {
			out = append(out, h.MAC)
		}
	}
	slices.Sort(out)
	return out
}

func (f *fake) Disconnected() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ended
}

func (f *fake) LifecycleEvents(context.Context) (<-chan libvirt.DomainEventLifecycleMsg, error) {
	return in(f, "LifecycleEvents", func() (<-chan libvirt.DomainEventLifecycleMsg, error) { return f.events, nil })
}

func (f *fake) ConnectGetAllDomainStats([]libvirt.Domain, uint32, uint32) ([]libvirt.DomainStatsRecord, error) {
	return in(f, "ConnectGetAllDomainStats", func() (out []libvirt.DomainStatsRecord, err error) {
		param := func(name string, v int32) libvirt.TypedParam {
			return libvirt.TypedParam{Field: name, Value: libvirt.TypedParamValue{D: 1, I: v}}
		}
		for id, d := range f.domains {
			out = append(out, libvirt.DomainStatsRecord{Dom: libvirt.Domain{Name: d.name, UUID: id}, Params: []libvirt.TypedParam{
				param("state.state", d.state.Code), param("state.reason", d.state.Reason),
			}})
		}
		return out, nil
	})
}

func (f *fake) ConnectGetCapabilities() (string, error) {
	return in(f, "ConnectGetCapabilities", func() (string, error) {
		return `<capabilities><host><cpu><arch>x86_64</arch><model>EPYC</model><feature name='x'/></cpu></host>
			<guest><os_type>hvm</os_type><arch name='x86_64'><domain type='qemu'/><domain type='kvm'/></arch></guest></capabilities>`, nil
	})
}

func (f *fake) ConnectGetDomainCapabilities(_, _, _, _ libvirt.OptString, _ uint32) (string, error) {
	return in(f, "ConnectGetDomainCapabilities", func() (string, error) {
		return `<domainCapabilities><vcpu max='255'/><os supported='yes'><enum name='firmware'><value>efi</value></enum></os></domainCapabilities>`, nil
	})
}

func (f *fake) ConnectBaselineCPU([]string, libvirt.ConnectBaselineCPUFlags) (string, error) {
	return in(f, "ConnectBaselineCPU", func() (string, error) {
		return `<cpu><model>EPYC</model><feature policy='require' name='svm'/></cpu>`, nil
	})
}

func (f *fake) ConnectGetLibVersion() (uint64, error) {
	return in(f, "ConnectGetLibVersion", func() (uint64, error) { return 9000000, nil })
}

func (f *fake) ConnectGetVersion() (uint64, error) {
	return in(f, "ConnectGetVersion", func() (uint64, error) { return 7002022, nil })
}

func (f *fake) ConnectGetHostname() (string, error) {
	return in(f, "ConnectGetHostname", func() (string, error) { return "fake", nil })
}

func (f *fake) NodeGetInfo() (model [32]int8, memory uint64, cpus, mhz, nodes, sockets, cores, threads int32, err error) {
	return model, 8 << 20, 4, 1000, 1, 1, 4, 1, f.call("NodeGetInfo")
}

func (f *fake) DomainLookupByUUID(id libvirt.UUID) (libvirt.Domain, error) {
	return in(f, "DomainLookupByUUID", func() (libvirt.Domain, error) {
		d, err := f.domain(libvirt.Domain{UUID: id})
		if err != nil {
			return libvirt.Domain{}, err
		}
		return libvirt.Domain{Name: d.name, UUID: id}, nil
	})
}

func (f *fake) DomainGetState(d libvirt.Domain, _ uint32) (int32, int32, error) {
	s, err := in(f, "DomainGetState", func() (State, error) {
		got, err := f.domain(d)
		if err != nil {
			return State{}, err
		}
		return got.state, nil
	})
	return s.Code, s.Reason, err
}

func (f *fake) DomainGetMetadata(d libvirt.Domain, _ int32, _ libvirt.OptString, _ libvirt.DomainModificationImpact) (string, error) {
	return in(f, "DomainGetMetadata", func() (string, error) {
		got, err := f.domain(d)
		if err != nil {
			return "", err
		}
		return got.metadata, nil
	})
}

func (f *fake) DomainSetMetadata(d libvirt.Domain, _ int32, text, _, _ libvirt.OptString, _ libvirt.DomainModificationImpact) error {
	return f.with("DomainSetMetadata", func() error {
		got, err := f.domain(d)
		if err == nil {
			got.metadata = text[0]
		}
		return err
	})
}

func (f *fake) DomainDefineXMLFlags(text string, _ libvirt.DomainDefineFlags) (libvirt.Domain, error) {
	return in(f, "DomainDefineXMLFlags", func() (libvirt.Domain, error) {
		var def libvirtxml.Domain
		if err := def.Unmarshal(text); err != nil {
			return libvirt.Domain{}, answer(libvirt.ErrXMLError, err.Error())
		}
		id, _ := strings.CutPrefix(def.Name, "dragoman-")
		d := (&Host{opts: Options{Prefix: "dragoman"}}).domainOf(id)
		f.domains[d.UUID] = &fakeDomain{name: def.Name, metadata: def.Metadata.XML, state: state(libvirt.DomainShutoff, 0)}
		return d, nil
	})
}

// become changes a domain's state, or fails where it has it already.
func (f *fake) become(call string, d libvirt.Domain, to State) error {
	return f.with(call, func() error {
		got, err := f.domain(d)
		if err != nil {
			return err
		}
		if got.state.off() == to.off() {
			return answer(libvirt.ErrOperationInvalid, "it is so already")
		}
		got.state = to
		return nil
	})
}

func (f *fake) DomainCreate(d libvirt.Domain) error {
	return f.become("DomainCreate", d, state(libvirt.DomainRunning, 1))
}

func (f *fake) DomainShutdownFlags(d libvirt.Domain, _ libvirt.DomainShutdownFlagValues) error {
	return f.become("DomainShutdownFlags", d, state(libvirt.DomainShutoff, 1))
}

func (f *fake) DomainDestroyFlags(d libvirt.Domain, _ libvirt.DomainDestroyFlagsValues) error {
	return f.become("DomainDestroyFlags", d, state(libvirt.DomainShutoff, 2))
}

func (f *fake) DomainSuspend(d libvirt.Domain) error {
	return f.turn("DomainSuspend", d, state(libvirt.DomainPaused, int32(libvirt.DomainPausedUser)))
}

func (f *fake) DomainResume(d libvirt.Domain) error {
	return f.turn("DomainResume", d, state(libvirt.DomainRunning, int32(libvirt.DomainRunningUnpaused)))
}

func (f *fake) DomainManagedSave(d libvirt.Domain, _ uint32) error {
	return f.turn("DomainManagedSave", d, state(libvirt.DomainShutoff, int32(libvirt.DomainShutoffSaved)))
}

func (f *fake) DomainManagedSaveRemove(d libvirt.Domain, _ uint32) error {
	return f.with("DomainManagedSaveRemove", func() error {
		_, err := f.domain(d)
		return err
	})
}

// turn changes the state of a domain that has a process.
func (f *fake) turn(call string, d libvirt.Domain, to State) error {
	return f.with(call, func() error {
		got, err := f.domain(d)
		if err != nil {
			return err
		}
		if got.state.off() {
			return answer(libvirt.ErrOperationInvalid, "domain is not running")
		}
		got.state = to
		return nil
	})
}

func (f *fake) DomainBlockResize(d libvirt.Domain, _ string, size uint64, _ libvirt.DomainBlockResizeFlags) error {
	return f.with("DomainBlockResize", func() error {
		got, err := f.domain(d)
		if err != nil {
			return err
		}
		for _, p := range f.pools {
			if v := p.volumes[diskName(got.name[strings.Index(got.name, "-")+1:])]; v != nil {
				v.capacity = size
			}
		}
		return nil
	})
}

func (f *fake) StorageVolResize(v libvirt.StorageVol, size uint64, _ libvirt.StorageVolResizeFlags) error {
	return f.with("StorageVolResize", func() error {
		_, got, err := f.volume(v)
		if err == nil {
			got.capacity = size
		}
		return err
	})
}

func (f *fake) DomainUndefineFlags(d libvirt.Domain, _ libvirt.DomainUndefineFlagsValues) error {
	return f.with("DomainUndefineFlags", func() error {
		_, err := f.domain(d)
		delete(f.domains, d.UUID)
		return err
	})
}

func (f *fake) StoragePoolLookupByName(name string) (libvirt.StoragePool, error) {
	return in(f, "StoragePoolLookupByName", func() (libvirt.StoragePool, error) {
		if f.pools[name] == nil {
			return libvirt.StoragePool{}, answer(libvirt.ErrNoStoragePool, "no pool")
		}
		return libvirt.StoragePool{Name: name}, nil
	})
}

func (f *fake) StoragePoolDefineXML(text string, _ uint32) (libvirt.StoragePool, error) {
	return in(f, "StoragePoolDefineXML", func() (libvirt.StoragePool, error) {
		var def libvirtxml.StoragePool
		if err := def.Unmarshal(text); err != nil {
			return libvirt.StoragePool{}, answer(libvirt.ErrXMLError, err.Error())
		}
		f.pools[def.Name] = &fakePool{dir: def.Target.Path, volumes: map[string]*fakeVolume{}}
		return libvirt.StoragePool{Name: def.Name}, nil
	})
}

func (f *fake) StoragePoolBuild(libvirt.StoragePool, libvirt.StoragePoolBuildFlags) error {
	return f.call("StoragePoolBuild")
}

func (f *fake) StoragePoolCreate(p libvirt.StoragePool, _ libvirt.StoragePoolCreateFlags) error {
	return f.with("StoragePoolCreate", func() error {
		f.pools[p.Name].active = true
		return nil
	})
}

func (f *fake) StoragePoolSetAutostart(libvirt.StoragePool, int32) error {
	return f.call("StoragePoolSetAutostart")
}

func (f *fake) StoragePoolIsActive(p libvirt.StoragePool) (int32, error) {
	return in(f, "StoragePoolIsActive", func() (int32, error) {
		if f.pools[p.Name].active {
			return 1, nil
		}
		return 0, nil
	})
}

func (f *fake) StoragePoolRefresh(p libvirt.StoragePool, _ uint32) error {
	return f.with("StoragePoolRefresh", func() error {
		_, err := f.pool(p)
		return err
	})
}

func (f *fake) StoragePoolGetInfo(libvirt.StoragePool) (uint8, uint64, uint64, uint64, error) {
	return 2, 100 << 30, 0, 50 << 30, f.call("StoragePoolGetInfo")
}

func (f *fake) StoragePoolListAllVolumes(p libvirt.StoragePool, _ int32, _ uint32) ([]libvirt.StorageVol, uint32, error) {
	out, err := in(f, "StoragePoolListAllVolumes", func() (out []libvirt.StorageVol, err error) {
		got, err := f.pool(p)
		if err != nil {
			return nil, err
		}
		for name := range got.volumes {
			out = append(out, libvirt.StorageVol{Pool: p.Name, Name: name})
		}
		return out, nil
	})
	return out, uint32(len(out)), err
}

func (f *fake) StorageVolLookupByName(p libvirt.StoragePool, name string) (libvirt.StorageVol, error) {
	return in(f, "StorageVolLookupByName", func() (libvirt.StorageVol, error) {
		v := libvirt.StorageVol{Pool: p.Name, Name: name}
		_, _, err := f.volume(v)
		return v, err
	})
}

func (f *fake) StorageVolCreateXML(p libvirt.StoragePool, text string, _ libvirt.StorageVolCreateFlags) (libvirt.StorageVol, error) {
	return in(f, "StorageVolCreateXML", func() (libvirt.StorageVol, error) {
		var def libvirtxml.StorageVolume
		if err := def.Unmarshal(text); err != nil {
			return libvirt.StorageVol{}, answer(libvirt.ErrXMLError, err.Error())
		}
		got, err := f.pool(p)
		if err != nil {
			return libvirt.StorageVol{}, err
		}
		if got.volumes[def.Name] != nil {
			return libvirt.StorageVol{}, answer(libvirt.ErrStorageVolExist, "exists")
		}
		vol := &fakeVolume{capacity: def.Capacity.Value}
		if def.BackingStore != nil {
			vol.backing = def.BackingStore.Path
		}
		got.volumes[def.Name] = vol
		return libvirt.StorageVol{Pool: p.Name, Name: def.Name}, nil
	})
}

func (f *fake) StorageVolDelete(v libvirt.StorageVol, _ libvirt.StorageVolDeleteFlags) error {
	return f.with("StorageVolDelete", func() error {
		p, _, err := f.volume(v)
		if err == nil {
			delete(p.volumes, v.Name)
		}
		return err
	})
}

func (f *fake) StorageVolGetInfo(v libvirt.StorageVol) (int8, uint64, uint64, error) {
	size, err := in(f, "StorageVolGetInfo", func() (uint64, error) {
		_, got, err := f.volume(v)
		if err != nil {
			return 0, err
		}
		return max(got.capacity, uint64(len(got.data))), nil
	})
	return 0, size, size, err
}

func (f *fake) StorageVolGetPath(v libvirt.StorageVol) (string, error) {
	return in(f, "StorageVolGetPath", func() (string, error) {
		p, _, err := f.volume(v)
		if err != nil {
			return "", err
		}
		return path.Join(p.dir, v.Name), nil
	})
}

func (f *fake) StorageVolGetXMLDesc(v libvirt.StorageVol, _ uint32) (string, error) {
	return in(f, "StorageVolGetXMLDesc", func() (string, error) {
		_, got, err := f.volume(v)
		if err != nil {
			return "", err
		}
		backing := ""
		if got.backing != "" {
			backing = "<backingStore><path>" + got.backing + "</path></backingStore>"
		}
		return "<volume><target><format type='" + strings.TrimPrefix(path.Ext(v.Name), ".") + "'/></target>" + backing + "</volume>", nil
	})
}

func (f *fake) ConnectListAllNetworks(int32, libvirt.ConnectListAllNetworksFlags) ([]libvirt.Network, uint32, error) {
	out, err := in(f, "ConnectListAllNetworks", func() (out []libvirt.Network, err error) {
		for name := range f.networks {
			out = append(out, libvirt.Network{Name: name})
		}
		return out, nil
	})
	return out, uint32(len(out)), err
}

func (f *fake) NetworkGetXMLDesc(n libvirt.Network, _ uint32) (string, error) {
	return in(f, "NetworkGetXMLDesc", func() (string, error) { return f.networks[n.Name].Marshal() })
}

func (f *fake) NetworkIsActive(libvirt.Network) (int32, error) {
	return 1, f.call("NetworkIsActive")
}

func (f *fake) NetworkGetDhcpLeases(libvirt.Network, libvirt.OptString, int32, uint32) ([]libvirt.NetworkDhcpLease, uint32, error) {
	return nil, 0, f.call("NetworkGetDhcpLeases")
}

func (f *fake) NetworkUpdateCompat(n libvirt.Network, do libvirt.NetworkUpdateCommand, _ libvirt.NetworkUpdateSection,
	index int32, text string, _ libvirt.NetworkUpdateFlags,
) error {
	return f.with("NetworkUpdateCompat", func() error {
		var host libvirtxml.NetworkDHCPHost
		if err := xml.Unmarshal([]byte(text), &host); err != nil {
			return answer(libvirt.ErrXMLError, err.Error())
		}
		dhcp := f.networks[n.Name].IPs[index].DHCP
		same := func(h libvirtxml.NetworkDHCPHost) bool { return h.MAC == host.MAC }
		switch {
		case do == libvirt.NetworkUpdateCommandDelete:
			dhcp.Hosts = slices.DeleteFunc(dhcp.Hosts, same)
		case slices.ContainsFunc(dhcp.Hosts, same):
			return answer(libvirt.ErrOperationInvalid, "there is such a host already")
		default:
			dhcp.Hosts = append(dhcp.Hosts, host)
		}
		return nil
	})
}

// dial is for streams.
func (f *fake) dial(context.Context) (net.Conn, error) {
	a, b := net.Pipe()
	f.streams.Go(func() {
		defer func() { _ = b.Close() }()
		f.serve(&stream{conn: b})
	})
	return a, nil
}

func (f *fake) serve(s *stream) {
	for {
		h, args, err := s.receive()
		if err != nil {
			return
		}
		h.Type = 1 // a reply
		var x xdr
		switch h.Procedure {
		case procAuthList:
			x.word(0)
		case procVolUpload:
			if s.send(h, nil) != nil || f.receive(s, h, volumeArg(args)) != nil {
				return
			}
			continue
		case procVolDownload:
			if s.send(h, nil) != nil || f.send(s, h, volumeArg(args), args) != nil {
				return
			}
			continue
		}
		if s.send(h, x.Bytes()) != nil {
			return
		}
	}
}

// volumeArg reads the volume with which the arguments of a stream begin.
func volumeArg(args []byte) libvirt.StorageVol {
	next := func() string {
		n := int(binary.BigEndian.Uint32(args))
		text := string(args[4 : 4+n])
		args = args[4+n+-n&3:]
		return text
	}
	return libvirt.StorageVol{Pool: next(), Name: next()}
}

func (f *fake) receive(s *stream, h header, v libvirt.StorageVol) error {
	h.Type = typeStream
	var data []byte
	for {
		got, chunk, err := s.receive()
		if err != nil {
			return err // also the client's own abort
		}
		if got.Status == statusOK {
			break
		}
		if err := f.call("upload"); err != nil {
			return s.fail(h, err)
		}
		data = append(data, chunk...)
	}
	err := f.with("uploaded", func() error {
		_, vol, err := f.volume(v)
		if err == nil {
			vol.data = data
		}
		return err
	})
	if err != nil {
		return s.fail(h, err)
	}
	h.Status = statusContinue // and nothing: as libvirt ends
	if err := s.send(h, nil); err != nil {
		return err
	}
	if _, _, err := s.receive(); err != nil {
		return err
	}
	h.Status = statusOK
	return s.send(h, nil)
}

// fail sends an error, and reads what the client still sends until it closes.
func (s *stream) fail(h header, err error) error {
	e, ok := err.(libvirt.Error) //nolint:errorlint // the fake's own
	if !ok {
		return err // the connection ends
	}
	var x xdr
	x.word(e.Code)
	x.word(0)
	x.word(1)
	x.text(e.Message)
	h.Status = statusError
	go func() { _, _ = io.Copy(io.Discard, s.conn) }() // a pipe has no buffer
	return s.send(h, x.Bytes())
}

func (f *fake) send(s *stream, h header, v libvirt.StorageVol, args []byte) error {
	h.Type = typeStream
	_, vol, err := f.volume(v)
	if err != nil {
		return s.fail(h, err)
	}
	offset := binary.BigEndian.Uint64(args[len(args)-20:])
	r := bytes.NewReader(vol.data[min(offset, uint64(len(vol.data))):])
	for r.Len() > 0 {
		chunk := make([]byte, min(r.Len(), 1000))
		_, _ = r.Read(chunk)
		h.Status = statusContinue
		if err := s.send(h, chunk); err != nil {
			return err
		}
	}
	h.Status = statusOK
	return s.send(h, nil)
}
