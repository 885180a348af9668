// Package config reads dragoman's configuration: one strict YAML file, the
// environment over it, and defaults under it. It opens nothing that it names but
// files of secrets, and is read by cmd alone.
package config

import "time"

// Config is the whole configuration. Keys are the contract's.
type Config struct {
	Listen    string   `yaml:"listen"`     // host:port
	TLS       *TLS     `yaml:"tls"`        // nil: plain HTTP
	Store     string   `yaml:"store"`      // sqlite:PATH, the path made absolute
	Redis     Secret   `yaml:"redis"`      // URL, may hold a password; empty: in-process
	SecretKey Ref      `yaml:"secret_key"` // file:PATH (made at first start) or env:NAME
	Data      string   `yaml:"data"`       // directory
	PublicURL string   `yaml:"public_url"`
	Clouds    []Cloud  `yaml:"clouds"`
	Tenants   []Tenant `yaml:"tenants"`
	Facades   []Facade `yaml:"facades"`

	BootstrapKey Secret `yaml:"-"` // DRAGOMAN_BOOTSTRAP_KEY
}

// TLS names the files of the listener.
type TLS struct {
	Cert     string `yaml:"cert"`
	Key      string `yaml:"key"`
	ClientCA string `yaml:"client_ca"`
}

// Cloud is one cloud behind the broker.
type Cloud struct {
	Name      string            `yaml:"name"`
	Dialect   string            `yaml:"dialect"`
	Shared    bool              `yaml:"shared"`
	Endpoint  string            `yaml:"endpoint"`
	Endpoints map[string]string `yaml:"endpoints"`
	Region    string            `yaml:"region"`
	Labels    map[string]string `yaml:"labels"`
	Auth      Auth              `yaml:"auth"`
	IAM       *Auth             `yaml:"iam"`
	Timeout   time.Duration     `yaml:"timeout"` // of each call, retries included
	Limits    Limits            `yaml:"limits"`
	Breaker   Breaker           `yaml:"breaker"`
	Memory    *Memory           `yaml:"memory"`
	Native    *Native           `yaml:"native"`
}

// Auth is an account on a cloud: which keys count depends on the dialect.
type Auth struct {
	Username         string `yaml:"username"`
	Password         Secret `yaml:"password"`
	Project          string `yaml:"project"`
	ProjectID        string `yaml:"project_id"`
	UserDomain       string `yaml:"user_domain"`
	ProjectDomain    string `yaml:"project_domain"`
	Domain           string `yaml:"domain"`
	Token            Secret `yaml:"token"`
	CredentialID     string `yaml:"application_credential_id"`
	CredentialName   string `yaml:"application_credential_name"`
	CredentialSecret Secret `yaml:"application_credential_secret"`
	AccessKey        Secret `yaml:"access_key"`
	SecretKey        Secret `yaml:"secret_key"`
	Key              Secret `yaml:"key"` // of another dragoman
	SkipVerify       bool   `yaml:"insecure"`
	CA               string `yaml:"ca"` // file of certificates
}

// Limits bound the calls to a cloud, or of a tenant; 0: no bound.
type Limits struct {
	RPS         float64 `yaml:"rps"`
	Burst       int     `yaml:"burst"`
	Concurrency int     `yaml:"concurrency"`
}

// Breaker says when a cloud counts as down, and for how long.
type Breaker struct {
	Failures int           `yaml:"failures"`
	Window   time.Duration `yaml:"window"`
	Open     time.Duration `yaml:"open"`
}

// Memory is the memory cloud's own.
type Memory struct {
	Delay time.Duration `yaml:"delay"` // of long work
}

// Native is what the hosts that dragoman manages need.
type Native struct {
	VirtType   string        `yaml:"virt_type"`
	RecycleBin time.Duration `yaml:"recycle_bin"`
	Hosts      []Host        `yaml:"hosts"`
}

// Host is one hypervisor.
type Host struct {
	Name string `yaml:"name"`
	URI  string `yaml:"uri"`
	Zone string `yaml:"zone"`
}

// Tenant is a declared tenant.
type Tenant struct {
	Name     string           `yaml:"name"`
	Accounts map[string]Auth  `yaml:"accounts"` // by cloud
	Rules    []map[string]any `yaml:"rules"`
	Quotas   map[string]int   `yaml:"quotas"`
	Limits   Limits           `yaml:"limits"`
}

// Facade is a north-bound dialect; Listen empty: under the common listener.
type Facade struct {
	Dialect string `yaml:"dialect"`
	Listen  string `yaml:"listen"`
}

func defaults() *Config {
	return &Config{
		Listen: "127.0.0.1:8080", Store: "sqlite:./dragoman.db", SecretKey: "file:./secret.key", Data: "./data",
	}
}
