package memory

import (
	"context"
	"sync"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Options say how a memory cloud behaves. The zero value is a cloud that is quick,
// without faults and without limits.
type Options struct {
	// Name is the cloud's: the ids of its flavors, images and networks follow from it, so
	// that two clouds behind one broker have different ones.
	Name string
	// Delay is how long long work takes; 0: it is done when the call answers.
	Delay time.Duration
	// Latency is how long every call takes.
	Latency time.Duration
	// Clock is the time; nil: the machine's.
	Clock Clock
	// Faults is asked before every operation; an error is the operation's answer.
	// It may wait, and then honours ctx. Cloud.SetFaults changes it.
	Faults func(ctx context.Context, op *canonical.Spec) error
	// Lost is asked after every operation that was performed; with an error the answer
	// is lost, and the caller gets the error.
	Lost func(ctx context.Context, op *canonical.Spec) error
	// Stuck is asked when long work on a server begins; true: the work never ends.
	Stuck func(op *canonical.Spec, server canonical.Server) bool
	// Outcome is asked when long work on a server ends; a fault sends the server into
	// state error. Neither may call the cloud. Deletions and snapshots never fail.
	Outcome func(op *canonical.Spec, server canonical.Server) *canonical.Fault
	// Capacity limits what the servers may use together.
	Capacity Capacity
	// Recycle is how long deleted servers rest in a recycle bin; 0: there is none.
	Recycle time.Duration
	// KeepShelved leaves shelved servers on their hosts until they are offloaded; else
	// shelving offloads them.
	KeepShelved bool
	// ImageBytes is what all uploaded images together may hold; 0: 256 MiB.
	ImageBytes int64
}

// Capacity is what fits into the cloud; 0 is no limit. More is QuotaExceeded.
type Capacity struct {
	Servers   int
	VCPUs     int
	RAMMiB    int
	VolumeGiB int // of volumes and their snapshots
}

// Cloud is a cloud in memory. Its ids are native: canonical.Qualify names it.
type Cloud struct {
	mux  canonical.Mux
	opts Options

	nets

	mu              sync.Mutex // guards all below
	faults          func(context.Context, *canonical.Spec) error
	health          canonical.Health
	flavors         []canonical.Flavor
	images          []canonical.Image
	zones           []canonical.AvailabilityZone
	servers         map[canonical.ID]*server
	graves          []*server // the newest of those that were deleted, oldest first
	snapshots       map[canonical.ID]*snapshot
	keypairs        map[string]canonical.Keypair
	content         map[canonical.ID][]byte // of uploaded images
	stored          int64                   // bytes of content
	load            map[string]int          // servers by host
	queue           []job
	asks            canonical.Role // of the call that holds the lock
	volumes         map[canonical.ID]*volume
	volumeSnapshots map[canonical.ID]*volumeSnapshot
	volumeTypes     []canonical.VolumeType
	records
}

var _ canonical.Cloud = (*Cloud)(nil)

// New makes a cloud with two hosts, three flavors, an image, a network of its own and one
// that leads out of it, and a zone.
func New(o Options) *Cloud {
	if o.Clock == nil {
		o.Clock = wall{}
	}
	c := &Cloud{
		records: newRecords(), opts: o, faults: o.Faults, servers: map[canonical.ID]*server{}, snapshots: map[canonical.ID]*snapshot{},
		keypairs: map[string]canonical.Keypair{}, nets: newNets(),
		content: map[canonical.ID][]byte{}, load: map[string]int{},
		volumes: map[canonical.ID]*volume{}, volumeSnapshots: map[canonical.ID]*volumeSnapshot{},
		health: canonical.Health{Status: canonical.CloudUp, Breaker: "closed", Latency: o.Latency},
	}
	c.seed()
	c.services, c.defaults = c.newServices(), c.defaultQuota()
	c.quota = c.defaults
	c.handle()
	return c
}

func (c *Cloud) handle() {
	handle(c, canonical.ListServers, c.listServers)
	handle(c, canonical.GetServer, c.getServer)
	handle(c, canonical.CreateServer, c.createServer)
	handle(c, canonical.UpdateServer, c.updateServer)
	handle(c, canonical.DeleteServer, c.deleteServer)
	handle(c, canonical.StartServer, c.startServer)
	handle(c, canonical.StopServer, c.stopServer)
	handle(c, canonical.RebootServer, c.rebootServer)
	handle(c, canonical.RebuildServer, c.rebuildServer)
	c.handleFlavors()
	c.handleHosts()
	c.handleImageMembers()
	c.handleQuotas()
	handle(c, canonical.ListUsages, c.listUsages)
	handle(c, canonical.ListServerEvents, c.listServerEvents)
	handle(c, canonical.ListServerMigrations, c.listServerMigrations)
	handle(c, canonical.GetServerEvent, c.getServerEvent)
	handle(c, canonical.ListServerGroups, c.listPlacementGroups)
	handle(c, canonical.GetServerGroup, c.getServerGroup)
	handle(c, canonical.CreateServerGroup, c.createServerGroup)
	handle(c, canonical.DeleteServerGroup, c.deleteServerGroup)
	c.handleMetadata()
	c.handleTags()
	c.handleActions()
	handle(c, canonical.ListServerSnapshots, c.listSnapshots)
	handle(c, canonical.CreateServerSnapshot, c.createSnapshot)
	handle(c, canonical.RollbackServerSnapshot, c.rollbackSnapshot)
	handle(c, canonical.ListImages, c.listImages)
	handle(c, canonical.GetImage, c.getImage)
	handle(c, canonical.CreateImage, c.createImage)
	handle(c, canonical.UpdateImage, c.updateImage)
	handle(c, canonical.DeleteImage, c.deleteImage)
	canonical.Handle(&c.mux, canonical.UploadImage, c.uploadImage)
	handle(c, canonical.DownloadImage, c.downloadImage)
	canonical.HandleIf(&c.mux, canonical.ImportImage, func(context.Context) canonical.Support {
		return canonical.Unsupportedf("the memory cloud fetches nothing: upload the bytes instead")
	}, nil)
	handle(c, canonical.ListHypervisors, c.listHypervisors)
	handle(c, canonical.GetHypervisor, c.getHypervisor)
	handle(c, canonical.GetLimits, c.getLimits)
	handle(c, canonical.GetConsoleOutput, c.consoleOutput)
	c.handleVolumes()
	c.handleNetworks()
	handle(c, canonical.ListAvailabilityZones, c.listZones)
	handle(c, canonical.ListKeypairs, c.listKeypairs)
	handle(c, canonical.GetKeypair, c.getKeypair)
	handle(c, canonical.CreateKeypair, c.createKeypair)
	handle(c, canonical.DeleteKeypair, c.deleteKeypair)
}

func (c *Cloud) handleActions() {
	handle(c, canonical.PauseServer, c.pauseServer)
	handle(c, canonical.UnpauseServer, c.unpauseServer)
	handle(c, canonical.SuspendServer, c.suspendServer)
	handle(c, canonical.ResumeServer, c.resumeServer)
	handle(c, canonical.LockServer, c.lockServer)
	handle(c, canonical.UnlockServer, c.unlockServer)
	handle(c, canonical.ShelveServer, c.shelveServer)
	handle(c, canonical.ShelveOffloadServer, c.shelveOffloadServer)
	handle(c, canonical.UnshelveServer, c.unshelveServer)
	handle(c, canonical.RescueServer, c.rescueServer)
	handle(c, canonical.UnrescueServer, c.unrescueServer)
	handle(c, canonical.ResizeServer, c.resizeServer)
	handle(c, canonical.ConfirmServerResize, c.confirmResize)
	handle(c, canonical.RevertServerResize, c.revertResize)
	handle(c, canonical.SetServerPassword, c.setPassword)
	handle(c, canonical.CreateServerImage, c.createServerImage)
	handle(c, canonical.CreateServerBackup, c.createServerBackup)
	handle(c, canonical.MigrateServer, c.migrateServer)
	handle(c, canonical.LiveMigrateServer, c.liveMigrateServer)
	handle(c, canonical.EvacuateServer, c.evacuateServer)
	handle(c, canonical.ResetServerState, c.resetState)
	handle(c, canonical.RestoreServer, c.restoreServer)
	handle(c, canonical.PurgeServer, c.purgeServer)
	handle(c, canonical.OpenConsole, c.openConsole)
	handle(c, canonical.GetServerDiagnostics, c.getDiagnostics)
	handle(c, canonical.GetServerTopology, c.getTopology)
}

// handle registers h, which runs with the lock held and all due work finished.
func handle[Req, Res any](c *Cloud, op canonical.Op[Req, Res], h func(Req) (canonical.TypedReply[Res], error)) {
	canonical.Handle(&c.mux, op, func(ctx context.Context, req Req) (canonical.TypedReply[Res], error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asks = canonical.CallerOf(ctx).Role
		c.settle()
		reply, err := h(req)
		if err == nil {
			c.noted(op.Spec(), req, any(reply.Result), reply.Task)
		}
		return reply, err
	})
}

// SetFaults replaces Options.Faults; nil: no faults.
func (c *Cloud) SetFaults(f func(ctx context.Context, op *canonical.Spec) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = f
}

// Do implements canonical.Cloud.
func (c *Cloud) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	if err := c.wait(ctx, c.opts.Latency); err != nil {
		return canonical.Reply{}, canonical.AsError(err)
	}
	c.mu.Lock()
	faults := c.faults
	c.mu.Unlock()
	var err error
	if faults != nil {
		err = faults(ctx, call.Op)
	}
	c.feel(err)
	if err != nil {
		return canonical.Reply{}, canonical.AsError(err)
	}
	reply, err := c.mux.Do(ctx, call)
	if err == nil && c.opts.Lost != nil {
		if err := c.opts.Lost(ctx, call.Op); err != nil {
			return canonical.Reply{}, canonical.AsError(err)
		}
	}
	return reply, err
}

// Hang is a fault, before or after an operation: nothing comes back until the caller
// gives up.
func Hang(ctx context.Context, _ *canonical.Spec) error {
	<-ctx.Done()
	return ctx.Err()
}

// Support implements canonical.Cloud.
func (c *Cloud) Support(ctx context.Context, op *canonical.Spec) canonical.Support {
	return c.mux.Support(ctx, op)
}

// wait lets d pass, or less when ctx ends.
func (c *Cloud) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	passed := make(chan struct{})
	stop := c.opts.Clock.AfterFunc(d, func() { close(passed) })
	select {
	case <-passed:
		return nil
	case <-ctx.Done():
		stop()
		return ctx.Err()
	}
}

func (c *Cloud) now() time.Time { return c.opts.Clock.Now().UTC() }

func reply[Res any](res Res, task *canonical.Task) (canonical.TypedReply[Res], error) {
	return canonical.TypedReply[Res]{Result: res, Task: task}, nil
}

func refuse[Res any](err error) (canonical.TypedReply[Res], error) {
	return canonical.TypedReply[Res]{}, err
}
