package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/config"
	"github.com/dragoman-cloud/dragoman/gateway"
	"github.com/dragoman-cloud/dragoman/policy"
)

// drainTimeout is how long requests under way may go on after SIGTERM.
const drainTimeout = 20 * time.Second

// serverCommands are the subcommands that run a dragoman.
func serverCommands() []*cobra.Command {
	var path string
	withConfig := func(use, short string, run func(cmd *cobra.Command, c *config.Config) error) *cobra.Command {
		cmd := &cobra.Command{
			Use: use, Short: short, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				c, err := config.Load(path)
				if err != nil {
					return err
				}
				return run(cmd, c)
			},
		}
		cmd.Flags().StringVar(&path, "config", "", "configuration file (default /etc/dragoman/dragoman.yaml, ./dragoman.yaml, built-in)")
		return cmd
	}
	check := &cobra.Command{
		Use: "check FILE", Short: "Say all that is wrong with a configuration file", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := config.Load(args[0])
			if err != nil {
				return err
			}
			if err := checkSecret(c); err != nil {
				return err
			}
			all, err := openClouds(c, uncheckedNative, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			all.close()
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "ok")
			return err
		},
	}
	hosts := &cobra.Command{Use: "native", Short: "Work with the hosts that dragoman manages itself"}
	hosts.AddCommand(withConfig("recover", "Rebuild the store's records of servers from their hosts, while dragoman is stopped", recoverNative))
	group := &cobra.Command{Use: "config", Short: "Work with configuration files"}
	group.AddCommand(check)
	return []*cobra.Command{
		withConfig("serve", "Serve the API and the facades until stopped", serve),
		withConfig("init", "Make the store and print an administrator's key, once", initStore),
		group, hosts, storeCommand(withConfig),
	}
}

func serve(cmd *cobra.Command, c *config.Config) error {
	ctx := cmd.Context()
	log := slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
	s, err := newStack(ctx, c, log)
	if err != nil {
		return err
	}
	if err := firstKey(ctx, cmd, s.policy, c); err != nil {
		return errors.Join(err, s.close())
	}
	l, err := listen(ctx, c)
	if err != nil {
		return failed(errors.Join(err, s.close()))
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	go refuseReload(ctx, hangups, log)
	log.Info("serving", "address", l.Addr().String(), "version", version)
	err = gateway.Serve(ctx, l, s.handler, drainTimeout)
	log.Info("stopped")
	return failed(errors.Join(err, s.close()))
}

// refuseReload answers hangups, which would end the process: the configuration is read
// at the start.
func refuseReload(ctx context.Context, hangups <-chan os.Signal, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			log.Warn("the configuration is read at the start only: restart to change it")
		}
	}
}

// listen opens the listener of the configuration, with TLS where it says so.
func listen(ctx context.Context, c *config.Config) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil || c.TLS == nil {
		return l, err
	}
	t, err := tlsConfig(c.TLS)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return tls.NewListener(l, t), nil
}

func tlsConfig(c *config.TLS) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	t := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if c.ClientCA == "" {
		return t, nil
	}
	pem, err := os.ReadFile(c.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("tls.client_ca: %w", err)
	}
	t.ClientCAs, t.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !t.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls.client_ca: %s holds no certificate", c.ClientCA)
	}
	return t, nil
}

func initStore(cmd *cobra.Command, c *config.Config) error {
	s, err := newStack(cmd.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return failed(errors.Join(firstKey(cmd.Context(), cmd, s.policy, c), s.close()))
}

// adminTenant is the tenant of the first key.
const adminTenant = "admin"

// firstKey prints an administrator's key where the store has none yet.
func firstKey(ctx context.Context, cmd *cobra.Command, p *policy.Policy, c *config.Config) error {
	if c.BootstrapKey.Set() {
		return nil
	}
	some, err := p.HasKeys(ctx)
	if err != nil || some {
		return err
	}
	if err := p.EnsureTenant(ctx, adminTenant); err != nil {
		return err
	}
	k, err := p.IssueKey(ctx, canonical.APIKeyCreate{Tenant: adminTenant, Role: canonical.Admin, Name: "first"})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "The administrator's key, told only now:\n\n  %s\n\n", k.Key)
	return err
}

// serves says whether the dialect is served northwards; without a list, all are.
func serves(c *config.Config, dialect string) bool {
	for _, f := range c.Facades {
		if f.Dialect == dialect {
			return true
		}
	}
	return len(c.Facades) == 0
}
