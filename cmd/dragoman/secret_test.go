package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/config"
)

// A key that is wrong shows when the configuration is checked; one that the first start
// makes is not made by the check.
func TestCheckSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret.key")
	t.Setenv("EMPTY_SEAL", "")
	t.Setenv("GOOD_SEAL", strings.Repeat("ab", secretSize))
	for ref, good := range map[string]bool{"env:EMPTY_SEAL": false, "env:GOOD_SEAL": true, "file:" + file: true} {
		if err := checkSecret(&config.Config{SecretKey: config.Ref(ref)}); (err == nil) != good {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the check has made the key")
	}
}
