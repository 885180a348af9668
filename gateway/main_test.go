package gateway

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// No test may leave a goroutine. Fuzzing has goroutines of its own.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(m.Run())
	}
	goleak.VerifyTestMain(m)
}
