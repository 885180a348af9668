package native

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/native/image"
	"github.com/dragoman-cloud/dragoman/adapters/native/kvm"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// Overcommit is how often what a host has may be given away; 0: the default.
type Overcommit struct {
	VCPUs   float64 // 4
	RAMMiB  float64 // 1
	DiskGiB float64 // 1
}

// HostOptions are one host.
type HostOptions struct {
	Name, URI, Zone string
}

// Options are what a Cloud is made of.
type Options struct {
	Name     string // the cloud's configured name
	Dir      string // for images; made when missing
	Hosts    []HostOptions
	VirtType kvm.VirtType
	// HostDir is where the hosts keep disks; "": kvm's default.
	HostDir    string
	Prefix     string        // begins the names of domains and pools; "": kvm's default
	StopGrace  time.Duration // how long a guest may take to shut down; 0: kvm's default
	Overcommit Overcommit
	Imports    image.Allow // addresses beyond public ones that imports may reach
	Store      *store.Store
	Box        *store.Box // seals the requests of servers that are being made
	Log        *slog.Logger

	open func(kvm.Options) (host, error) // nil: openKVM
}

// Cloud is a cloud of KVM hosts. Its ids are native: canonical.Qualify names it.
type Cloud struct {
	canonical.Mux
	opts   Options
	hosts  []host
	images *image.Store
	ctx    context.Context //nolint:containedctx // the life of the jobs, ended by Close
	stop   context.CancelFunc
	wg     sync.WaitGroup

	flavoring sync.Mutex // while a flavor is made: names are unique
	telling   sync.Mutex // while a server is read and told of: the last word is the newest

	mu       sync.Mutex // guards all below
	closed   bool
	busy     map[canonical.ID]string // what a job does to a server now
	attempts map[canonical.ID]attempt
	jobs     map[canonical.ID]canonical.ID // and which job
	watchers []func(canonical.Server)
}

var (
	_ canonical.Cloud    = (*Cloud)(nil)
	_ canonical.Healther = (*Cloud)(nil)
)

// Open begins to manage the hosts, which need not be up yet, and takes up the jobs
// that an earlier process left.
func Open(ctx context.Context, o Options) (*Cloud, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if len(o.Hosts) == 0 {
		return nil, canonical.Invalid("hosts", "must name a host at least")
	}
	images, err := image.New(image.Config{Dir: filepath.Join(o.Dir, "images"), Allow: o.Imports, Log: o.Log})
	if err != nil {
		return nil, fmt.Errorf("images: %w", err)
	}
	c := &Cloud{opts: o, images: images, busy: make(map[canonical.ID]string), jobs: make(map[canonical.ID]canonical.ID), attempts: make(map[canonical.ID]attempt)}
	c.ctx, c.stop = context.WithCancel(context.Background())
	if err := errors.Join(c.openHosts(), c.seedFlavors(ctx)); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.handle()
	if err := c.resume(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.spawn(func() { c.forget(time.Hour) })
	return c, nil
}

func (c *Cloud) openHosts() error {
	open := c.opts.open
	if open == nil {
		open = openKVM
	}
	for _, h := range c.opts.Hosts {
		if c.hostNamed(h.Name) != nil {
			return canonical.Invalid("hosts", "%s is named twice", h.Name)
		}
		host, err := open(kvm.Options{
			Name: h.Name, URI: h.URI, Zone: h.Zone, Virt: c.opts.VirtType, Dir: c.opts.HostDir,
			Prefix: c.opts.Prefix, StopGrace: c.opts.StopGrace, Log: c.opts.Log, Wanted: c.hasImage,
		})
		if err != nil {
			return fmt.Errorf("host %s: %w", h.Name, err)
		}
		c.hosts = append(c.hosts, host)
		host.Watch(c.changed)
	}
	return nil
}

// Close ends the jobs, which the next process takes up, and lets go of the hosts: their
// servers go on. It can be repeated.
func (c *Cloud) Close() error {
	c.mu.Lock() // so that nothing is begun that is not waited for
	closed := c.closed
	c.closed = true
	c.stop()
	c.mu.Unlock()
	if closed {
		return nil
	}
	c.wg.Wait()
	for _, h := range c.hosts {
		h.Close()
	}
	return c.images.Close()
}

// Do implements canonical.Cloud.
func (c *Cloud) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	if err := ctx.Err(); err != nil { // the store may not ask before it is done
		return canonical.Reply{}, canonical.AsError(err)
	}
	return c.Mux.Do(ctx, call)
}

// Health implements canonical.Healther: the cloud is as well as its hosts.
func (c *Cloud) Health() canonical.Health {
	h := canonical.Health{Status: canonical.CloudUp, Breaker: "closed", Versions: map[string]string{}}
	down := 0
	for _, host := range c.hosts {
		if is := host.Health(); !is.Connected {
			down++
			h.Since, h.Detail = is.Since, fmt.Sprintf("host %s is not connected: %v", host.Name(), is.Err)
		}
	}
	switch {
	case down == len(c.hosts):
		h.Status = canonical.CloudDown
	case down > 0:
		h.Status = canonical.CloudDegraded
	}
	return h
}

func (c *Cloud) handle() {
	handle(c, canonical.ListFlavors, c.listFlavors)
	handle(c, canonical.GetFlavor, c.getFlavor)
	handle(c, canonical.CreateFlavor, c.createFlavor)
	handle(c, canonical.UpdateFlavor, c.updateFlavor)
	handle(c, canonical.DeleteFlavor, c.deleteFlavor)
	handle(c, canonical.GetFlavorExtraSpecs, c.getExtraSpecs)
	handle(c, canonical.MergeFlavorExtraSpecs, c.mergeExtraSpecs)
	handle(c, canonical.SetFlavorExtraSpec, c.setExtraSpec)
	handle(c, canonical.DeleteFlavorExtraSpec, c.deleteExtraSpec)
	handle(c, canonical.ListKeypairs, c.listKeypairs)
	handle(c, canonical.GetKeypair, c.getKeypair)
	handle(c, canonical.CreateKeypair, c.createKeypair)
	handle(c, canonical.DeleteKeypair, c.deleteKeypair)
	handle(c, canonical.ListImages, c.listImages)
	handle(c, canonical.GetImage, c.getImage)
	handle(c, canonical.CreateImage, c.createImage)
	handle(c, canonical.UpdateImage, c.updateImage)
	handle(c, canonical.DeleteImage, c.deleteImage)
	handle(c, canonical.UploadImage, c.uploadImage)
	handle(c, canonical.DownloadImage, c.downloadImage)
	canonical.Handle(&c.Mux, canonical.ImportImage, c.importImage)
	handle(c, canonical.ListNetworks, c.listNetworks)
	handle(c, canonical.GetNetwork, c.getNetwork)
	handle(c, canonical.ListAvailabilityZones, c.listZones)
	handle(c, canonical.ListHypervisors, c.listHypervisors)
	handle(c, canonical.GetHypervisor, c.getHypervisor)
	handle(c, canonical.GetLimits, c.getLimits)
	handle(c, canonical.ListServers, c.listServers)
	handle(c, canonical.GetServer, c.getServer)
	handle(c, canonical.UpdateServer, c.updateServer)
	handle(c, canonical.GetConsoleOutput, c.consoleOutput)
	canonical.Handle(&c.Mux, canonical.CreateServer, c.createServer)
	canonical.Handle(&c.Mux, canonical.DeleteServer, c.deleteServer)
	canonical.Handle(&c.Mux, canonical.StartServer, c.startServer)
	canonical.Handle(&c.Mux, canonical.StopServer, c.stopServer)
	canonical.Handle(&c.Mux, canonical.RebootServer, c.rebootServer)
	canonical.Handle(&c.Mux, canonical.PauseServer, c.pauseServer)
	canonical.Handle(&c.Mux, canonical.UnpauseServer, c.unpauseServer)
	canonical.Handle(&c.Mux, canonical.SuspendServer, c.suspendServer)
	canonical.Handle(&c.Mux, canonical.ResumeServer, c.resumeServer)
	canonical.Handle(&c.Mux, canonical.ResizeServer, c.resizeServer)
	canonical.Handle(&c.Mux, canonical.ConfirmServerResize, c.confirmResize)
	canonical.Handle(&c.Mux, canonical.RevertServerResize, c.revertResize)
	handle(c, canonical.LockServer, c.lockServer)
	handle(c, canonical.UnlockServer, c.unlockServer)
	handle(c, canonical.GetOperation, c.getJob)
}

// handle registers what answers at once.
func handle[Req, Res any](c *Cloud, op canonical.Op[Req, Res], h func(context.Context, Req) (Res, error)) {
	canonical.Handle(&c.Mux, op, func(ctx context.Context, r Req) (out canonical.TypedReply[Res], err error) {
		out.Result, err = h(ctx, r)
		return out, err
	})
}

// those are the items that pass the filter, as the page that was asked for.
func those[T canonical.Listed](items []T, match func(*T) bool, o canonical.ListOptions) (canonical.Page[T], error) {
	return canonical.Arrange(slices.DeleteFunc(items, func(t T) bool { return !match(&t) }), o)
}

// pick is the item of that id or, failing that, of that name.
func pick[T canonical.Listed](items []T, ref string) (found T, ok bool) {
	for _, byName := range []bool{false, true} {
		for _, item := range items {
			if id, name, _ := item.ListKeys(); !byName && string(id) == ref || byName && name == ref {
				return item, true
			}
		}
	}
	return found, false
}

func (c *Cloud) object(kind, id string) store.Object {
	return store.Object{Cloud: c.opts.Name, Kind: kind, ID: id}
}

func now() time.Time { return time.Now().UTC() }

// notNil is m, empty where it is nil: maps of results are never null.
func notNil[M ~map[K]V, K comparable, V any](m M) M {
	if m == nil {
		return M{}
	}
	return m
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
