package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
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
		return nil, fmt.Errorf("config: %s: %w", path, err)
	}
	return c, nil
}

// Parse reads a configuration whose relative paths start at dir; getenv is the
// environment.
func Parse(data []byte, dir string, getenv func(string) string) (*Config, error) {
	c := defaults()
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	var errs []error
	if err := d.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		errs = append(errs, err)
	}
	root, err := filepath.Abs(dir)
	errs = append(errs, err, fromEnv(reflect.ValueOf(c).Elem(), "DRAGOMAN", getenv))
	abs := func(p string) string {
		if p == "" || filepath.IsAbs(p) {
			return p
		}
		return filepath.Join(root, p)
	}
	c.BootstrapKey.ref = getenv("DRAGOMAN_BOOTSTRAP_KEY")
	c.Data = abs(c.Data)
	if p, ok := strings.CutPrefix(c.Store, "sqlite:"); ok && p != ":memory:" {
		c.Store = "sqlite:" + abs(p)
	}
	if p, ok := strings.CutPrefix(string(c.SecretKey), "file:"); ok {
		c.SecretKey = Ref("file:" + abs(p))
	}
	if c.TLS != nil {
		c.TLS.Cert, c.TLS.Key, c.TLS.ClientCA = abs(c.TLS.Cert), abs(c.TLS.Key), abs(c.TLS.ClientCA)
	}
	errs = append(errs, resolveSecrets(reflect.ValueOf(c).Elem(), "", getenv, abs)...)
	errs = append(errs, c.check()...)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// fromEnv sets scalars from DRAGOMAN_A_B. The values are read as YAML would be.
func fromEnv(v reflect.Value, prefix string, getenv func(string) string) error {
	var errs []error
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		f, name := v.Field(i), prefix+"_"+strings.ToUpper(key)
		if key == "-" || !slices.Contains([]reflect.Kind{reflect.String, reflect.Struct, reflect.Pointer}, f.Kind()) {
			continue
		}
		if t, ok := f.Addr().Interface().(**TLS); ok {
			made := TLS{}
			if *t != nil {
				made = **t
			}
			errs = append(errs, fromEnv(reflect.ValueOf(&made).Elem(), name, getenv))
			if made != (TLS{}) {
				*t = &made
			}
			continue
		}
		value := getenv(name)
		if value == "" {
			continue
		}
		switch x := f.Addr().Interface().(type) {
		case *Secret:
			x.ref = value
		default:
			f.SetString(value)
		}
	}
	return errors.Join(errs...)
}

// resolveSecrets reads every secret of v.
func resolveSecrets(v reflect.Value, path string, getenv func(string) string, abs func(string) string) []error {
	if v.CanAddr() {
		if s, ok := v.Addr().Interface().(*Secret); ok {
			if err := s.resolve(getenv, abs); err != nil {
				return []error{fmt.Errorf("%s: %w", strings.TrimPrefix(path, "."), err)}
			}
			return nil
		}
	}
	var errs []error
	switch v.Kind() { //nolint:exhaustive // nothing else holds secrets
	case reflect.Pointer:
		if !v.IsNil() {
			errs = resolveSecrets(v.Elem(), path, getenv, abs)
		}
	case reflect.Slice:
		for i := range v.Len() {
			errs = append(errs, resolveSecrets(v.Index(i), fmt.Sprintf("%s.%d", path, i), getenv, abs)...)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if v.Type().Elem() != reflect.TypeFor[Auth]() {
				continue
			}
			e := reflect.New(v.Type().Elem()).Elem()
			e.Set(v.MapIndex(k))
			errs = append(errs, resolveSecrets(e, path+"."+k.String(), getenv, abs)...)
			v.SetMapIndex(k, e)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				key := f.Tag.Get("yaml")
				errs = append(errs, resolveSecrets(v.Field(i), path+"."+key, getenv, abs)...)
			}
		}
	}
	return errs
}

// Dialects are the words that a cloud's dialect may be.
var Dialects = []string{"nova", "easystack", "h3c", "huawei", "huawei-bms", "blazar", "native", "dragoman", "memory"}

var cloudName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

func (c *Config) check() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	seen := map[string]bool{}
	for i, m := range c.Clouds {
		if !cloudName.MatchString(m.Name) || seen[m.Name] {
			bad("clouds.%d.name: %q is not [a-z][a-z0-9-]{0,30}, or is there twice", i, m.Name)
		}
		seen[m.Name] = true
		if !slices.Contains(Dialects, m.Dialect) {
			bad("clouds.%d.dialect: %q is none of %s", i, m.Dialect, strings.Join(Dialects, ", "))
		}
		if m.Endpoint == "" && m.Dialect != "memory" && m.Dialect != "native" {
			bad("clouds.%d.endpoint: is required", i)
		}
	}
	for i, t := range c.Tenants {
		if t.Name == "" {
			bad("tenants.%d.name: is required", i)
		}
		for cloud := range t.Accounts {
			if !seen[cloud] {
				bad("tenants.%d.accounts.%s: there is no such cloud", i, cloud)
			}
		}
	}
	return errs
}
