package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/dragoman-cloud/dragoman/adapters/native"
	"github.com/dragoman-cloud/dragoman/adapters/native/image"
	"github.com/dragoman-cloud/dragoman/adapters/native/kvm"
	"github.com/dragoman-cloud/dragoman/broker"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/config"
	"github.com/dragoman-cloud/dragoman/store"
)

// nativeOpener makes the member of a cloud of our own hosts, and what ends it.
type nativeOpener func(cc config.Cloud, log *slog.Logger) (broker.Member, func(), error)

// uncheckedNative is for who wants to know whether a configuration is right: the hosts
// are left alone.
func uncheckedNative(cc config.Cloud, _ *slog.Logger) (broker.Member, func(), error) {
	_, err := image.ParseAllow(cc.Native.ImportFrom)
	return broker.Member{Name: cc.Name}, func() {}, err
}

// nativeMembers makes native clouds over a store.
func nativeMembers(ctx context.Context, c *config.Config, st *store.Store, box *store.Box) nativeOpener {
	return func(cc config.Cloud, log *slog.Logger) (broker.Member, func(), error) {
		cloud, err := openNative(ctx, c, cc, st, box, log)
		if err != nil {
			return broker.Member{}, nil, err
		}
		m := broker.Member{
			Name: cc.Name, Dialect: cc.Dialect, Region: cc.Region, Labels: cc.Labels, Timeout: cc.Timeout, Watch: cloud.Watch,
			Open: func(string) (broker.Account, error) { return broker.Account{Cloud: cloud, Shared: true}, nil },
		}
		end := func() {
			if err := cloud.Close(); err != nil {
				log.Error("cannot close the cloud", "error", err)
			}
		}
		return m, end, nil
	}
}

func openNative(ctx context.Context, c *config.Config, cc config.Cloud, st *store.Store, box *store.Box, log *slog.Logger) (*native.Cloud, error) {
	allow, err := image.ParseAllow(cc.Native.ImportFrom)
	if err != nil {
		return nil, fmt.Errorf("import_from: %w", err)
	}
	o := native.Options{
		Name: cc.Name, Dir: filepath.Join(c.Data, cc.Name), VirtType: kvm.VirtType(cc.Native.VirtType), HostDir: cc.Native.Dir, Prefix: cc.Native.Prefix,
		Overcommit: native.Overcommit{VCPUs: cc.Native.Overcommit.VCPUs, RAMMiB: cc.Native.Overcommit.RAM, DiskGiB: cc.Native.Overcommit.Disk},
		Imports:    allow, Store: st, Box: box, Log: log,
	}
	for _, h := range cc.Native.Hosts {
		o.Hosts = append(o.Hosts, native.HostOptions(h))
	}
	return native.Open(ctx, o)
}

// recoverNative is the command that rebuilds the store's records of servers from the
// hosts that run them.
func recoverNative(cmd *cobra.Command, c *config.Config) error {
	ctx := cmd.Context()
	if !slices.ContainsFunc(c.Clouds, isNative) { // before a store is made for nothing
		return failed(errors.New("the configuration has no cloud of dialect native: --config names the file that has"))
	}
	keys, err := secretOf(c)
	if err != nil {
		return err
	}
	box, err := keys.box()
	if err != nil {
		return err
	}
	st, err := openStore(ctx, c, box)
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }() // what was recovered is stored
	for _, cc := range c.Clouds {
		if !isNative(cc) {
			continue
		}
		if err := recoverCloud(cmd, c, cc, st, box); err != nil {
			return fmt.Errorf("cloud %s: %w", cc.Name, err)
		}
	}
	return nil
}

func isNative(c config.Cloud) bool { return c.Dialect == "native" }

func recoverCloud(cmd *cobra.Command, c *config.Config, cc config.Cloud, st *store.Store, box *store.Box) error {
	cloud, err := openNative(cmd.Context(), c, cc, st, box, slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil)))
	if err != nil {
		return err
	}
	found, err := cloud.Recover(cmd.Context())
	for _, s := range found {
		_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s of tenant %s on host %s\n", canonical.MakeID(cc.Name, string(s.ID)), s.Tenant, s.Host)
	}
	_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d servers recovered\n", cc.Name, len(found))
	if err != nil {
		_ = cloud.Close() // the first error tells
		return err
	}
	return cloud.Close()
}
