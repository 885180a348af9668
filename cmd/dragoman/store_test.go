package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	key1 = "1111111111111111111111111111111111111111111111111111111111111111"
	key2 = "2222222222222222222222222222222222222222222222222222222222222222"
)

func TestSecrets(t *testing.T) {
	for text, want := range map[string]int{
		key1: 1, key1 + "\n": 1, key2 + "," + key1: 2, "\n" + key2 + "\n\n" + key1 + "\n": 2, key1 + ", " + key2: 2,
		"": 0, " \n": 0, key1[1:]: 0, key1 + "z": 0, key1 + "\nsecret": 0,
	} {
		got, err := parseSecrets(text, "here")
		if len(got) != want || (err == nil) != (want > 0) || err != nil && strings.Contains(err.Error(), "secret\n") {
			t.Errorf("%q: %d keys, %v", text, len(got), err)
		}
	}
	both, err := parseSecrets(key2+","+key1, "here")
	if err != nil || both[0][0] != 0x22 || both[1][0] != 0x11 {
		t.Error(both, err)
	}
}

// TestRotate: a secret key is replaced while it opens what it sealed, and is not needed
// once the store is rotated; a store is not served with another key.
func TestRotate(t *testing.T) {
	dir := t.TempDir()
	file, secret := filepath.Join(dir, "c.yaml"), filepath.Join(dir, "secret.key")
	write(t, file, "clouds: [{name: m, dialect: memory, shared: true}]\n")
	write(t, secret, key1+"\n")
	step := func(keys string, code int, says string, command ...string) {
		t.Helper()
		write(t, secret, keys)
		got, out, diag := ask(t, append(command, "--config", file)...)
		if got != code || !strings.Contains(out+diag, says) {
			t.Fatalf("%v: %d, %s%s\nwant %d, %s", command, got, out, diag, code, says)
		}
	}
	step(key1, 0, "administrator's key", "init")
	step(key2, exitFailed, "another key", "store", "rotate")
	step(key2, exitUsage, "another key", "init")
	step(key2+"\n"+key1, 0, "1 resealed, 0 cannot be opened", "store", "rotate")
	step(key2+"\n"+key1, 0, "0 resealed, 0 cannot be opened", "store", "rotate")
	step(key2, 0, "", "init")
	step(key1, exitUsage, "another key", "init")
}

// TestBackup: the store of a dragoman that serves is copied, and its copy serves.
func TestBackup(t *testing.T) {
	serving(t)
	file := os.Getenv("DRAGOMAN_TEST_CONFIG")
	if code, out, diag := ask(t, "server", "create", "--name", "a", "--flavor", "small", "--image", "cirros", "--wait"); code != 0 {
		t.Fatal(code, out, diag)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if code, out, diag := ask(t, "store", "backup", copied, "--config", file); code != 0 || !strings.HasPrefix(out, copied+" is a copy of ") {
		t.Fatal(code, out, diag)
	}
	if code, _, diag := ask(t, "store", "backup", copied, "--config", file); code != exitFailed || !strings.Contains(diag, "exists") {
		t.Errorf("to a file that is there: %d, %s", code, diag)
	}
	t.Setenv("DRAGOMAN_STORE", "sqlite:"+copied)
	t.Setenv("DRAGOMAN_BOOTSTRAP_KEY", "")
	if code, out, diag := ask(t, "init", "--config", file); code != 0 || out != "" {
		t.Errorf("the copy has no keys: %d, %s%s", code, out, diag)
	}
	t.Setenv("DRAGOMAN_STORE", "postgres://u:secret@h/db")
	if code, _, diag := ask(t, "store", "backup", "x", "--config", file); code != exitFailed || !strings.Contains(diag, "pg_dump") {
		t.Errorf("PostgreSQL: %d, %s", code, diag)
	}
	if code, _, _ := ask(t, "store", "backup", "--config", file); code != exitUsage {
		t.Errorf("no file: %d", code)
	}
}

// TestRecoverWantsHosts: without a native cloud nothing can be recovered, and no store is
// made.
func TestRecoverWantsHosts(t *testing.T) {
	t.Chdir(t.TempDir())
	code, out, diag := ask(t, "native", "recover")
	if code != exitFailed || out != "" || !strings.Contains(diag, "native") {
		t.Errorf("exit %d, %q, %q", code, out, diag)
	}
	if left, err := filepath.Glob("*"); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}
