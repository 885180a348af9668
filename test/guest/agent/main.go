//go:build linux

// Command agent is the first program that the test guest runs. It loads drivers,
// reads the NoCloud seed, configures the guest after it, runs the user data, and
// says what it did on the serial console, one line each that begins with
// "dragoman-guest: ".
//
// It understands what tests need of cloud-init, and no more; see README.md of the
// directory above.
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	if len(os.Args) < 2 || os.Args[1] != "button" {
		boot()
		return
	}
	if err := waitForButton(); err != nil {
		say("error power button: %v", err)
		os.Exit(1)
	}
}

// boot runs once at every start. What fails is told and does not stop the rest: a
// guest that comes up half-way tells more than one that does not.
func boot() {
	for _, step := range []struct {
		what string
		do   func() error
	}{{"mount", mountKernel}, {"drivers", loadModules}, {"power button", listenToButton}, {"seed", applySeed}} {
		if err := step.do(); err != nil {
			say("error %s: %v", step.what, err)
		}
	}
}

func applySeed() error {
	seed, err := findSeed()
	if err != nil {
		return err
	}
	st := openState()
	st.count(seed.Meta.InstanceID)
	say("boot %d", st.Boots)
	cfg, err := seed.config()
	if err != nil {
		say("error user-data: %v", err)
	}
	name := cfg.hostname(seed.Meta)
	applyAccount(name, append(seed.Meta.PublicKeys, cfg.Keys...), cfg)
	addrs := configureNetwork(seed.Network)
	reportDisks()
	if st.FirstOfInstance {
		cfg.runScripts()
	}
	st.close()
	// From here on, what is plugged in is told.
	report("hot plug", start("/bin/busybox", "uevent", "/etc/hotplug"))
	say("ready %s %s", name, orDash(strings.Join(addrs, ",")))
	return nil
}

// say writes one marker line. What is said may hold text of the seed: control
// characters are quoted so that a line stays a line.
func say(format string, args ...any) {
	line := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, fmt.Sprintf(format, args...))
	fmt.Println("dragoman-guest: " + line)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
