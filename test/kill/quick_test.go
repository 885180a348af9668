package kill

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/test/postgres"
	"github.com/dragoman-cloud/dragoman/test/process"
)

// BenchmarkFirstCall measures how soon after a create came the cloud is asked: the
// operation is stored before, and there is no queue.
func BenchmarkFirstCall(b *testing.B) {
	for name, config := range map[string]func(b *testing.B, endpoint string) string{
		"sqlite":   func(_ *testing.B, endpoint string) string { return frontConfig(endpoint) },
		"postgres": func(b *testing.B, endpoint string) string { return replicaConfig(postgres.Database(b), endpoint) },
	} {
		b.Run(name, func(b *testing.B) {
			arrived := make(chan time.Time, 1)
			s, endpoint := behind(b, &gallows{counts: func(r *http.Request) bool {
				if r.Method == http.MethodPost {
					arrived <- time.Now()
				}
				return false
			}})
			s.gallows.arm(1, false, nil)
			front := process.Start(b, b.TempDir(), config(b, endpoint), seal)
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				body := fmt.Sprintf(`{"name":"web%d","flavor":"small","image":"cirros"}`, len(took))
				if status := call(b, http.MethodPost, front.URL+"/v1/servers", body, nil, nil); status != http.StatusAccepted {
					b.Fatal(status)
				}
				took = append(took, (<-arrived).Sub(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/median")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "ms/most")
		})
	}
}
