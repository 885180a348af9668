package kvm

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// sshServer forwards to Unix sockets, as sshd does; it takes one key.
type sshServer struct {
	listener net.Listener
	config   *ssh.ServerConfig
	wg       sync.WaitGroup
}

// newSSH starts one, and writes the client's key and the known hosts.
func newSSH(t *testing.T) (s *sshServer, keyFile, hostsFile string) {
	t.Helper()
	key := func() (ed25519.PrivateKey, ssh.Signer) {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := ssh.NewSignerFromKey(private)
		if err != nil {
			t.Fatal(err)
		}
		return private, signer
	}
	private, client := key()
	_, host := key()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	keyFile, hostsFile = filepath.Join(t.TempDir(), "key"), filepath.Join(t.TempDir(), "hosts")
	line := knownhosts.Line([]string{knownhosts.Normalize(l.Addr().String())}, host.PublicKey())
	if err := errors.Join(os.WriteFile(keyFile, pem.EncodeToMemory(block), 0o600), os.WriteFile(hostsFile, []byte(line+"\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	s = &sshServer{listener: l, config: &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
		if string(k.Marshal()) != string(client.PublicKey().Marshal()) {
			return nil, errors.New("another key")
		}
		return &ssh.Permissions{}, nil
	}}}
	s.config.AddHostKey(host)
	s.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.serve(c) })
		}
	})
	return s, keyFile, hostsFile
}

func (s *sshServer) stop() {
	_ = s.listener.Close()
	s.wg.Wait()
}

func (s *sshServer) serve(c net.Conn) {
	conn, channels, requests, err := ssh.NewServerConn(c, s.config)
	if err != nil {
		_ = c.Close()
		return
	}
	defer func() { _ = conn.Close() }()
	s.wg.Go(func() { ssh.DiscardRequests(requests) })
	for n := range channels {
		var to struct {
			Path, Reserved string
			Port           uint32
		}
		if err := ssh.Unmarshal(n.ExtraData(), &to); err != nil {
			_ = n.Reject(ssh.ConnectionFailed, err.Error())
			continue
		}
		up, err := net.Dial("unix", to.Path)
		if err != nil {
			_ = n.Reject(ssh.ConnectionFailed, err.Error())
			continue
		}
		ch, reqs, err := n.Accept()
		if err != nil {
			_ = up.Close()
			continue
		}
		s.wg.Go(func() { ssh.DiscardRequests(reqs) })
		s.join(ch, up)
	}
}

func (s *sshServer) join(a, b io.ReadWriteCloser) {
	one := func(to, from io.ReadWriteCloser) {
		_, _ = io.Copy(to, from)
		_ = to.Close()
		_ = from.Close()
	}
	s.wg.Go(func() { one(a, b) })
	s.wg.Go(func() { one(b, a) })
}

func TestSSH(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	d := newDaemon(t)
	d.start(t)
	defer d.stop()
	s, key, hosts := newSSH(t)
	defer s.stop()
	base := "qemu+ssh://me@" + s.listener.Addr().String() + "/system?keyfile=" + key
	good := base + "&known_hosts=" + hosts + "&socket=" + d.listener.Addr().String()
	o := d.options()
	o.URI, o.CallLimit = good, time.Minute
	h, err := Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 { // each would leak a client in go-libvirt's own dialer
		n := d.count()
		d.cutAll()
		eventually(t, 20*time.Second, "a new connection", func() bool { return d.count() > n && h.Health().Connected })
	}
	h.Close()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, uri := range map[string]string{
		"UnknownHost": base + "&known_hosts=" + empty + "&socket=" + d.listener.Addr().String(),
		"NoHosts":     base + "&known_hosts=" + empty + ".none",
		"NoSocket":    base + "&known_hosts=" + hosts + "&socket=/none",
		"NoKey":       "qemu+ssh://" + s.listener.Addr().String() + "/system?no_verify=1&keyfile=" + empty,
	} {
		a, err := parseURI(uri)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := open(t.Context(), a); err == nil {
			s.close()
			t.Errorf("%s: connected", name)
		}
	}
}

// writePKI makes an authority, and certificates of it for 127.0.0.1, in libvirt's
// files, and answers the server's.
func writePKI(t *testing.T, dir string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM, keyPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	for name, data := range map[string][]byte{"cacert.pem": certPEM, "clientcert.pem": certPEM, "clientkey.pem": keyPEM} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12}
}

func TestTLS(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := t.TempDir()
	l, err := tls.Listen("tcp", "127.0.0.1:0", writePKI(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	d := newDaemon(t)
	var mu sync.Mutex
	verdict := byte(1)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				mu.Lock()
				v := verdict
				mu.Unlock()
				if _, err := c.Write([]byte{v}); err != nil {
					_ = c.Close()
					return
				}
				d.serve(c)
			})
		}
	})
	defer wg.Wait()
	defer func() { _ = l.Close() }()
	defer d.stop()

	o := d.options()
	o.URI, o.CallLimit = "qemu+tls://"+l.Addr().String()+"/system?pkipath="+dir, time.Minute
	h, err := Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	h.Close()

	other := t.TempDir()
	writePKI(t, other)
	for name, uri := range map[string]string{
		"OtherAuthority": "qemu+tls://" + l.Addr().String() + "/system?pkipath=" + other,
		"NotTrusted":     "qemu+tls://" + l.Addr().String() + "/system?no_verify=1&pkipath=" + other,
		"NoFiles":        "qemu+tls://" + l.Addr().String() + "/system?pkipath=" + t.TempDir(),
	} {
		a, err := parseURI(uri)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := open(t.Context(), a); err == nil {
			s.close()
			t.Errorf("%s: connected", name)
		}
	}
	mu.Lock()
	verdict = 0
	mu.Unlock()
	a, err := parseURI(o.URI)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(t.Context(), a); !errors.Is(err, errCertificateRefused) {
		t.Errorf("refused: %v", err)
	}
}
