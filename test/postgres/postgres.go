// Package postgres gives tests databases on a real PostgreSQL, which
// test/postgres/postgres.sh installs and starts.
package postgres

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Env names the variable that holds the postgres:// URL of a server on which
// databases may be made.
const Env = "DRAGOMAN_TEST_POSTGRES"

// Database is the URL of a database of the test's own, which ends with it. The test is
// skipped where there is no server.
func Database(t testing.TB) string {
	t.Helper()
	server := os.Getenv(Env)
	if server == "" || testing.Short() {
		t.Skipf("there is no PostgreSQL in %s: test/postgres/postgres.sh start prints one", Env)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	name := "dragoman_" + strings.ToLower(rand.Text()[:12])
	command(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { command(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	u.Path = "/" + name
	return u.String()
}

// StoreEnv names the variable that makes tests, where it is "postgres", use PostgreSQL
// as the store in the place of SQLite.
const StoreEnv = "DRAGOMAN_TEST_STORE"

// Store is the address of a store for a test: SQLite at path, or, where StoreEnv says
// so, a database of the test's own. The same path gives the same one again, but
// ":memory:" always gives a new one.
func Store(t testing.TB, path string) string {
	t.Helper()
	if os.Getenv(StoreEnv) != "postgres" {
		return "sqlite:" + path
	}
	if path == ":memory:" {
		return Database(t)
	}
	known.Lock()
	defer known.Unlock()
	if known.at[path] == "" {
		known.at[path] = Database(t)
	}
	return known.at[path]
}

// known are the databases that stand for paths.
var known = struct {
	sync.Mutex
	at map[string]string
}{at: map[string]string{}}

func command(t testing.TB, server, statement string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	c, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()
	if _, err := c.Exec(ctx, statement); err != nil {
		t.Error(err)
	}
}
