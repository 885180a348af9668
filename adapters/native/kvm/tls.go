package kvm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
)

// pki names the files that libvirt's TLS uses (libvirt.org/kbase/tlscerts.html).
type pki struct{ ca, cert, key string }

func pkiFiles(dir string) pki {
	if dir == "" {
		return pki{"/etc/pki/CA/cacert.pem", "/etc/pki/libvirt/clientcert.pem", "/etc/pki/libvirt/private/clientkey.pem"}
	}
	return pki{filepath.Join(dir, "cacert.pem"), filepath.Join(dir, "clientcert.pem"), filepath.Join(dir, "clientkey.pem")}
}

// config reads the files anew: a certificate that was renewed is used at the next
// dial.
func (p pki) config(host string, unverified bool) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		return nil, fmt.Errorf("client certificate: %w", err)
	}
	c := &tls.Config{
		ServerName: host, Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: unverified, //nolint:gosec // only where the operator wrote no_verify=1
	}
	if unverified {
		return c, nil
	}
	pem, err := os.ReadFile(p.ca)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("certificate authority: %s holds no certificate", p.ca)
	}
	return c, nil
}

var errCertificateRefused = errors.New("the daemon refuses our certificate or address")

func dialTLS(u *url.URL) (func(context.Context) (net.Conn, error), error) {
	unverified, err := switchedOn(u, "no_verify")
	if err != nil {
		return nil, err
	}
	files := pkiFiles(u.Query().Get("pkipath"))
	return func(ctx context.Context) (net.Conn, error) {
		c, err := files.config(u.Hostname(), unverified)
		if err != nil {
			return nil, err
		}
		d := tls.Dialer{Config: c}
		conn, err := d.DialContext(ctx, "tcp", hostPort(u, "16514"))
		if err != nil {
			return nil, err
		}
		return conn, accepted(ctx, conn)
	}, nil
}

// accepted reads the byte by which libvirtd says whether it took our certificate,
// before any packet (virNetTLSContextCheckCertificate). It closes conn on failure.
func accepted(ctx context.Context, conn net.Conn) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	b := make([]byte, 1)
	_, err := conn.Read(b)
	if err == nil && b[0] != 1 {
		err = errCertificateRefused
	}
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	return nil
}
