package native

import (
	"context"

	"github.com/dragoman-cloud/dragoman/adapters/native/kvm"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// host is what a cloud asks of a host. Get, List and Health ask nobody;
// all that changes something can be repeated.
type host interface {
	Name() string
	Zone() string
	Health() kvm.Health
	Ready(ctx context.Context) error // waits until it is connected
	Facts(ctx context.Context) (kvm.Facts, error)
	Networks(ctx context.Context) ([]kvm.Network, error)

	EnsureBase(ctx context.Context, id canonical.ID, src kvm.BaseSource) (*kvm.Base, error)
	EvictBase(ctx context.Context, id canonical.ID) error
	Define(ctx context.Context, spec kvm.ServerSpec) (kvm.Server, error)
	Start(ctx context.Context, id string) (kvm.Server, error)
	Stop(ctx context.Context, id string, force bool) (kvm.Server, error)
	Update(ctx context.Context, id string, change func(*kvm.Record)) (kvm.Server, error)
	Pause(ctx context.Context, id string) (kvm.Server, error)
	Unpause(ctx context.Context, id string) (kvm.Server, error)
	Suspend(ctx context.Context, id string) (kvm.Server, error)
	Reshape(ctx context.Context, id string, to canonical.ServerFlavor) (kvm.Server, error)
	Grow(ctx context.Context, id string, bytes uint64) (kvm.Server, error)
	Delete(ctx context.Context, id string) error
	Console(ctx context.Context, id string, maxBytes int) ([]byte, error)

	Orphans(ctx context.Context) ([]string, error)

	Get(id string) (kvm.Server, error)
	List() []kvm.Server
	Watch(f func(kvm.Event)) (stop func())
	Close()
}

var _ host = (*kvm.Host)(nil)

func openKVM(o kvm.Options) (host, error) { return kvm.Open(o) }

// hostNamed is the host of that name; nil: it is not configured any more.
func (c *Cloud) hostNamed(name string) host {
	for _, h := range c.hosts {
		if h.Name() == name {
			return h
		}
	}
	return nil
}

// hostOf is the host that a server is on.
func (c *Cloud) hostOf(r record) (host, error) {
	h := c.hostNamed(r.Host)
	if h == nil {
		return nil, canonical.Errorf(canonical.FailedPrecondition, "host %s is not configured any more", r.Host)
	}
	return h, nil
}
