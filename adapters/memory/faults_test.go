package memory_test

import (
	"context"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// only is a fault of one operation.
func only(op *canonical.Spec, fault func(context.Context, *canonical.Spec) error) func(context.Context, *canonical.Spec) error {
	return func(ctx context.Context, got *canonical.Spec) error {
		if got != op {
			return nil
		}
		return fault(ctx, got)
	}
}

// shortly is a context that ends soon.
func shortly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestAnswersAreLostAfterTheirEffect(t *testing.T) {
	c := memory.New(memory.Options{Lost: only(canonical.CreateServer.Spec(), memory.Hang)})
	_, err := canonical.CreateServer.Do(shortly(t), c, canonical.ServerCreate{Name: "lost", Flavor: "small", Image: "cirros"})
	wantCode(t, "a create whose answer is lost", err, canonical.Timeout)
	r, err := canonical.ListServers.Do(t.Context(), c, canonical.ServerList{Name: "lost"})
	if err != nil || len(r.Result.Items) != 1 {
		t.Errorf("the lost server: %+v, %v", r.Result, err)
	}
}

func TestHangsEndWithTheirCaller(t *testing.T) {
	c := memory.New(memory.Options{Faults: only(canonical.CreateServer.Spec(), memory.Hang)})
	_, err := canonical.CreateServer.Do(shortly(t), c, canonical.ServerCreate{Name: "a", Flavor: "small", Image: "cirros"})
	wantCode(t, "a create that hangs", err, canonical.Timeout)
	r, err := canonical.ListServers.Do(t.Context(), c, canonical.ServerList{})
	if err != nil || len(r.Result.Items) != 0 {
		t.Errorf("a create that hung before its effect made %+v, %v", r.Result.Items, err)
	}
}

func TestWorkThatNeverEnds(t *testing.T) {
	clock := memory.NewFakeClock(time.Unix(1_800_000_000, 0))
	c := memory.New(memory.Options{Delay: time.Second, Clock: clock, Stuck: func(op *canonical.Spec, _ canonical.Server) bool {
		return op == canonical.CreateServer.Spec()
	}})
	r, err := canonical.CreateServer.Do(t.Context(), c, canonical.ServerCreate{Name: "a", Flavor: "small", Image: "cirros"})
	if err != nil || r.Task == nil {
		t.Fatalf("%+v, %v", r, err)
	}
	clock.Advance(1000 * time.Hour)
	if p, err := r.Task.Check(t.Context(), c); err != nil || p.Verdict != canonical.TaskRunning {
		t.Errorf("after a long time: %+v, %v", p, err)
	}
	gone, err := canonical.DeleteServer.Do(t.Context(), c, canonical.ServerDelete{ID: r.Result.Servers[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Second)
	if p, err := gone.Task.Check(t.Context(), c); err != nil || p.Verdict != canonical.TaskSucceeded {
		t.Errorf("the delete: %+v, %v", p, err)
	}
}

func TestAddressesOfOtherNetworksAreRefused(t *testing.T) {
	c := memory.New(memory.Options{})
	_, err := canonical.CreateServer.Do(t.Context(), c, canonical.ServerCreate{
		Name: "a", Flavor: "small", Image: "cirros", Networks: canonical.Networks{
			Mode: canonical.NetworksList, List: []canonical.NetworkChoice{{Network: "private", IP: "203.0.113.7"}},
		},
	})
	if e := canonical.AsError(err); canonical.CodeOf(err) != canonical.InvalidRequest || len(e.Fields) != 1 || e.Fields[0].Field != "networks.0.ip" {
		t.Errorf("%v", err)
	}
}
