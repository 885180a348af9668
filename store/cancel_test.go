package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// A caller that goes away at any moment of a write leaves no transaction open.
func TestCallersGoAway(t *testing.T) {
	s := open(t, ":memory:")
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 50 {
				ctx, leave := context.WithCancel(t.Context())
				timer := time.AfterFunc(time.Duration(i)*20*time.Microsecond, leave)
				o := store.Operation{Deadline: time.Now()}
				o.ID, o.Status, o.CreatedAt = canonical.ID(fmt.Sprint(g, i)), canonical.OperationRunning, time.Now()
				_ = s.CreateOperation(ctx, o, "p") // it may succeed or not
				timer.Stop()
				leave()
			}
		})
	}
	wg.Wait()
	o := store.Operation{Deadline: time.Now()}
	o.ID, o.Status = "last", canonical.OperationRunning
	for range 2 {
		o.ID += "x"
		if err := s.CreateOperation(t.Context(), o, "p"); err != nil {
			t.Fatal(err)
		}
	}
}
