package facade_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// upset is a cloud that fails with err a number of times, and then performs.
func upset(times int, err error) does {
	return func(context.Context, canonical.Call) (canonical.Reply, error) {
		if times--; times >= 0 {
			return canonical.Reply{}, err
		}
		return canonical.Reply{Result: nil}, nil
	}
}

func limited(after time.Duration) *canonical.Error {
	return &canonical.Error{Code: canonical.RateLimited, RetryAfter: after, Upstream: &canonical.Upstream{Status: 429}}
}

func busy(after time.Duration) *canonical.Error {
	return &canonical.Error{Code: canonical.Unavailable, RetryAfter: after, Upstream: &canonical.Upstream{Status: 503}}
}

func TestThrottlingIsAbsorbed(t *testing.T) {
	get, del := [2]string{"GET", "/servers/a"}, [2]string{"DELETE", "/servers/a"}
	brokers := &canonical.Error{Code: canonical.Unavailable, RetryAfter: 5 * time.Second, Upstream: &canonical.Upstream{Status: 503}}
	cases := map[string]struct {
		reason string
		call   [2]string
		times  int
		err    error
		status int
		took   time.Duration
	}{
		"Read":          {"it was not begun", get, 1, limited(3 * time.Second), 200, 3 * time.Second},
		"Write":         {"it was not begun either", del, 1, limited(3 * time.Second), 204, 3 * time.Second},
		"NoHint":        {"the pauses double", get, 3, limited(0), 200, 700 * time.Millisecond},
		"ForEver":       {"a real error within the bound", get, 1e6, limited(0), 503, 12700 * time.Millisecond},
		"TooLong":       {"waiting would be no use", get, 1, limited(time.Hour), 503, 0},
		"BusyRead":      {"a read may be repeated", get, 1, busy(2 * time.Second), 200, 2 * time.Second},
		"BusyWrite":     {"it may have been begun", del, 1, busy(2 * time.Second), 503, 0},
		"BusyNoHint":    {"who knows for how long", get, 1, busy(0), 503, 0},
		"Down":          {"no cloud said so", get, 1, &canonical.Error{Code: canonical.Unavailable, RetryAfter: time.Second}, 503, 0},
		"Slow":          {"a deadline is no throttling", get, 1, canonical.Errorf(canonical.Timeout, "late"), 504, 0},
		"BehindABroker": {"the cloud itself gave no hint", get, 1, wrapped(brokers, busy(0)), 503, 0},
		"LimitedBehind": {"the cloud itself limits", get, 1, wrapped(brokers, limited(time.Second)), 200, time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := toy(performing(upset(c.times, c.err)))
				begin := time.Now()
				resp := ask(t.Context(), t, f, c.call[0], c.call[1], "")
				if took := time.Since(begin); resp.Status != c.status || took != c.took {
					t.Errorf("%s: %d %s after %s; want %d after %s", c.reason, resp.Status, resp.Body, took, c.status, c.took)
				}
			})
		})
	}
}

// performing gives the results that the calls of the cases need.
func performing(c does) does {
	return func(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
		reply, err := c(ctx, call)
		if err != nil {
			return reply, err
		}
		switch call.Op {
		case canonical.GetServer.Spec():
			reply.Result = canonical.Server{ID: "a"}
		case canonical.DeleteServer.Spec():
			reply.Result = canonical.None{}
		}
		return reply, nil
	}
}

// wrapped is how a broker tells that its clouds failed.
func wrapped(outer, inner *canonical.Error) error {
	e := *outer
	e.Err = inner
	return &e
}

// TestLimitedPartOfAList: a cloud that throttles makes a list late, not partial.
func TestLimitedPartOfAList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		c := does(func(context.Context, canonical.Call) (canonical.Reply, error) {
			p := canonical.Page[canonical.Server]{Items: []canonical.Server{{ID: "a"}}}
			if tries++; tries < 3 {
				p.Unreachable = []canonical.Unreachable{{Cloud: "os2", Code: canonical.RateLimited}}
			}
			return canonical.Reply{Result: p}, nil
		})
		if w := listed(t, ask(t.Context(), t, toy(c), "GET", "/servers", "")); len(w.Servers) != 1 || tries != 3 {
			t.Errorf("%+v after %d tries", w, tries)
		}
	})
}

// TestPatienceHasBounds: the deadline and the going away of the client end it.
func TestPatienceHasBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := toy(upset(1e6, limited(3*time.Second)))
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		begin := time.Now()
		if r := ask(ctx, t, f, "GET", "/servers/a", ""); r.Status != 503 || time.Since(begin) != 3*time.Second {
			t.Errorf("deadline: %d after %s", r.Status, time.Since(begin))
		}
		gone, leave := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { leave(errors.New("bye")) })
		begin = time.Now()
		if r := ask(gone, t, f, "GET", "/servers/a", ""); r.Status != 499 || time.Since(begin) != time.Second {
			t.Errorf("client gone: %d after %s", r.Status, time.Since(begin))
		}
	})
}
