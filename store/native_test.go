package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

type thing struct {
	Name  string
	Count int
}

func TestObjects(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		ctx, o := t.Context(), store.Object{Cloud: "kvm", Kind: "flavor", ID: "f1"}
		var got thing
		if code := canonical.CodeOf(s.GetObject(ctx, o, &got)); code != canonical.NotFound {
			t.Errorf("before it is there: %q", code)
		}
		if err := s.AddObject(ctx, o, thing{"small", 0}); err != nil {
			t.Fatal(err)
		}
		if code := canonical.CodeOf(s.AddObject(ctx, o, thing{"other", 0})); code != canonical.AlreadyExists {
			t.Errorf("added twice: %q", code)
		}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				var th thing
				if err := s.ChangeObject(ctx, o, &th, func() error { th.Count++; return nil }); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		refusal := errors.New("no")
		if err := s.ChangeObject(ctx, o, &got, func() error { got.Count = 0; return refusal }); !errors.Is(err, refusal) {
			t.Error(err)
		}
		if err := s.SetObject(ctx, store.Object{Cloud: "kvm", Kind: "flavor", ID: "f0"}, thing{"tiny", 7}); err != nil {
			t.Error(err)
		}
		list, err := store.Objects[thing](ctx, s, "kvm", "flavor")
		if diff := cmp.Diff([]thing{{"tiny", 7}, {"small", 20}}, list); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if list, err := store.Objects[thing](ctx, s, "other", "flavor"); err != nil || len(list) != 0 {
			t.Error(list, err)
		}
		if err := s.DeleteObject(ctx, o); err != nil {
			t.Error(err)
		}
		if code := canonical.CodeOf(s.DeleteObject(ctx, o)); code != canonical.NotFound {
			t.Errorf("deleted twice: %q", code)
		}
	})
}

// Many claim at once, and not one more gets a place than there are.
func TestClaims(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		full := errors.New("full")
		var placed, refused atomic.Int32
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				err := s.Claim(t.Context(), "kvm", func(taken []store.Claim) ([]store.Claim, error) {
					if len(taken) >= 20 {
						return nil, full
					}
					return []store.Claim{{Host: "h1", Server: fmt.Sprint(i), VCPUs: 1, RAMMiB: 512, DiskGiB: 1}}, nil
				})
				switch {
				case err == nil:
					placed.Add(1)
				case errors.Is(err, full):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if placed.Load() != 20 || refused.Load() != 30 {
			t.Errorf("%d placed, %d refused", placed.Load(), refused.Load())
		}
		taken, err := s.Claims(t.Context(), "kvm")
		if err != nil || len(taken) != 20 || taken[0].RAMMiB != 512 {
			t.Fatal(taken, err)
		}
		if err := s.Unclaim(t.Context(), "kvm", taken[0].Server, taken[1].Server, "unknown"); err != nil {
			t.Error(err)
		}
		if taken, err = s.Claims(t.Context(), "kvm"); err != nil || len(taken) != 18 {
			t.Error(taken, err)
		}
	})
}
