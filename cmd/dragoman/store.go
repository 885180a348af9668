package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dragoman-cloud/dragoman/config"
	"github.com/dragoman-cloud/dragoman/store"
)

// storeCommand is the subcommand for the care of the store; withConfig makes one that
// reads the configuration.
func storeCommand(withConfig func(use, short string, run func(*cobra.Command, *config.Config) error) *cobra.Command) *cobra.Command {
	backup := withConfig("backup FILE", "Copy the store to a new file, while dragoman serves", backUpStore)
	backup.Args = cobra.ExactArgs(1)
	rotate := withConfig("rotate", "Seal what is stored with the first key of secret_key, while dragoman serves", rotateStore)
	group := &cobra.Command{Use: "store", Short: "Back up the store, and change its secret key"}
	group.AddCommand(backup, rotate)
	return group
}

func backUpStore(cmd *cobra.Command, c *config.Config) error {
	file := cmd.Flags().Arg(0)
	if err := store.Backup(cmd.Context(), c.Store, file); err != nil {
		return failed(fmt.Errorf("back up the store: %w", err))
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is a copy of %s\n", file, c.Store)
	return err
}

// rotateStore seals what is stored with the first key of secret_key.
func rotateStore(cmd *cobra.Command, c *config.Config) (err error) {
	keys, err := secretOf(c)
	if err != nil {
		return err
	}
	box, err := keys.box()
	if err != nil {
		return err
	}
	st, err := openStore(cmd.Context(), c, box)
	if err != nil {
		return failed(err)
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	done, err := st.Reseal(cmd.Context(), box)
	if err != nil {
		return failed(err)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), done)
	return err
}
