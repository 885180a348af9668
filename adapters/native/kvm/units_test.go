package kvm

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/digitalocean/go-libvirt"
	"github.com/google/go-cmp/cmp"
	"libvirt.org/go/libvirtxml"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func TestURI(t *testing.T) {
	good := map[string]struct {
		driver string
		local  bool
	}{
		"qemu:///system":                                 {"qemu:///system", true},
		"qemu:///session?socket=/run/s":                  {"qemu:///session", true},
		"qemu+unix:///system":                            {"qemu:///system", true},
		"qemu+ssh://root@h:2222/system?keyfile=/k":       {"qemu:///system", false},
		"qemu+ssh://h/system?known_hosts=/k&no_verify=1": {"qemu:///system", false},
		"qemu+tls://h/system?pkipath=/p":                 {"qemu:///system", false},
		"qemu://h/system":                                {"qemu:///system", false},
		"qemu+ssh://[fd00::1]:22/system?socket=/run/s":   {"qemu:///system", false},
	}
	for uri, want := range good {
		a, err := parseURI(uri)
		if err != nil || a.driver != want.driver || a.local != want.local || a.dial == nil {
			t.Errorf("%s: %v %+v", uri, err, a)
		}
	}
	for _, uri := range []string{
		"", "xen:///system", "qemu+tcp://h/system", "qemu:///", "qemu:///system?sokcet=/x", "qemu+ssh:///system", "qemu+unix://h/system",
		"qemu+ssh://me:secret@h/system", "qemu+tls://h/system?no_verify=maybe", "qemu+ssh://h/system?pkipath=/x", "qemu+ssh://h:x/system", "qemu://%zz",
	} {
		_, err := parseURI(uri)
		if canonical.CodeOf(err) != canonical.InvalidRequest {
			t.Errorf("%q: %v", uri, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error tells the password: %v", uri, err)
		}
	}
}

func TestOptionsRefused(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"NoName": func(o *Options) { o.Name = "" },
		"Virt":   func(o *Options) { o.Virt = "magic" },
		"Dir":    func(o *Options) { o.Dir = "relative" },
		"Root":   func(o *Options) { o.Dir = "/.." },
		"Prefix": func(o *Options) { o.Prefix = "../x" },
		"URI":    func(o *Options) { o.URI = "http://h/" },
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Name: "h1", URI: "qemu:///system"}
			change(&o)
			if _, err := Open(o); canonical.CodeOf(err) != canonical.InvalidRequest {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestStates(t *testing.T) {
	for code := int32(0); code <= int32(libvirt.DomainPmsuspended); code++ {
		for reason := int32(0); reason < 20; reason++ {
			s := State{code, reason}
			if !slices.Contains(canonical.ServerStatuses, s.Status()) || !slices.Contains(canonical.Powers, s.Power()) || s.Native() == "" {
				t.Errorf("%+v: %q %q %q", s, s.Status(), s.Power(), s.Native())
			}
			if (s.Status() == canonical.ServerError) != (s.Fault() != "") {
				t.Errorf("%+v: an error without a fault, or the reverse: %q %q", s, s.Status(), s.Fault())
			}
		}
	}
	if s := (State{99, 0}); s.Status() != canonical.ServerUnknown || s.Power() != canonical.PowerUnknown || s.Native() != "state 99" {
		t.Errorf("a state of tomorrow: %+v", s)
	}
}

func TestStatusWithTask(t *testing.T) {
	off, on := state(libvirt.DomainShutoff, 1), state(libvirt.DomainRunning, 1)
	cases := map[string]struct {
		s    Server
		want canonical.ServerStatus
	}{
		"Stopped":         {Server{State: off}, canonical.ServerStopped},
		"NeverStarted":    {Server{State: off, Record: Record{Intent: IntendBuild}}, canonical.ServerBuilding},
		"StartedByOthers": {Server{State: on, Record: Record{Intent: IntendBuild}}, canonical.ServerRunning},
		"Stopping":        {Server{State: on, Task: Stopping}, canonical.ServerRunning},
	}
	for name, c := range cases {
		if got := c.s.status(); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestChooseAddress(t *testing.T) {
	n := network{
		handle: libvirt.Network{Name: "n"},
		def: libvirtxml.Network{IPs: []libvirtxml.NetworkIP{
			{Family: "ipv6", Address: "fd00::1", Prefix: 64, DHCP: &libvirtxml.NetworkDHCP{}},
			{Address: "10.0.0.1", Netmask: "255.255.255.248", DHCP: &libvirtxml.NetworkDHCP{
				Ranges: []libvirtxml.NetworkDHCPRange{{Start: "10.0.0.2", End: "10.0.0.4"}},
				Hosts:  []libvirtxml.NetworkDHCPHost{{MAC: "52:54:00:00:00:01", IP: "10.0.0.2"}},
			}},
		}},
		leases: []libvirt.NetworkDhcpLease{{Ipaddr: "10.0.0.3"}},
	}
	cases := map[string]struct {
		want, got string
		code      canonical.Code
	}{
		"Next":      {"", "10.0.0.4", ""},
		"Wanted":    {"10.0.0.6", "10.0.0.6", ""},
		"Reserved":  {"10.0.0.2", "", canonical.Conflict},
		"Leased":    {"10.0.0.3", "", canonical.Conflict},
		"Host":      {"10.0.0.1", "", canonical.Conflict},
		"Network":   {"10.0.0.0", "", canonical.InvalidRequest},
		"Broadcast": {"10.0.0.7", "", canonical.InvalidRequest},
		"Elsewhere": {"10.0.1.4", "", canonical.InvalidRequest},
		"IPv6":      {"fd00::2", "", canonical.InvalidRequest},
	}
	for name, c := range cases {
		var want netip.Addr
		if c.want != "" {
			want = netip.MustParseAddr(c.want)
		}
		got, index, err := n.choose(want)
		if canonical.CodeOf(err) != c.code || err == nil && (got.String() != c.got || index != 1) {
			t.Errorf("%s: %v %d %v", name, got, index, err)
		}
	}
	n.leases = append(n.leases, libvirt.NetworkDhcpLease{Ipaddr: "10.0.0.4"})
	if _, _, err := n.choose(netip.Addr{}); canonical.CodeOf(err) != canonical.QuotaExceeded {
		t.Errorf("full: %v", err)
	}
	bridge := network{handle: libvirt.Network{Name: "b"}}
	if ip, _, err := bridge.choose(netip.Addr{}); err != nil || ip.IsValid() {
		t.Errorf("a bridge: %v %v", ip, err)
	}
	if _, _, err := bridge.choose(netip.MustParseAddr("10.0.0.2")); canonical.CodeOf(err) != canonical.InvalidRequest {
		t.Errorf("a bridge with an address: %v", err)
	}
}

func TestChooseVirt(t *testing.T) {
	cases := map[string]struct {
		configured VirtType
		whyNot     string
		want       VirtType
		code       canonical.Code
	}{
		"AutoCan":    {VirtAuto, "", VirtKVM, ""},
		"AutoCannot": {VirtAuto, "no vmx", VirtQEMU, ""},
		"QEMU":       {VirtQEMU, "", VirtQEMU, ""},
		"KVM":        {VirtKVM, "", VirtKVM, ""},
		"KVMCannot":  {VirtKVM, "no vmx", "", canonical.FailedPrecondition},
	}
	for name, c := range cases {
		got, reason, err := chooseVirt(c.configured, c.whyNot)
		if got != c.want || canonical.CodeOf(err) != c.code || err == nil && reason == "" {
			t.Errorf("%s: %q %q %v", name, got, reason, err)
		}
	}
}

func TestExplain(t *testing.T) {
	h := newHost(Options{Name: "h1"}, address{})
	answer := func(n libvirt.ErrorNumber, text string) error { return libvirt.Error{Code: uint32(n), Message: text} }
	cases := map[string]struct {
		err  error
		want canonical.Code
	}{
		"None":     {nil, ""},
		"NoDomain": {answer(libvirt.ErrNoDomain, "x"), canonical.NotFound},
		"Full":     {answer(libvirt.ErrSystemError, "cannot extend file 'x': No space left on device"), canonical.QuotaExceeded},
		"Other":    {answer(libvirt.ErrInternalError, strings.Repeat("x", 5000)), canonical.UpstreamError},
		"Lost":     {fmt.Errorf("%w: eof", errLost), canonical.Unavailable},
		"Deadline": {context.DeadlineExceeded, canonical.Timeout},
		"Ours":     {canonical.Invalid("a", "b"), canonical.InvalidRequest},
		"Strange":  {errors.New("x"), canonical.UpstreamError},
	}
	for name, c := range cases {
		err := h.explain(c.err, "do it")
		if canonical.CodeOf(err) != c.want || err != nil && !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
		if e := canonical.AsError(err); e != nil && e.Upstream != nil && len(e.Upstream.Message) > 1024 {
			t.Errorf("%s: a message of %d bytes", name, len(e.Upstream.Message))
		}
	}
}

// TestTableOrder: what was read earlier does not replace what was read later, in
// whatever order it arrives.
func TestTableOrder(t *testing.T) {
	on, off := state(libvirt.DomainRunning, 1), state(libvirt.DomainShutoff, 1)
	tb := newTable()
	early, late := tb.ticket(), tb.ticket()
	tb.found(late, testID, off, &Record{ID: testID})
	tb.found(early, testID, on, nil)
	if s, _ := tb.get(testID); s.State != off {
		t.Errorf("an old finding won: %+v", s.State)
	}
	full := tb.ticket()
	tb.found(tb.ticket(), "new", on, &Record{ID: "new"})
	tb.missing(tb.ticket(), testID)
	tb.all(full, []reading{{id: testID, state: off}})
	if _, ok := tb.get("new"); !ok {
		t.Error("a full reading removed what is newer")
	}
	if _, ok := tb.get(testID); ok {
		t.Error("a full reading brought back what was deleted meanwhile")
	}
	tb.all(tb.ticket(), nil)
	if got := tb.list(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestTableRecord: a record that was written is kept although a newer reading of the
// state alone came first, and neither an older reading of the record nor the state that
// was read before takes anything back.
func TestTableRecord(t *testing.T) {
	on, off := state(libvirt.DomainRunning, 1), state(libvirt.DomainShutoff, 1)
	tb := newTable()
	tb.found(tb.ticket(), testID, on, &Record{ID: testID, Intent: IntendBuild})
	reading, writing, looking := tb.ticket(), tb.ticket(), tb.ticket()
	tb.found(looking, testID, off, nil)
	tb.found(writing, testID, on, nil)
	tb.wrote(testID, Record{ID: testID, Intent: IntendRun})
	tb.found(reading, testID, on, &Record{ID: testID, Intent: IntendBuild})
	if s, _ := tb.get(testID); s.Intent != IntendRun || s.State != off {
		t.Errorf("the intent is %s, the state %+v", s.Intent, s.State)
	}
	later := tb.ticket()
	tb.found(later, testID, on, &Record{ID: testID, Intent: IntendStop})
	if s, _ := tb.get(testID); s.Intent != IntendStop || s.State != on {
		t.Errorf("after a newer reading the intent is %s, the state %+v", s.Intent, s.State)
	}
	tb.missing(tb.ticket(), testID)
	tb.wrote(testID, Record{ID: testID})
	tb.found(later, testID, on, &Record{ID: testID})
	if _, ok := tb.get(testID); ok {
		t.Error("a record that was written brought back what is gone")
	}
}

func TestWatch(t *testing.T) {
	h := newHost(Options{Name: "h1"}, address{})
	h.spawn(func() { h.table.deliver(h.ctx) })
	defer h.Close()
	got := make(chan Event, 10)
	stop := h.Watch(func(e Event) { got <- e })
	on, off := state(libvirt.DomainRunning, 1), state(libvirt.DomainShutoff, 1)
	h.table.found(h.table.ticket(), testID, on, &Record{ID: testID})
	h.table.found(h.table.ticket(), testID, on, nil) // nothing new
	h.table.found(h.table.ticket(), testID, off, nil)
	h.table.missing(h.table.ticket(), testID)
	var words []string
	for range 3 {
		e := <-got
		words = append(words, string(e.Kind)+" "+string(e.Server.Status))
	}
	if diff := cmp.Diff([]string{"changed running", "changed stopped", "gone stopped"}, words); diff != "" {
		t.Error(diff)
	}
	stop()
}

func TestBackoff(t *testing.T) {
	o, err := Options{Name: "h1"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(o, address{})
	for attempt := range 100 {
		d := h.backoff(attempt)
		if d < o.BackoffMin/2 || d > o.BackoffMax {
			t.Errorf("attempt %d: %v", attempt, d)
		}
	}
}

func TestTail(t *testing.T) {
	w := tail{most: 5}
	for i := range 100 {
		if _, err := fmt.Fprintf(&w, "%02d", i); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(w.kept()); got != "79899" {
		t.Errorf("%q", got)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), 3)
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		var whole, pieces frames
		err := whole.pass(data)
		n := max(0, min(cut, len(data)))
		err2 := pieces.pass(data[:n])
		if err2 == nil {
			err2 = pieces.pass(data[n:])
		}
		if (err == nil) != (err2 == nil) {
			t.Errorf("whole %v, in pieces %v", err, err2)
		}
	})
}
