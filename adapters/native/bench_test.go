package native

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/native/seed"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/guest"
)

// quantile is the q-th of some durations, in milliseconds.
func quantile(all []time.Duration, q float64) float64 {
	slices.Sort(all)
	return float64(all[min(int(float64(len(all))*q), len(all)-1)].Microseconds()) / 1000
}

// BenchmarkCreateAnswer: how long a create on a real host takes to answer; wanted are
// less than 50 ms.
func BenchmarkCreateAnswer(b *testing.B) {
	c, _, image := realCloud(b)
	r := a("bench")
	r.Image = canonical.Ref(image.ID)
	do(b, c, canonical.DeleteServer, canonical.ServerDelete{ID: create(b, c, r).ID}) // the image is on the host now
	var took []time.Duration
	for b.Loop() {
		begun := time.Now()
		out := begin(b, c, canonical.CreateServer, r)
		took = append(took, time.Since(begun))
		if err := end(b, c, out.Task); err != nil {
			b.Fatal(err)
		}
		do(b, c, canonical.DeleteServer, canonical.ServerDelete{ID: out.Result.Servers[0].ID})
	}
	b.ReportMetric(quantile(took, 0.5), "ms-p50")
	b.ReportMetric(quantile(took, 0.99), "ms-p99")
}

// BenchmarkReadsDuringCreates: the p99 of reads beside 100 creates at once, and while
// nothing happens; wanted is at most twice as much. The host is not real: what it
// costs to run 100 guests is not asked.
func BenchmarkReadsDuringCreates(b *testing.B) {
	h := newFakeHost("h1", "")
	c := openCloud(b, fakeOptions(b, h))
	addRaw(b, c)
	h.stepping(func(context.Context, string, string) error {
		time.Sleep(20 * time.Millisecond) // as long as libvirt takes
		return nil
	})
	known := create(b, c, a("known")).ID
	ctx := caller(b.Context())
	read := func() time.Duration {
		begun := time.Now()
		if _, err := canonical.GetServer.Do(ctx, c, canonical.ServerGet{ID: known}); err != nil {
			b.Fatal(err)
		}
		return time.Since(begun)
	}
	var idle, busy, answers []time.Duration
	var mu sync.Mutex
	for b.Loop() {
		for range 2000 {
			idle = append(idle, read())
		}
		var wg sync.WaitGroup
		for i := range 99 { // and the one that is there: as many as the host has CPUs
			wg.Go(func() {
				begun := time.Now()
				out, err := canonical.CreateServer.Do(ctx, c, a(fmt.Sprintf("s%d", i)))
				took := time.Since(begun)
				if err != nil {
					b.Error(err)
					return
				}
				mu.Lock()
				answers = append(answers, took)
				mu.Unlock()
				for asked := false; !asked; { // as often as the broker asks first
					time.Sleep(100 * time.Millisecond)
					p, err := out.Task.Check(ctx, c)
					if err != nil || p.Verdict == canonical.TaskFailed {
						b.Error(err, p.Err)
					}
					asked = err != nil || p.Verdict != canonical.TaskRunning
				}
			})
		}
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		for more := true; more; {
			select {
			case <-done:
				more = false
			default:
				busy = append(busy, read())
			}
		}
		for _, s := range do(b, c, canonical.ListServers, canonical.ServerList{NamePrefix: "s"}).Items {
			do(b, c, canonical.DeleteServer, canonical.ServerDelete{ID: s.ID})
		}
	}
	b.ReportMetric(quantile(idle, 0.99), "ms-p99-idle")
	b.ReportMetric(quantile(busy, 0.99), "ms-p99-busy")
	b.ReportMetric(quantile(answers, 0.5), "ms-p50-create")
	b.ReportMetric(quantile(answers, 0.99), "ms-p99-create")
}

// BenchmarkBoot: from the create to the guest's last line, beside plain QEMU that
// boots the same image with the same seed.
func BenchmarkBoot(b *testing.B) {
	c, _, image := realCloud(b)
	r := a("boot")
	r.Image = canonical.Ref(image.ID)
	do(b, c, canonical.DeleteServer, canonical.ServerDelete{ID: create(b, c, r).ID}) // the image is on the host now
	iso, err := seed.Build(seed.Server{ID: "i-1", Hostname: "boot", AdminPassword: "secret"})
	if err != nil {
		b.Fatal(err)
	}
	path := file(b, b.TempDir(), "seed.iso", iso)
	const last = "dragoman-guest: ready"
	var ours, plain []time.Duration
	for b.Loop() {
		begun := time.Now()
		m := guest.Boot(b, guest.Options{Disk: guest.Image(b), Seed: path})
		m.Expect(b, last, jobTime)
		plain = append(plain, time.Since(begun))
		m.PowerButton(b)
		m.Wait(b, jobTime)

		begun = time.Now()
		out := begin(b, c, canonical.CreateServer, r)
		id := out.Result.Servers[0].ID
		if err := end(b, c, out.Task); err != nil {
			b.Fatal(err)
		}
		eventually(b, jobTime, "the guest has booted", func() bool {
			return strings.Contains(do(b, c, canonical.GetConsoleOutput, canonical.ConsoleOutputGet{ID: id}).Output, last)
		})
		ours = append(ours, time.Since(begun))
		do(b, c, canonical.DeleteServer, canonical.ServerDelete{ID: id})
	}
	b.ReportMetric(quantile(plain, 0.5), "ms-plain")
	b.ReportMetric(quantile(ours, 0.5), "ms-ours")
}
