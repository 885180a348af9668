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

// most is how long after a request came the cloud must be asked.
const most = 50 * time.Millisecond

// A cloud is asked soon after a create came: the operation is stored before, and there
// is no queue.
func TestFirstCall(t *testing.T) {
	for name, config := range map[string]func(t *testing.T, endpoint string) string{
		"sqlite":   func(_ *testing.T, endpoint string) string { return frontConfig(endpoint) },
		"postgres": func(t *testing.T, endpoint string) string { return replicaConfig(postgres.Database(t), endpoint) },
	} {
		t.Run(name, func(t *testing.T) {
			arrived := make(chan time.Time, 1)
			s, endpoint := behind(t, &gallows{counts: func(r *http.Request) bool {
				if r.Method == http.MethodPost {
					arrived <- time.Now()
				}
				return false
			}})
			s.gallows.arm(1, false, nil)
			front := process.Start(t, t.TempDir(), config(t, endpoint), seal)
			var took []time.Duration
			for i := range 40 {
				began := time.Now()
				body := fmt.Sprintf(`{"name":"web%d","flavor":"small","image":"cirros"}`, i)
				if status := call(t, http.MethodPost, front.URL+"/v1/servers", body, nil, nil); status != http.StatusAccepted {
					t.Fatal(status)
				}
				took = append(took, (<-arrived).Sub(began))
			}
			slices.Sort(took)
			t.Logf("from the client's request to the cloud's: %v, %v, %v (least, median, most)", took[0], took[len(took)/2], took[len(took)-1])
			if median := took[len(took)/2]; median > most {
				t.Errorf("it takes %v, more than %v", median, most)
			}
		})
	}
}
