package gateway

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// How long answers are kept for repeats, and how many.
const (
	keepAnswers = 24 * time.Hour
	maxAnswers  = 10_000
)

// repeats gives repeated requests with the same Idempotency-Key their first
// answer again. It is this process's own: what it holds ends with it.
type repeats struct {
	now func() time.Time

	mu    sync.Mutex
	known map[[sha256.Size]byte]*repeat
	order [][sha256.Size]byte // oldest first; may name keys that were let go
}

type repeat struct {
	digest [sha256.Size]byte
	answer *answer // nil: under way
	until  time.Time
}

func newRepeats(now func() time.Time) *repeats {
	return &repeats{now: now, known: make(map[[sha256.Size]byte]*repeat)}
}

func repeatKey(tenant, method, path, key string) [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.Join([]string{tenant, method, path, key}, "\x00")))
}

// once performs do for the first request with that key, and answers later ones.
func (s *repeats) once(ctx context.Context, key, digest [sha256.Size]byte, do func() *answer) *answer {
	first, known := s.claim(key, digest)
	if first == nil {
		return s.again(ctx, known, digest)
	}
	var a *answer
	defer func() { s.settle(key, first, a) }()
	a = do()
	return a
}

// claim makes the key ours, or copies what is known of it.
func (s *repeats) claim(key, digest [sha256.Size]byte) (first *repeat, known repeat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if r, ok := s.known[key]; ok && now.Before(r.until) {
		return nil, *r
	}
	s.forget(now)
	first = &repeat{digest: digest, until: now.Add(keepAnswers)}
	s.known[key] = first
	s.order = append(s.order, key)
	return first, repeat{}
}

// forget drops the oldest answers that are too old, or too many.
func (s *repeats) forget(now time.Time) {
	for len(s.order) > 0 {
		r, ok := s.known[s.order[0]]
		if ok && now.Before(r.until) && len(s.order) < maxAnswers {
			return
		}
		delete(s.known, s.order[0])
		s.order = s.order[1:]
	}
}

func (s *repeats) again(ctx context.Context, known repeat, digest [sha256.Size]byte) *answer {
	switch {
	case known.digest != digest:
		return errorAnswer(ctx, canonical.Errorf(canonical.Conflict, "this Idempotency-Key was used with another body"))
	case known.answer == nil:
		e := canonical.Errorf(canonical.Conflict, "the first request with this Idempotency-Key is under way")
		e.RetryAfter = time.Second
		return errorAnswer(ctx, e)
	default:
		return known.answer
	}
}

// settle keeps the answer, or frees the key where there is none worth keeping.
func (s *repeats) settle(key [sha256.Size]byte, mine *repeat, a *answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[key] != mine {
		return
	}
	if a == nil || a.status == http.StatusUnauthorized || a.status == http.StatusTooManyRequests || a.status >= 499 {
		delete(s.known, key)
		return
	}
	mine.answer = a
}
