//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// cloudConfig is the part of #cloud-config that the guest knows.
type cloudConfig struct {
	Hostname string     `yaml:"hostname"`
	Keys     stringList `yaml:"ssh_authorized_keys"`
	Password string     `yaml:"password"`
	Chpasswd struct {
		List  stringList `yaml:"list"` // "user:password"
		Users []struct {
			Name     string `yaml:"name"`
			Password string `yaml:"password"`
		} `yaml:"users"`
	} `yaml:"chpasswd"`
	Files   []file    `yaml:"write_files"`
	Runcmd  []command `yaml:"runcmd"`
	scripts [][]byte
}

type file struct {
	Path        string `yaml:"path"`
	Content     string `yaml:"content"`
	Encoding    string `yaml:"encoding"` // b64, base64 or empty
	Permissions string `yaml:"permissions"`
}

// command is a line for the shell, or the words of a program.
type command []string

func (c *command) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		return n.Decode((*[]string)(c))
	}
	*c = command{"/bin/sh", "-c", n.Value}
	return nil
}

// config is all parts of the user data in one.
func (s seed) config() (cloudConfig, error) {
	var c cloudConfig
	return c, c.add(s.User)
}

func (c *cloudConfig) add(data []byte) error {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return nil
	case bytes.HasPrefix(data, []byte("#!")):
		c.scripts = append(c.scripts, data)
		return nil
	case bytes.HasPrefix(data, []byte("#cloud-config")):
		var part cloudConfig
		if err := yaml.Unmarshal(data, &part); err != nil {
			return err
		}
		c.join(part)
		return nil
	default:
		return c.addParts(data)
	}
}

// join adds a part as its merge_how asks in our seeds: what is there wins, and lists
// are joined.
func (c *cloudConfig) join(p cloudConfig) {
	if c.Hostname == "" {
		c.Hostname = p.Hostname
	}
	if c.Password == "" {
		c.Password = p.Password
	}
	c.Keys = append(c.Keys, p.Keys...)
	c.Chpasswd.List = append(c.Chpasswd.List, p.Chpasswd.List...)
	c.Chpasswd.Users = append(c.Chpasswd.Users, p.Chpasswd.Users...)
	c.Files = append(c.Files, p.Files...)
	c.Runcmd = append(c.Runcmd, p.Runcmd...)
}

func (c *cloudConfig) addParts(data []byte) error {
	msg, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return errors.New("user data is no script, no #cloud-config and no MIME message")
	}
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	for parts := multipart.NewReader(msg.Body, params["boundary"]); ; {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var body io.Reader = part
		if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "base64") {
			body = base64.NewDecoder(base64.StdEncoding, part)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		if err := c.add(text); err != nil {
			return err
		}
	}
}

func (c cloudConfig) hostname(m metaData) string {
	for _, name := range []string{c.Hostname, m.Hostname} {
		if name != "" {
			return name
		}
	}
	return "dragoman-guest"
}

// applyAccount does what is lost when the guest stops, for its root file system is
// in memory: name, keys, password and files. The only account is root.
func applyAccount(name string, keys []string, c cloudConfig) {
	report("hostname", os.WriteFile("/proc/sys/kernel/hostname", []byte(name), 0o600))
	report("keys", writeFile("/root/.ssh/authorized_keys", lines(keys), 0o600))
	say("authorized_keys %d", len(keys))
	if password := c.rootPassword(); password != "" {
		err := setPassword(password)
		report("password", err)
		if err == nil {
			say("password set")
		}
	}
	for _, f := range c.Files {
		report("file "+f.Path, f.write())
	}
}

func (c cloudConfig) rootPassword() string {
	password := c.Password
	for _, entry := range c.Chpasswd.List {
		if name, pw, ok := strings.Cut(entry, ":"); ok && name == "root" {
			password = pw
		}
	}
	for _, u := range c.Chpasswd.Users {
		if u.Name == "root" {
			password = u.Password
		}
	}
	return password
}

func setPassword(password string) error {
	cmd := exec.CommandContext(context.Background(), "/bin/busybox", "mkpasswd", "-m", "sha256")
	cmd.Stdin = strings.NewReader(password)
	hash, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("mkpasswd: %w", err)
	}
	return os.WriteFile("/etc/shadow", []byte("root:"+strings.TrimSpace(string(hash))+":19000::::::\n"), 0o600)
}

func (f file) write() error {
	content := []byte(f.Content)
	if f.Encoding != "" {
		var err error
		if content, err = base64.StdEncoding.DecodeString(f.Content); err != nil {
			return err
		}
	}
	mode := os.FileMode(0o644)
	if f.Permissions != "" {
		m, err := strconv.ParseUint(strings.TrimPrefix(f.Permissions, "0o"), 8, 32)
		if err != nil {
			return err
		}
		mode = os.FileMode(m)
	}
	return writeFile(f.Path, content, mode)
}

func writeFile(path string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	return os.WriteFile(path, content, mode)
}

// runScripts runs commands and scripts, in this order, with their output on the
// console.
func (c cloudConfig) runScripts() {
	for _, words := range c.Runcmd {
		report("runcmd", runProgram(words...))
	}
	for i, script := range c.scripts {
		path := fmt.Sprintf("/run/user-data.%d", i)
		if err := os.WriteFile(path, script, 0o700); err != nil { //nolint:gosec // to be run
			report("user-data", err)
			continue
		}
		report("user-data", runProgram(path))
	}
}

func runProgram(words ...string) error {
	if len(words) == 0 {
		return nil
	}
	cmd := exec.CommandContext(context.Background(), words[0], words[1:]...) //nolint:gosec // what the seed says to run
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	return cmd.Run()
}

func lines(all []string) []byte {
	if len(all) == 0 {
		return nil
	}
	return []byte(strings.Join(all, "\n") + "\n")
}

func report(what string, err error) {
	if err != nil {
		say("error %s: %v", what, err)
	}
}
