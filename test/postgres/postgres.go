// Package postgres gives tests databases on a real PostgreSQL, which
// test/postgres/postgres.sh installs and starts.
package postgres

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
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
