package kvm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

// sshRoute is the way of qemu+ssh: to the socket of libvirtd on another machine.
// go-libvirt has a dialer of its own, which never closes the SSH client under the
// connection: each redial would leak a socket and three goroutines.
type sshRoute struct {
	host, user, socket  string
	keyFile, knownHosts string
	unverified          bool
}

func dialSSH(u *url.URL) (func(context.Context) (net.Conn, error), error) {
	unverified, err := switchedOn(u, "no_verify")
	if err != nil {
		return nil, err
	}
	q := u.Query()
	r := sshRoute{
		host: hostPort(u, "22"), user: u.User.Username(), socket: q.Get("socket"),
		keyFile: q.Get("keyfile"), knownHosts: q.Get("known_hosts"), unverified: unverified,
	}
	if r.socket == "" {
		r.socket = defaultSocket
	}
	if r.user == "" {
		if me, err := user.Current(); err == nil {
			r.user = me.Username
		}
	}
	return r.dial, nil
}

func (r sshRoute) dial(ctx context.Context) (net.Conn, error) {
	keys, closeAgent, err := r.signers()
	defer closeAgent() // it is asked during the handshake only
	if err != nil {
		return nil, err
	}
	config := &ssh.ClientConfig{User: r.user, Auth: []ssh.AuthMethod{ssh.PublicKeys(keys...)}}
	if config.HostKeyCallback, err = r.hostKeys(); err != nil {
		return nil, err
	}
	var d net.Dialer
	raw, err := d.DialContext(ctx, "tcp", r.host)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	conn, err := r.open(raw, config)
	if err != nil {
		return nil, errors.Join(err, ignoreClosed(raw.Close()))
	}
	return conn, nil
}

func (r sshRoute) open(raw net.Conn, config *ssh.ClientConfig) (net.Conn, error) {
	c, channels, requests, err := ssh.NewClientConn(raw, r.host, config)
	if err != nil {
		return nil, err
	}
	client := ssh.NewClient(c, channels, requests)
	conn, err := client.Dial("unix", r.socket)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("socket %s on the host: %w", r.socket, err), ignoreClosed(client.Close()))
	}
	return &sshConn{Conn: conn, client: client}, nil
}

// sshConn is a channel that takes its SSH connection with it when it closes.
type sshConn struct {
	net.Conn
	client *ssh.Client
}

// Close implements net.Conn.
func (c *sshConn) Close() error {
	_ = c.Conn.Close() // fails when the client is gone, whose error counts
	err := c.client.Close()
	_ = c.client.Wait() // until its goroutines have ended; tells the same once more
	return ignoreClosed(err)
}

// SetDeadline is not offered by SSH channels: whoever waits closes the connection.
func (c *sshConn) SetDeadline(time.Time) error { return nil }

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (r sshRoute) hostKeys() (ssh.HostKeyCallback, error) {
	if r.unverified {
		return ssh.InsecureIgnoreHostKey(), nil //nolint:gosec // only where the operator wrote no_verify=1
	}
	file := r.knownHosts
	if file == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		file = filepath.Join(home, ".ssh", "known_hosts")
	}
	check, err := knownhosts.New(file)
	if err != nil {
		return nil, fmt.Errorf("known hosts: %w", err)
	}
	return check, nil
}

var errNoKey = errors.New("no SSH key: the agent offers none, and neither does keyfile nor ~/.ssh")

// signers are the keys to log in with: keyfile alone where one is named, else those
// of the agent and the usual files.
func (r sshRoute) signers() (keys []ssh.Signer, done func(), err error) {
	done = func() {}
	if r.keyFile != "" {
		key, err := readKey(r.keyFile)
		return []ssh.Signer{key}, done, err
	}
	if socket := os.Getenv("SSH_AUTH_SOCK"); socket != "" {
		if conn, err := net.Dial("unix", socket); err == nil { //nolint:noctx // a local socket answers or refuses at once
			done = func() { _ = conn.Close() }
			if keys, err = agent.NewClient(conn).Signers(); err != nil {
				keys = nil // an agent that fails is as good as none
			}
		}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, done, err
	}
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		if key, err := readKey(filepath.Join(home, ".ssh", name)); err == nil {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, done, errNoKey
	}
	return keys, done, nil
}

func readKey(file string) (ssh.Signer, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return key, nil
}
