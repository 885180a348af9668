package kvm

import (
	"log/slog"
	"path"
	"regexp"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// VirtType is who executes the guests' instructions.
type VirtType string

// The virtualisation types.
const (
	VirtAuto VirtType = "auto" // VirtKVM where the host can, else VirtQEMU
	VirtKVM  VirtType = "kvm"  // the processor
	VirtQEMU VirtType = "qemu" // an emulator: works everywhere, many times slower
)

// Options say how to reach a host and how to treat it.
type Options struct {
	Name string // of the host; required
	URI  string // qemu:///system, qemu+ssh://user@host/system, qemu+tls://host/system; see parseURI
	Zone string // availability zone, told by Facts
	Virt VirtType

	// Dir is where the pools are kept on the host; default /var/lib/dragoman. The user
	// whom QEMU runs as must be able to reach it.
	Dir string
	// Prefix begins the names of all that is ours; default "dragoman". Two dragomans
	// on one host need two prefixes and two directories.
	Prefix string

	// Wanted says whether an image may still be used: one that is not is deleted from the
	// host when it is connected; default: all are.
	Wanted func(canonical.ID) bool

	StopGrace      time.Duration // how long a guest may take to shut down; default 60 s
	CallLimit      time.Duration // after which a hanging call costs the connection; default 2 min
	ConnectWait    time.Duration // how long from its loss calls wait for a connection to return; default 10 s
	ReconcileEvery time.Duration // how often the whole list is read; default 30 s
	BackoffMin     time.Duration // first pause before redialling; default 100 ms
	BackoffMax     time.Duration // longest pause; default 15 s

	Log *slog.Logger // default: discards
}

var prefixForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

func (o Options) withDefaults() (Options, error) {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.StopGrace, time.Minute)
	def(&o.CallLimit, 2*time.Minute)
	def(&o.ConnectWait, 10*time.Second)
	def(&o.ReconcileEvery, 30*time.Second)
	def(&o.BackoffMin, 100*time.Millisecond)
	def(&o.BackoffMax, 15*time.Second)
	if o.Virt == "" {
		o.Virt = VirtAuto
	}
	if o.Dir == "" {
		o.Dir = "/var/lib/dragoman"
	}
	if o.Prefix == "" {
		o.Prefix = "dragoman"
	}
	if o.Wanted == nil {
		o.Wanted = func(canonical.ID) bool { return true }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, o.validate()
}

func (o Options) validate() error {
	switch {
	case o.Name == "":
		return canonical.Invalid("name", "is required")
	case o.Virt != VirtAuto && o.Virt != VirtKVM && o.Virt != VirtQEMU:
		return canonical.Invalid("virt_type", "must be auto, kvm or qemu")
	case !path.IsAbs(o.Dir) || path.Clean(o.Dir) == "/":
		return canonical.Invalid("dir", "must be an absolute path below /")
	case !prefixForm.MatchString(o.Prefix):
		return canonical.Invalid("prefix", "must be like %s", prefixForm)
	}
	return nil
}
