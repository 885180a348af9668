package gateway

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

const (
	// keepAnswers is how long answers are kept for repeats.
	keepAnswers = 24 * time.Hour
	// lease is how long a request counts as under way since its process last said so;
	// it says so four times as often. A dead process's keys are free after it.
	lease = 8 * time.Second
)

// repeats gives repeated requests with the same Idempotency-Key their first answer
// again. The store holds them, so that a restart forgets none.
type repeats struct {
	store *store.Store
	box   *store.Box
	owner string // this process
	log   *slog.Logger
	keep  time.Duration
	lease time.Duration
}

func newRepeats(o Options) *repeats {
	return &repeats{store: o.Store, box: o.Box, owner: rand.Text(), log: o.Log, keep: keepAnswers, lease: lease}
}

// repeatable performs the first request with its key, and answers later ones. Its
// client may go away meanwhile: the work goes on, for the answer is what the client
// will ask for when it comes again.
func (g *Gateway) repeatable(ctx context.Context, op *canonical.Spec, in *input) *answer {
	ctx = context.WithoutCancel(ctx)
	caller := canonical.CallerOf(ctx)
	key, digest := in.repeatKey(caller.Tenant), in.digestFor(caller.Role)
	mine := store.Repeat{
		Key: key[:], Digest: digest[:], Owner: g.repeats.owner, RequestID: recordOf(ctx).requestID, BegunAt: g.opts.Now(),
	}
	known, err := g.repeats.store.ClaimRepeat(ctx, mine, g.repeats.lease)
	switch {
	case err != nil:
		return errorAnswer(ctx, err)
	case known == nil:
		return g.performNamed(ctx, op, in, mine)
	case known.Dead && known.Owner != g.repeats.owner:
		return g.inherit(ctx, op, in, *known, mine)
	default:
		return g.repeats.again(ctx, *known, mine.Digest)
	}
}

// inherit answers a request whose first copy died with its process: with the
// operation that it left, or as if it had never been.
func (g *Gateway) inherit(ctx context.Context, op *canonical.Spec, in *input, dead, mine store.Repeat) *answer {
	left, err := g.repeats.leftBy(ctx, dead)
	switch {
	case err != nil:
		return errorAnswer(ctx, err)
	case left != nil && string(dead.Digest) != string(mine.Digest):
		return errorAnswer(ctx, errOtherRequest())
	}
	mine.BegunAt = dead.BegunAt // which stays in the store
	err = g.repeats.store.TakeRepeat(ctx, mine, g.repeats.lease)
	switch {
	case canonical.CodeOf(err) == canonical.NotFound:
		return errorAnswer(ctx, errUnderWay())
	case err != nil:
		return errorAnswer(ctx, err)
	case left != nil:
		reply := canonical.Reply{Task: &canonical.Task{Job: left.ID}}
		return g.repeats.perform(mine, func() *answer { return g.longAnswer(ctx, op, reply, in) })
	default:
		return g.performNamed(ctx, op, in, mine)
	}
}

// performNamed performs a request that is ours; the operation that it begins is known by
// the name of the claim.
func (g *Gateway) performNamed(ctx context.Context, op *canonical.Spec, in *input, mine store.Repeat) *answer {
	o := canonical.OptionsOf(ctx)
	o.Repeat = mine.Name()
	ctx = canonical.WithOptions(ctx, o)
	return g.repeats.perform(mine, func() *answer { return g.perform(ctx, op, in) })
}

// leftBy is the operation that a request had begun before its process died; nil:
// none, so that no cloud was asked.
func (s *repeats) leftBy(ctx context.Context, dead store.Repeat) (left *canonical.Operation, err error) {
	o, err := s.store.OperationOf(ctx, dead.Name())
	switch {
	case canonical.CodeOf(err) == canonical.NotFound:
		return nil, nil //nolint:nilnil // nothing left is an answer, not a failure
	case err != nil:
		return nil, err
	default:
		return &o.Operation, nil
	}
}

// perform does the work of a request that is ours, and keeps its answer.
func (s *repeats) perform(mine store.Repeat, do func() *answer) (a *answer) {
	stop := s.renew(mine)
	defer func() {
		stop()
		s.settle(mine, a)
	}()
	return do()
}

// renew keeps the claim until stop is called.
func (s *repeats) renew(mine store.Repeat) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(s.lease / 4)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := s.store.RenewRepeat(ctx, mine, s.lease); err != nil && ctx.Err() == nil {
				s.log.Warn("gateway: cannot renew the claim of an Idempotency-Key", "error", err)
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// settle keeps the answer, or frees the key where there is none worth keeping.
func (s *repeats) settle(mine store.Repeat, a *answer) {
	if a != nil && a.status != http.StatusUnauthorized && a.status != http.StatusTooManyRequests && a.status < 499 {
		plain, err := json.Marshal(kept{a.status, a.header, a.body})
		if err != nil { // numbers, texts and bytes always marshal
			panic(err)
		}
		mine.Answer = s.box.Seal(plain, mine.Key)
	}
	if err := s.store.EndRepeat(context.Background(), mine, s.keep); err != nil {
		s.log.Error("gateway: cannot keep the answer of an Idempotency-Key", "request_id", mine.RequestID, "error", err)
	}
}

// kept is an answer as it is kept.
type kept struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header"`
	Body   []byte            `json:"body"`
}

// again answers a request whose first copy is known.
func (s *repeats) again(ctx context.Context, known store.Repeat, digest []byte) *answer {
	switch {
	case string(known.Digest) != string(digest):
		return errorAnswer(ctx, errOtherRequest())
	case known.Answer == nil:
		return errorAnswer(ctx, errUnderWay())
	}
	var k kept
	plain, err := s.box.Open(known.Answer, known.Key)
	if err == nil {
		err = json.Unmarshal(plain, &k)
	}
	if err != nil {
		return errorAnswer(ctx, &canonical.Error{Code: canonical.Internal, Detail: "the first answer cannot be read", Err: err})
	}
	return &answer{status: k.Status, header: k.Header, body: k.bodyFor(recordOf(ctx).requestID)}
}

// bodyFor is the body; a problem names the request that it answers now.
func (k kept) bodyFor(requestID string) []byte {
	var p canonical.Problem
	if k.Header["Content-Type"] != problemType || json.Unmarshal(k.Body, &p) != nil {
		return k.Body
	}
	p.RequestID = requestID
	return problemAnswer(&p).body
}

func errOtherRequest() error {
	return canonical.Errorf(canonical.Conflict, "this Idempotency-Key was used with another body")
}

func errUnderWay() error {
	e := canonical.Errorf(canonical.Conflict, "the first request with this Idempotency-Key is under way")
	e.RetryAfter = time.Second
	return e
}

// repeatKey names what a key of the client's belongs to: tenant and route.
func (in *input) repeatKey(tenant string) [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.Join([]string{tenant, in.route, in.options.IdempotencyKey}, "\x00")))
}

// digestFor is the digest of body, query and role. Another role's request is
// another one, for it may not be allowed to see the answer.
func (in *input) digestFor(role canonical.Role) [sha256.Size]byte {
	return sha256.Sum256(append(in.digest[:], string(role)+"\x00"+in.query.Encode()...))
}
