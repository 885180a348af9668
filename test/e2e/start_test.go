package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/test/process"
)

// BenchmarkStart measures a whole start of the program with its embedded defaults,
// from exec to the first 200 of /readyz, on an empty directory; and the memory that
// it then holds without any request (RSS-MB, after 1 s).
func BenchmarkStart(b *testing.B) {
	binary, err := process.Binary()
	if err != nil {
		b.Fatal(err)
	}
	var memory float64
	for b.Loop() {
		b.StopTimer()
		address, dir := freeAddress(b), b.TempDir()
		cmd := exec.Command(binary, "serve")
		cmd.Dir = dir
		cmd.Env = environment(dir, "DRAGOMAN_LISTEN="+address)
		b.StartTimer()
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		if err := ready(address); err != nil {
			b.Error(err)
		}
		b.StopTimer()
		<-time.After(time.Second)
		mb, err := resident(cmd.Process.Pid)
		if err != nil {
			b.Error(err)
		}
		memory = max(memory, mb)
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			b.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(memory, "RSS-MB")
}

func freeAddress(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// ready waits for the first 200 of /readyz.
func ready(address string) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-tick.C {
		resp, err := http.Get("http://" + address + "/readyz")
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	return fmt.Errorf("%s is not ready within 30 s", address)
}

var vmRSS = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// resident is the memory of a process that is in RAM, in MB.
func resident(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	m := vmRSS.FindSubmatch(status)
	if m == nil {
		return 0, fmt.Errorf("no VmRSS in %q", status)
	}
	kb, err := strconv.ParseFloat(string(m[1]), 64)
	return kb / 1024, err
}
