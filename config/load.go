package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// Load reads the file at path; "" is the first of /etc/dragoman/dragoman.yaml and
// ./dragoman.yaml that is there, else the defaults with one memory cloud. The error
// joins all that is wrong.
func Load(path string) (*Config, error) {
	for _, p := range []string{"/etc/dragoman/dragoman.yaml", "dragoman.yaml"} {
		if _, err := os.Stat(p); path == "" && err == nil {
			path = p
		}
	}
	if path == "" {
		return Parse([]byte("clouds: [{name: memory, dialect: memory, shared: true}]"), ".", os.Getenv)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	c, err := Parse(data, filepath.Dir(path), os.Getenv)
	if err != nil {
		return nil, fmt.Errorf("config: %s:\n%w", path, err)
	}
	return c, nil
}

// Parse reads a configuration whose relative paths start at dir; getenv is the
// environment.
func Parse(data []byte, dir string, getenv func(string) string) (*Config, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	c, p := defaults(), &problems{}
	if err := p.decode(data, c); err != nil {
		return nil, err
	}
	p.environment(c, getenv)
	abs := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(root, path)
	}
	c.absolute(abs)
	p.secrets(c, getenv, abs)
	p.check(c)
	if err := p.join(); err != nil {
		return nil, err
	}
	return c, nil
}

// decode reads the file, which is one YAML document or empty. The error is that it
// is no YAML at all.
func (p *problems) decode(data []byte, c *Config) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	var kinds *yaml.TypeError
	err := d.Decode(c)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &kinds):
	case err != nil:
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	var file yaml.Node
	if err := yaml.Unmarshal(data, &file); err != nil {
		return err
	}
	p.index(&file, "")
	if kinds != nil {
		p.kinds(kinds)
	}
	var more yaml.Node
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		p.addAt(more.Line, "", "a second document is not read")
	}
	return nil
}

// absolute makes the paths of c absolute.
func (c *Config) absolute(abs func(string) string) {
	c.Data = abs(c.Data)
	if p, ok := strings.CutPrefix(c.Store, "sqlite:"); ok && p != "" && p != ":memory:" {
		c.Store = "sqlite:" + abs(p)
	}
	if p, ok := strings.CutPrefix(string(c.SecretKey), "file:"); ok {
		c.SecretKey = Ref("file:" + abs(p))
	}
	if c.TLS != nil {
		c.TLS.Cert, c.TLS.Key, c.TLS.ClientCA = abs(c.TLS.Cert), abs(c.TLS.Key), abs(c.TLS.ClientCA)
	}
}
