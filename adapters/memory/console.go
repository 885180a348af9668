package memory

import (
	"fmt"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// maxConsole is how many lines of a console are kept.
const maxConsole = 200

// boot is what the guest writes to its console when it starts.
func (s *server) boot() { s.bootFrom(s.Image) }

// bootFrom is boot where the disk is made of another image.
func (s *server) bootFrom(disk *canonical.Link) {
	s.boots++
	at := "unknown time"
	if s.UpdatedAt != nil {
		at = s.UpdatedAt.Format(time.RFC3339)
	}
	image := "no image"
	if disk != nil && disk.Name != nil {
		image = *disk.Name
	}
	s.console = append(s.console,
		fmt.Sprintf("[    0.000000] memory: boot %d of %s at %s", s.boots, s.instance(), at),
		fmt.Sprintf("[    0.000001] memory: %d CPUs, %d MiB, disk from %s", *s.Flavor.VCPUs, *s.Flavor.RAMMiB, image),
		oneLine(s.Name)+" login:",
	)
	if n := len(s.console); n > maxConsole {
		s.console = append([]string(nil), s.console[n-maxConsole:]...)
	}
}

// oneLine is a name without what would make several lines of it.
func oneLine(name string) string { return strings.Join(strings.Fields(name), " ") }

// instance is the host's name for the server.
func (s *server) instance() string {
	if s.InstanceName == nil {
		return string(s.ID)
	}
	return *s.InstanceName
}

func (c *Cloud) consoleOutput(r canonical.ConsoleOutputGet) (canonical.TypedReply[canonical.ConsoleOutput], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.ConsoleOutput](err)
	}
	lines := s.console
	if r.Lines > 0 && len(lines) > r.Lines {
		lines = lines[len(lines)-r.Lines:]
	}
	var out canonical.ConsoleOutput
	if len(lines) > 0 {
		out.Output = strings.Join(lines, "\n") + "\n"
	}
	return reply(out, nil)
}
