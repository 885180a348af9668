package tempest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/test/process"
)

// Env names the variable that turns these tests on.
const Env = "DRAGOMAN_TEST_TEMPEST"

var (
	targets  = flag.String("targets", dragoman+","+inMemory, "what to run against: direct, dragoman, memory")
	selected = flag.String("select", "ci.txt", "the tests: a file of patterns, or one pattern")
	reuse    = flag.Bool("reuse", false, "take what the last runs found, instead of running")
	update   = flag.Bool("update", false, "take what was found into results.tsv, and what is there into docs/compatibility.md")
)

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if err := process.Clean(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// TestTempest: what passes directly passes through dragoman, but for the written
// differences.
func TestTempest(t *testing.T) {
	if testing.Short() || os.Getenv(Env) == "" {
		t.Skip("takes minutes, and needs Tempest and an OpenStack: run 'make test-tempest'")
	}
	need(t)
	patterns := selection(t, *selected)
	table := load(t)
	for _, name := range strings.Split(*targets, ",") {
		var found outcomes
		if !t.Run(name, func(t *testing.T) {
			if *reuse {
				found = last(t, workspace(name))
				return
			}
			open, ok := openers[name]
			if !ok {
				t.Fatalf("there is no target %q", name)
			}
			found = run(t, open(t), patterns, workspace(name))
		}) {
			continue
		}
		table.take(name, found)
		if name != direct {
			table.judge(t, name, found)
		}
	}
	if *update {
		table.save(t)
	}
}

// workspace is where the run against a target leaves its report.
func workspace(name string) string {
	root := os.Getenv("DRAGOMAN_TEMPEST_DIR")
	if root == "" {
		root = "/var/tmp/dragoman-tempest"
	}
	return filepath.Join(root, name)
}

// selection are the patterns of a file, or the one that was given.
func selection(t *testing.T, from string) []string {
	t.Helper()
	if !strings.HasSuffix(from, ".txt") {
		return []string{from}
	}
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for line := range strings.Lines(string(text)) {
		if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) != "" {
			patterns = append(patterns, strings.TrimSpace(line))
		}
	}
	return patterns
}
