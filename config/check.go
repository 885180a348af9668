package config

import (
	"net"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What this version can reach, and what it serves northwards.
var (
	dialects = []string{"memory", "native", "nova", "easystack", "dragoman"}
	facades  = []string{"nova", "easystack"}
)

var (
	cloudName  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)
	tenantName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
)

// check adds what is wrong with the values.
func (p *problems) check(c *Config) {
	p.address("listen", c.Listen)
	p.store(c)
	if c.PublicURL != "" {
		p.url("public_url", c.PublicURL)
	}
	if c.TLS != nil && (c.TLS.Cert == "" || c.TLS.Key == "") {
		p.add("tls", "needs cert and key")
	}
	clouds := map[string]bool{}
	for i, m := range c.Clouds {
		p.cloud("clouds."+strconv.Itoa(i), m, clouds)
	}
	tenants := map[string]bool{}
	for i, t := range c.Tenants {
		p.tenant("tenants."+strconv.Itoa(i), t, tenants, clouds)
	}
	seen := map[string]bool{}
	for i, f := range c.Facades {
		path := "facades." + strconv.Itoa(i) + ".dialect"
		if !slices.Contains(facades, f.Dialect) {
			p.add(path, "%q is not served by this version: %s", f.Dialect, strings.Join(facades, ", "))
		} else if seen[f.Dialect] {
			p.add(path, "%q is there twice", f.Dialect)
		}
		seen[f.Dialect] = true
		if seen["nova"] && seen["easystack"] {
			p.add(path, "nova and easystack have the same paths: only one of them can be served")
		}
	}
	p.values(reflect.ValueOf(c).Elem(), "")
}

// address wants host:port; the host may be empty.
func (p *problems) address(path, text string) {
	_, port, err := net.SplitHostPort(text)
	n, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || bad != nil || n > 65535 {
		p.add(path, "%q is not host:port", text)
	}
}

func (p *problems) url(path, text string) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		p.add(path, "must be an http or https URL without user, query or fragment") // the URL may hold a password
	}
}

func (p *problems) store(c *Config) {
	scheme, rest, _ := strings.Cut(c.Store, ":")
	switch kind, where, _ := strings.Cut(string(c.SecretKey), ":"); {
	case kind != "file" && kind != "env" || where == "":
		p.add("secret_key", "must be file:PATH or env:NAME")
	case strings.HasPrefix(scheme, "postgres") && kind == "file":
		if _, err := os.Stat(where); err != nil {
			p.add("secret_key", "must be there already beside PostgreSQL: %v", err)
		}
	}
	if rest == "" || scheme != "sqlite" && scheme != "postgres" && scheme != "postgresql" {
		p.add("store", "must be sqlite:PATH or postgres://HOST/DATABASE") // the URL may hold a password
	}
}

func (p *problems) cloud(path string, m Cloud, seen map[string]bool) {
	switch {
	case !cloudName.MatchString(m.Name):
		p.add(path+".name", "%q is not [a-z][a-z0-9-]{0,30}", m.Name)
	case seen[m.Name]:
		p.add(path+".name", "%q is there twice", m.Name)
	}
	seen[m.Name] = true
	local := m.Dialect == "memory" || m.Dialect == "native"
	switch {
	case !slices.Contains(dialects, m.Dialect):
		p.add(path+".dialect", "%q is not reached by this version: %s", m.Dialect, strings.Join(dialects, ", "))
	case local && m.Endpoint != "":
		p.add(path+".endpoint", "a cloud of dialect %s has none", m.Dialect)
	case !local && m.Endpoint == "":
		p.add(path+".endpoint", "is required")
	case !local:
		p.url(path+".endpoint", m.Endpoint)
	}
	if m.Memory != nil && m.Dialect != "memory" {
		p.add(path+".memory", "is of dialect memory alone")
	}
	if (m.Native != nil) != (m.Dialect == "native") {
		p.add(path+".native", "is of dialect native alone, and required there")
	} else if m.Native != nil {
		p.native(path+".native", m.Native)
	}
	switch {
	case m.Poll == nil:
	case m.Dialect == "native":
		p.add(path+".poll", "its hosts tell by themselves")
	case *m.Poll > 0 && *m.Poll < time.Second || *m.Poll > time.Hour:
		p.add(path+".poll", "must be 1s to 1h, or 0s")
	}
	if m.Dialect == "dragoman" && m.Shared && m.Auth.Key.ref == "" {
		p.add(path+".auth.key", "is required")
	}
}

func (p *problems) native(path string, n *Native) {
	if !slices.Contains([]string{"", "auto", "kvm", "qemu"}, n.VirtType) {
		p.add(path+".virt_type", "%q is not auto, kvm or qemu", n.VirtType)
	}
	if len(n.Hosts) == 0 {
		p.add(path+".hosts", "is required")
	}
	if n.Dir != "" && !strings.HasPrefix(n.Dir, "/") {
		p.add(path+".dir", "must be an absolute path: it is on the hosts")
	}
	if n.Prefix != "" && !cloudName.MatchString(n.Prefix) {
		p.add(path+".prefix", "%q is not [a-z][a-z0-9-]{0,30}", n.Prefix)
	}
	seen := map[string]bool{}
	for i, h := range n.Hosts {
		at := path + ".hosts." + strconv.Itoa(i)
		switch {
		case !cloudName.MatchString(h.Name):
			p.add(at+".name", "%q is not [a-z][a-z0-9-]{0,30}", h.Name)
		case seen[h.Name]:
			p.add(at+".name", "%q is there twice", h.Name)
		}
		seen[h.Name] = true
		if u, err := url.Parse(h.URI); err != nil || !strings.HasPrefix(u.Scheme, "qemu") {
			p.add(at+".uri", "%q is not the URI of a libvirtd, such as qemu:///system", h.URI)
		}
	}
}

func (p *problems) tenant(path string, t Tenant, seen, clouds map[string]bool) {
	switch {
	case !tenantName.MatchString(t.Name):
		p.add(path+".name", "%q is not [a-z][a-z0-9-]{0,62}", t.Name)
	case seen[t.Name]:
		p.add(path+".name", "%q is there twice", t.Name)
	}
	seen[t.Name] = true
	for cloud := range t.Accounts {
		if !clouds[cloud] {
			p.add(path+".accounts."+cloud, "there is no such cloud")
		}
	}
}

// values adds what is wrong with single values, wherever they stand: what this
// version does not offer, fractions of whole numbers, and numbers below zero.
func (p *problems) values(v reflect.Value, path string) {
	switch v.Kind() { //nolint:exhaustive // texts and truths have nothing to be checked for here
	case reflect.Pointer:
		if !v.IsNil() {
			p.values(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			p.values(v.Index(i), join(path, strconv.Itoa(i)))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			p.values(v.MapIndex(k), join(path, k.String()))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			key := f.Tag.Get("yaml")
			switch {
			case key == "" || key == "-":
			case f.Tag.Get("later") != "" && !v.Field(i).IsZero():
				p.add(join(path, key), "is not offered by this version")
			default:
				p.values(v.Field(i), join(path, key))
			}
		}
	case reflect.Int, reflect.Int64, reflect.Float64:
		if v.CanInt() && p.nodes[path] == "!!float" { // yaml.v3 cuts the fraction off
			p.add(path, "must be a whole number")
		}
		if v.CanInt() && v.Int() < 0 || v.CanFloat() && !(v.Float() >= 0) {
			p.add(path, "must not be below zero")
		}
	}
}
