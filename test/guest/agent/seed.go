//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gopkg.in/yaml.v3"
)

// seedWait is how long a disk may take to show up after its driver was loaded: SCSI
// buses are scanned in the background.
const seedWait = 3 * time.Second

type seed struct {
	Meta    metaData
	User    []byte
	Network networkConfig
}

type metaData struct {
	InstanceID string     `yaml:"instance-id"`
	Hostname   string     `yaml:"local-hostname"`
	PublicKeys stringList `yaml:"public-keys"`
}

// stringList is a list, a map whose values count, or one string of lines.
type stringList []string

func (l *stringList) UnmarshalYAML(n *yaml.Node) error {
	switch n.Kind { //nolint:exhaustive // all others are text
	case yaml.SequenceNode:
		return n.Decode((*[]string)(l))
	case yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			*l = append(*l, n.Content[i].Value)
		}
	default:
		*l = strings.FieldsFunc(n.Value, func(r rune) bool { return r == '\n' })
	}
	return nil
}

// findSeed mounts the disk labelled cidata and reads it. Without one the guest has
// defaults: its own name, and DHCP everywhere.
func findSeed() (seed, error) {
	dev := waitForLabel("cidata")
	if dev == "" {
		say("no seed")
		return seed{}, nil
	}
	say("seed %s", filepath.Base(dev))
	if err := mount(dev, "/run/seed", "iso9660", syscall.MS_RDONLY); err != nil {
		return seed{}, err
	}
	return readSeed("/run/seed")
}

func waitForLabel(label string) string {
	for end := time.Now().Add(seedWait); ; time.Sleep(50 * time.Millisecond) {
		if dev := deviceLabelled(label); dev != "" || time.Now().After(end) {
			return dev
		}
	}
}

func deviceLabelled(label string) string {
	blocks, err := os.ReadDir("/sys/block")
	if err != nil {
		return ""
	}
	for _, b := range blocks {
		dev := "/dev/" + b.Name()
		if got, err := isoLabel(dev); err == nil && strings.EqualFold(got, label) {
			return dev
		}
	}
	return ""
}

// isoLabel is the volume identifier of an ISO 9660 image (ECMA-119, 8.4.7).
func isoLabel(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	descriptor := make([]byte, 72)
	if _, err := f.ReadAt(descriptor, 16*2048); err != nil {
		return "", err
	}
	if string(descriptor[1:6]) != "CD001" {
		return "", errors.New("not an ISO 9660 image")
	}
	return string(bytes.TrimRight(descriptor[40:72], " \x00")), nil
}

func readSeed(dir string) (seed, error) {
	var s seed
	var errs []error
	errs = append(errs, readYAML(filepath.Join(dir, "meta-data"), &s.Meta))
	errs = append(errs, readYAML(filepath.Join(dir, "network-config"), &s.Network))
	user, err := os.ReadFile(filepath.Join(dir, "user-data"))
	if !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	s.User = user
	if err := errors.Join(errs...); err != nil {
		say("error seed: %v", err)
	}
	return s, nil
}

func readYAML(path string, into any) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}
