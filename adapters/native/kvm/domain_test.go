package kvm

import (
	"encoding/xml"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"libvirt.org/go/libvirtxml"

	"github.com/dragoman-cloud/dragoman/canonical"
)

var update = flag.Bool("update", false, "write the golden files anew")

const testID = "11111111-2222-4333-8444-555555555555"

func goldenSpec() ServerSpec {
	s := testSpec(&Base{ImageID: "image", Bytes: 1 << 20, path: "/base/image.qcow2", format: "qcow2"})
	s.ID = testID
	return s
}

func TestDomain(t *testing.T) {
	ip := netip.MustParseAddr("10.1.2.3")
	cases := map[string]struct {
		virt   VirtType
		change func(*ServerSpec)
		nics   []NIC
		seed   string
	}{
		"plain":  {virt: VirtQEMU, change: func(*ServerSpec) {}},
		"seeded": {virt: VirtQEMU, change: func(*ServerSpec) {}, seed: "/servers/x.iso", nics: []NIC{{Network: "default", MAC: MAC(testID, 0), IP: ip}, {Network: "br", MAC: MAC(testID, 1)}}},
		"kvm":    {virt: VirtKVM, change: func(*ServerSpec) {}},
		"specs": {virt: VirtKVM, nics: []NIC{{Network: "default", MAC: MAC(testID, 0)}}, change: func(s *ServerSpec) {
			*s.Flavor.VCPUs = 4
			s.Flavor.ExtraSpecs = map[string]string{
				"hw:cpu_policy": "shared", "hw:cpu_threads": "2", "hw:mem_page_size": "2MB", "hw:watchdog_action": "reset", "hw:boot_menu": "True",
				"hw_rng:allowed": "false", "quota:cpu_shares": "512", "quota:cpu_period": "20000", "quota:cpu_quota": "10000",
				"quota:vif_inbound_average": "1000", "quota:vif_outbound_average": "500", "quota:disk_total_iops_sec": "100", "quota:disk_read_bytes_sec": "1000000",
			}
		}},
		"tricks": {virt: VirtQEMU, change: func(s *ServerSpec) {
			s.Name = "</metadata><devices/>&lt;\"' ../../x; DROP TABLE servers;-- 名前 🚀 \x00\x07\u2028"
			s.Description = "]]>"
			s.Metadata = map[string]string{"<k>": "</server>", "🚀": "\x1b[2J"}
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			spec := goldenSpec()
			c.change(&spec)
			record := spec.record(c.nics)
			d, err := domain("dragoman-"+testID, machine{virt: c.virt, arch: "x86_64"}, spec, record,
				parts{disk: "/servers/x.qcow2", seed: c.seed, console: "/servers/x.log"})
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", name+".xml"), got+"\n")
			var whole struct {
				Server struct {
					Inner string `xml:",chardata"`
				} `xml:"metadata>server"`
			}
			if err := xml.Unmarshal([]byte(got), &whole); err != nil {
				t.Fatal(err)
			}
			element, _ := record.metadata()
			back, err := readMetadata(element)
			if err != nil || !back.equal(record) || !strings.Contains(element, "server") || whole.Server.Inner == "" {
				t.Errorf("the record does not survive: %v %s", err, cmp.Diff(record, back, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })))
			}
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (run with -update to accept): %s", path, diff)
	}
}

func TestExtraSpecsRefused(t *testing.T) {
	for spec, value := range map[string]string{
		"hw:unheard_of": "1", "hw:cpu_policy": "dedicated", "hw:cpu_cores": "0", "hw:mem_page_size": "3MB", "hw:watchdog_action": "explode",
		"hw:boot_menu": "perhaps", "hw_rng:allowed": "1", "quota:cpu_shares": "1", "quota:disk_read_iops_sec": "-1", "quota:vif_inbound_average": "x",
	} {
		t.Run(spec, func(t *testing.T) {
			err := CheckExtraSpecs(map[string]string{spec: value})
			e := canonical.AsError(err)
			if canonical.CodeOf(err) != canonical.InvalidRequest || len(e.Fields) != 1 || e.Fields[0].Field != "flavor.extra_specs."+spec {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTopology(t *testing.T) {
	cases := map[string]struct {
		vcpus      int
		in, want   libvirtxml.DomainCPUTopology
		impossible bool
	}{
		"Threads":    {vcpus: 4, in: libvirtxml.DomainCPUTopology{Threads: 2}, want: libvirtxml.DomainCPUTopology{Sockets: 2, Cores: 1, Threads: 2}},
		"All":        {vcpus: 8, in: libvirtxml.DomainCPUTopology{Sockets: 2, Cores: 2, Threads: 2}, want: libvirtxml.DomainCPUTopology{Sockets: 2, Cores: 2, Threads: 2}},
		"Sockets":    {vcpus: 4, in: libvirtxml.DomainCPUTopology{Sockets: 1}, want: libvirtxml.DomainCPUTopology{Sockets: 1, Cores: 4, Threads: 1}},
		"Impossible": {vcpus: 3, in: libvirtxml.DomainCPUTopology{Cores: 2}, impossible: true},
		"Wrong":      {vcpus: 4, in: libvirtxml.DomainCPUTopology{Sockets: 1, Cores: 1, Threads: 1}, impossible: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := completeTopology(&c.in, c.vcpus)
			if c.impossible != (err != nil) || err == nil && c.in != c.want {
				t.Errorf("%v %+v", err, c.in)
			}
		})
	}
}

func TestSpecRefused(t *testing.T) {
	n := func(n int) *int { return &n }
	for name, change := range map[string]func(*ServerSpec){
		"NoID":      func(s *ServerSpec) { s.ID = "" },
		"PathAsID":  func(s *ServerSpec) { s.ID = "../../etc" },
		"OtherForm": func(s *ServerSpec) { s.ID = "{" + testID + "}" },
		"NoBase":    func(s *ServerSpec) { s.Base = nil },
		"NoVCPUs":   func(s *ServerSpec) { s.Flavor.VCPUs = nil },
		"NoRAM":     func(s *ServerSpec) { s.Flavor.RAMMiB = n(0) },
		"HugeDisk":  func(s *ServerSpec) { s.Flavor.DiskGiB = n(1 << 40) },
		"SmallDisk": func(s *ServerSpec) { s.Base = &Base{Bytes: 2 << 30} },
		"NoTime":    func(s *ServerSpec) { s.CreatedAt = time.Time{} },
		"ManyNICs":  func(s *ServerSpec) { s.NICs = make([]NICSpec, 17) },
		"Spec":      func(s *ServerSpec) { s.Flavor.ExtraSpecs = map[string]string{"x": "y"} },
	} {
		t.Run(name, func(t *testing.T) {
			s := goldenSpec()
			change(&s)
			if err := s.validate(); canonical.CodeOf(err) != canonical.InvalidRequest {
				t.Errorf("%v", err)
			}
		})
	}
	s := goldenSpec()
	if err := s.validate(); err != nil {
		t.Error(err)
	}
}

func TestMAC(t *testing.T) {
	seen := map[string]bool{}
	for i := range maxNICs {
		mac := MAC(testID, i)
		if !strings.HasPrefix(mac, "52:54:00:") || len(mac) != 17 || seen[mac] || mac != MAC(testID, i) {
			t.Errorf("interface %d: %s", i, mac)
		}
		seen[mac] = true
	}
}

func FuzzRecord(f *testing.F) {
	f.Add("name", "key", "value")
	f.Add("</server>", "\x00", "🚀")
	f.Fuzz(func(t *testing.T, name, key, value string) {
		r := Record{ID: testID, Name: strings.ToValidUTF8(name, "?"), Metadata: map[string]string{strings.ToValidUTF8(key, "?"): strings.ToValidUTF8(value, "?")}}
		text, err := r.metadata()
		if err != nil {
			t.Fatal(err)
		}
		back, err := readMetadata(text)
		if err != nil || !back.equal(r) {
			t.Errorf("%v\n%+v\n%+v", err, r, back)
		}
	})
}

func FuzzReadMetadata(f *testing.F) {
	f.Add("<server/>")
	f.Add(fmt.Sprintf("<server xmlns='%s'>{}</server>", metadataURI))
	f.Fuzz(func(_ *testing.T, text string) { _, _ = readMetadata(text) })
}
