//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	bootDir   = "/boot"
	stateFile = bootDir + "/STATE"
)

// state is what the guest remembers on its root disk: how often it booted, and for
// which instance it ran scripts. A stop and start goes on counting; a rebuild or
// another server begins at 1.
type state struct {
	Boots           int
	FirstOfInstance bool
	disk            bool
}

func openState() *state {
	st := &state{}
	root := rootDevice()
	if err := mount(root, bootDir, "vfat", syscall.MS_SYNCHRONOUS); err != nil {
		say("error state: %v", err)
		return st
	}
	st.disk = true
	return st
}

// rootDevice is the first partition that the boot loader could have come from.
func rootDevice() string {
	for end := time.Now().Add(seedWait); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		for _, dev := range []string{"/dev/vda1", "/dev/sda1"} {
			if _, err := os.Stat(dev); err == nil {
				return dev
			}
		}
	}
	return "/dev/vda1"
}

func (s *state) count(instance string) {
	var last string
	text, err := os.ReadFile(stateFile)
	if err == nil {
		_, err = fmt.Sscanf(string(text), "%d %q", &s.Boots, &last)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		say("error state: %v", err)
	}
	s.Boots++
	s.FirstOfInstance = s.Boots == 1 || last != instance
	if s.disk {
		report("state", os.WriteFile(stateFile, fmt.Appendf(nil, "%d %q\n", s.Boots, instance), 0o600))
	}
}

func (s *state) close() {
	if s.disk {
		report("state", syscall.Unmount(bootDir, 0))
	}
}

// reportDisks says the size in bytes and the serial of every disk.
func reportDisks() {
	blocks, err := os.ReadDir("/sys/block")
	report("disks", err)
	for _, b := range blocks {
		dir := "/sys/block/" + b.Name()
		var sectors int64
		if _, err := fmt.Sscan(sysfs(dir+"/size"), &sectors); err != nil || sectors == 0 {
			continue
		}
		say("disk %s %d %s", b.Name(), sectors*512, orDash(sysfs(dir+"/serial")))
	}
}

func sysfs(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
