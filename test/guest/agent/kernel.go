//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

func mountKernel() error {
	var errs []error
	for _, m := range [][3]string{
		{"proc", "/proc", "proc"},
		{"sysfs", "/sys", "sysfs"},
		{"devtmpfs", "/dev", "devtmpfs"},
		{"tmpfs", "/run", "tmpfs"},
	} {
		if err := mount(m[0], m[1], m[2], 0); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func mount(source, target, kind string, flags uintptr) error {
	if err := os.MkdirAll(target, 0o750); err != nil {
		return err
	}
	err := syscall.Mount(source, target, kind, flags, "")
	if err != nil && !errors.Is(err, syscall.EBUSY) {
		return fmt.Errorf("mount %s on %s: %w", source, target, err)
	}
	return nil
}

// loadModules loads /lib/modules/order, which build.sh wrote with what others need
// first.
func loadModules() error {
	order, err := os.ReadFile("/lib/modules/order")
	if err != nil {
		return err
	}
	var errs []error
	for name := range strings.FieldsSeq(string(order)) {
		if err := loadModule(filepath.Join("/lib/modules", name)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

func loadModule(path string) error {
	code, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := unix.InitModule(code, ""); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	return nil
}

// run runs a busybox command with its output on the console.
func run(name string, args ...string) error {
	cmd := exec.CommandContext(context.Background(), "/bin/busybox", append([]string{name}, args...)...) //nolint:gosec // what the seed says to run
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// start runs a program that stays, with its output on the console.
func start(words ...string) error {
	cmd := exec.CommandContext(context.Background(), words[0], words[1:]...) //nolint:gosec // our own programs
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	return cmd.Start()
}
