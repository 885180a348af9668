package tempest

import (
	"encoding/csv"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// outcome of a test.
type outcome string

// The outcomes; that of a test which is not in the results is "".
const (
	passed  outcome = "pass"
	failed  outcome = "fail"
	skipped outcome = "skip"
)

// outcomes by test, or by class where a class as a whole could not be set up.
type outcomes map[string]outcome

// of is the outcome of a test, which its class may have decided.
func (o outcomes) of(test string) outcome {
	if got, ok := o[test]; ok {
		return got
	}
	return o[classOf(test)]
}

func classOf(test string) string {
	if i := strings.LastIndex(test, "."); i >= 0 {
		return test[:i]
	}
	return test
}

// need skips or fails the test where Tempest is not installed.
func need(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/usr/bin/tempest"); err != nil {
		t.Fatal("needs Tempest: run test/tempest/tempest.sh install")
	}
}

// run is what Tempest finds at a target with the tests that match the patterns. Its
// report stays in dir.
func run(t *testing.T, tg target, patterns []string, dir string) outcomes {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	learn(t, tg).write(t, dir)
	list := filepath.Join(dir, "selection")
	if err := os.WriteFile(list, []byte(strings.Join(patterns, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, dir, "/usr/bin/stestr", "init")
	out := command(t, dir, "/usr/bin/stestr", "run", "--concurrency", "2", "--include-list", list)
	if err := os.WriteFile(filepath.Join(dir, "report.txt"), out, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, stream), command(t, dir, "/usr/bin/stestr", "last", "--subunit"), 0o600); err != nil {
		t.Fatal(err)
	}
	return last(t, dir)
}

// stream is the file that keeps the events of a run.
const stream = "last.subunit"

// last is what the run found whose report is in dir.
func last(t *testing.T, dir string) outcomes {
	t.Helper()
	found := read(t, command(t, dir, "/usr/bin/subunit2csv", "--no-passthrough", filepath.Join(dir, stream)))
	if len(found) == 0 {
		t.Fatal("Tempest ran nothing: see report.txt")
	}
	return found
}

// command is what a program prints. A status of 1 says of these that tests failed,
// which is for the caller to judge.
func command(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	out, err := prepared(dir, name, args...).Output()
	var status *exec.ExitError
	if err != nil && (!errors.As(err, &status) || status.ExitCode() != 1) {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return out
}

// prepared is a command with Debian's Python, whatever else the machine has.
func prepared(dir, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + dir, "TEMPEST_CONFIG_DIR=" + dir, "LC_ALL=C.UTF-8", "PYTHONWARNINGS=ignore"}
	return cmd
}

// words are those of subunit.
var words = map[string]outcome{"success": passed, "fail": failed, "skip": skipped, "xfail": failed, "uxsuccess": failed}

// read are the outcomes of a table of subunit2csv.
func read(t *testing.T, table []byte) outcomes {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(string(table))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	found := outcomes{}
	for _, row := range rows[1:] {
		word, known := words[row[1]]
		name := row[0]
		if in, ok := strings.CutPrefix(name, "tearDownClass ("); ok {
			t.Logf("%s: %s", strings.TrimSuffix(in, ")"), row[1])
			continue
		}
		if !known {
			word = failed
		}
		name = strings.TrimSuffix(strings.TrimPrefix(name, "setUpClass ("), ")")
		name, _, _ = strings.Cut(name, "[")
		found[name] = word
	}
	return found
}
