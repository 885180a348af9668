package memory

import (
	"crypto/rand"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func (c *Cloud) rescueServer(r canonical.ServerRescue) (canonical.TypedReply[canonical.ServerWithPassword], error) {
	s, err := c.ready(r.ID, "rescue", rebuildable)
	if err != nil {
		return refuse[canonical.ServerWithPassword](err)
	}
	disk := s.Image
	if r.Image != "" {
		image, err := c.imageFor(r.Image, s.Flavor)
		if err != nil {
			return refuse[canonical.ServerWithPassword](err)
		}
		disk = &canonical.Link{ID: image.ID, Name: &image.Name}
	}
	out, err := c.act(canonical.RescueServer.Spec(), s, "rescuing", canonical.ServerRescued, func() { s.bootFrom(disk) })
	return withPassword(out, r.Password), err
}

// withPassword tells the password that was asked for, or a new one.
func withPassword(r canonical.TypedReply[canonical.Server], asked string) canonical.TypedReply[canonical.ServerWithPassword] {
	if asked == "" {
		asked = newPassword()
	}
	return canonical.TypedReply[canonical.ServerWithPassword]{
		Result: canonical.ServerWithPassword{Server: r.Result, AdminPassword: &asked}, Task: r.Task,
	}
}

func newPassword() string { return rand.Text()[:12] }

func (c *Cloud) unrescueServer(r canonical.ServerUnrescue) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "unrescue", states{canonical.ServerRescued})
	if err != nil {
		return refuse[canonical.Server](err)
	}
	return c.act(canonical.UnrescueServer.Spec(), s, "unrescuing", canonical.ServerRunning, s.boot)
}
