package image

import (
	"log/slog"
	"time"
)

// Config says where images are kept and how large they may be. Zero values take the
// defaults.
type Config struct {
	Dir             string        // made when missing; required
	MaxBytes        int64         // of a file, as sent and as kept; 0: 100 GiB
	MaxVirtualBytes int64         // of the disk that a file holds; 0: 2 TiB
	ReserveBytes    int64         // of the file system that stay free; 0: 256 MiB
	HostFormat      Format        // that hosts take, qcow2 or raw; "": qcow2
	Allow           Allow         // addresses beyond public ones that imports may reach
	ImportTimeout   time.Duration // of one import; 0: 2 h
	Convert         Limits        // of converting; zero fields: 30 min of processor, 2 GiB, 1 h
	Log             *slog.Logger  // nil: slog.Default
	Now             func() time.Time
}

// Limits bind a run of qemu-img.
type Limits struct {
	CPU         time.Duration // processor time, in whole seconds
	MemoryBytes int64         // address space
	Time        time.Duration // on the clock
}

// inspectLimits are enough for the largest tables that the limits on sizes allow.
var inspectLimits = Limits{CPU: 10 * time.Second, MemoryBytes: 1 << 30, Time: 30 * time.Second}

func (c Config) withDefaults() Config {
	c.MaxBytes = orElse(c.MaxBytes, 100<<30)
	c.MaxVirtualBytes = orElse(c.MaxVirtualBytes, 2<<40)
	c.ReserveBytes = orElse(c.ReserveBytes, 256<<20)
	c.HostFormat = orElse(c.HostFormat, QCOW2)
	c.ImportTimeout = orElse(c.ImportTimeout, 2*time.Hour)
	c.Convert.CPU = orElse(c.Convert.CPU, 30*time.Minute)
	c.Convert.MemoryBytes = orElse(c.Convert.MemoryBytes, 2<<30)
	c.Convert.Time = orElse(c.Convert.Time, time.Hour)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func orElse[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
