//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// The power button as linux/input.h tells it: a struct input_event is a time of 16
// bytes, then type, code and value.
const (
	eventSize = 24
	eventKey  = 1
	keyPower  = 116
	pressed   = 1
)

// listenToButton starts the process that waits for the power button, before anything
// that may take long.
func listenToButton() error { return start("/sbin/agent", "button") }

// waitForButton powers off when the button is pressed. There is nothing to shut down:
// all is in memory or written through.
func waitForButton() error {
	f, err := openButton()
	if err != nil {
		return err
	}
	defer f.Close()
	for event := make([]byte, eventSize); ; {
		if _, err := io.ReadFull(f, event); err != nil {
			return err
		}
		if isPress(event) {
			break
		}
	}
	say("power button")
	syscall.Sync()
	return syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}

func isPress(event []byte) bool {
	le := binary.LittleEndian
	return le.Uint16(event[16:]) == eventKey && le.Uint16(event[18:]) == keyPower && le.Uint32(event[20:]) == pressed
}

func openButton() (*os.File, error) {
	inputs, err := filepath.Glob("/sys/class/input/event*")
	if err != nil {
		return nil, err
	}
	for _, dir := range inputs {
		if sysfs(dir+"/device/name") == "Power Button" {
			return os.Open("/dev/input/" + filepath.Base(dir))
		}
	}
	return nil, fmt.Errorf("not among %d inputs", len(inputs))
}
