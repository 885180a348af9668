package native

import (
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// TestOldJobsAreForgotten: while dragoman runs too, not only when it starts.
func TestOldJobsAreForgotten(t *testing.T) {
	c := openCloud(t, fakeOptions(t, newFakeHost("h1", "")))
	for id, ended := range map[canonical.ID]time.Time{"old": now().Add(-keepJobs - time.Minute), "new": now().Add(-time.Minute)} {
		j := job{ID: id, Status: canonical.OperationSucceeded, EndedAt: ended}
		if err := c.opts.Store.AddObject(t.Context(), c.object(jobKind, string(id)), j); err != nil {
			t.Fatal(err)
		}
	}
	c.spawn(func() { c.forget(time.Millisecond) })
	eventually(t, jobTime, "the old job is forgotten", func() bool {
		jobs, err := store.Objects[job](t.Context(), c.opts.Store, c.opts.Name, jobKind)
		return err == nil && len(jobs) == 1 && jobs[0].ID == "new"
	})
}
