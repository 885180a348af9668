// Package configs_test holds that every example configuration loads.
package configs_test

import (
	"path/filepath"
	"testing"

	"github.com/dragoman-cloud/dragoman/config"
)

func TestExamplesLoad(t *testing.T) {
	t.Setenv("OS1_PASSWORD", "example")
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, f := range files {
		t.Run(f, func(t *testing.T) {
			if _, err := config.Load(f); err != nil {
				t.Error(err)
			}
		})
	}
}
