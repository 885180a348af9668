package broker

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// A cloud that tells nothing by itself is asked, every Member.Poll, which servers have
// changed. All processes on a store take turns, so that an account is asked by one of
// them; what was known is kept with the turn.
//
// The clock of the cloud is not ours. A question reaches back pollOverlap before the
// newest change that the cloud has told of, by its own clock, or pollSkew before now
// by ours, whichever is later: so a quiet cloud answers with nothing, and one whose clock
// is up to pollSkew late, or ahead by anything, tells all. What an answer tells again is
// known by its state.
const (
	pollOverlap = 30 * time.Second
	pollSkew    = 5 * time.Minute
)

// polled is what is kept between two questions.
type polled struct {
	Since time.Time               `json:"since"` // what the next question asks for
	Known map[canonical.ID]string `json:"known"` // the states that the last answer told
}

// pollers are the accounts of m that are asked what has changed: "" is the one of several
// tenants.
func (m Member) pollers() []string {
	accounts := m.Tenants
	if a, err := m.Open(""); m.Poll > 0 && (err != nil || a.Cloud != nil) {
		accounts = append([]string{""}, accounts...)
	}
	return accounts
}

// watch begins to ask the members what has changed.
func (b *Broker) watch() {
	for _, m := range b.Members {
		switch {
		case m.Watch != nil:
			m.Watch(func(s canonical.Server) { b.noticed(m.Name, s) })
		case m.Poll > 0:
			for _, account := range m.pollers() {
				b.wg.Go(func() { b.poll(b.ctx, m, account) })
			}
		}
	}
}

// poll asks an account what has changed until ctx ends.
func (b *Broker) poll(ctx context.Context, m Member, account string) {
	failing := false
	for ctx.Err() == nil {
		wait, err := b.turn(ctx, m, account)
		if err != nil && !failing && ctx.Err() == nil {
			b.Log.Warn("broker: cannot ask what has changed: events of servers are late", "cloud", m.Name, "tenant", account, "error", err)
		}
		failing = err != nil
		timer := time.NewTimer(max(wait, time.Millisecond))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// turn asks an account once if it is due and nobody else is at it, and says how long it
// is to wait for the next turn.
func (b *Broker) turn(ctx context.Context, m Member, account string) (time.Duration, error) {
	ctx = canonical.WithCaller(ctx, canonical.Caller{Tenant: account, Role: canonical.Member})
	v, err := b.view(ctx, m)
	if err != nil || v == nil {
		return m.Poll, err
	}
	p, wait, mine, err := b.Store.ClaimPoll(ctx, m.Name, account, v.timeout()+store.Lease)
	if err != nil || !mine {
		return min(wait, m.Poll), err
	}
	events, err := v.changes(ctx, &p)
	if err == nil {
		err = b.Store.SavePoll(ctx, p, events, m.Poll)
		if canonical.CodeOf(err) == canonical.NotFound {
			return m.Poll, nil // it took so long that another has it now
		}
	}
	if err == nil {
		if len(events) > 0 {
			b.happened()
		}
		return m.Poll, nil
	}
	next := max(m.Poll, canonical.AsError(err).RetryAfter)
	if ctx.Err() != nil {
		next = 0 // another process may have it at once
	}
	return next, errors.Join(err, b.Store.SkipPoll(context.WithoutCancel(ctx), p, next))
}

// changes asks the cloud what has changed since the last turn, and brings the state of p
// up to date. At first, and when nobody has asked for longer than events are kept, what
// there is counts as known.
func (v *view) changes(ctx context.Context, p *store.Poll) ([]canonical.Event, error) {
	now := v.b.Now()
	last := polled{Since: now.Add(-pollSkew)}
	first := p.State == nil || p.Since > store.KeepEvents
	if !first {
		if err := json.Unmarshal(p.State, &last); err != nil {
			return nil, err
		}
	}
	servers, whole, err := v.changed(ctx, last.Since)
	if err != nil {
		return nil, err
	}
	next := polled{Since: now.Add(-pollSkew), Known: make(map[canonical.ID]string, len(servers))}
	var news []canonical.Server
	for _, s := range servers {
		state := stateOf(&s)
		if known, ok := last.Known[s.ID]; !first && (!ok || known != state) {
			news = append(news, s)
		}
		next.Known[s.ID] = state
		next.reach(s.UpdatedAt, now)
		next.reach(s.DeletedAt, now)
	}
	if next.Since.Before(last.Since) || !whole {
		next.Since = last.Since
	}
	if !whole { // of what was not told this time, what was known still is
		for id, state := range last.Known {
			if _, told := next.Known[id]; !told {
				next.Known[id] = state
			}
		}
	}
	if p.State, err = json.Marshal(next); err != nil {
		return nil, err
	}
	return v.tell(ctx, news)
}

// reach makes the next question begin behind a change, by the cloud's clock, but never
// later than by ours.
func (p *polled) reach(change *time.Time, now time.Time) {
	if change == nil {
		return
	}
	since := change.Add(-pollOverlap)
	if latest := now.Add(-pollOverlap); since.After(latest) {
		since = latest
	}
	if since.After(p.Since) {
		p.Since = since
	}
}

// stateOf is what of a server makes an event when it changes.
func stateOf(s *canonical.Server) string {
	task := ""
	if s.Task != nil {
		task = "busy"
	}
	return strings.Join([]string{string(s.Status), s.NativeStatus, string(s.Power), task}, "|")
}

// changed are the servers of the account that changed since then, oldest first. whole:
// no part of the answer is missing.
func (v *view) changed(ctx context.Context, since time.Time) (all []canonical.Server, whole bool, err error) {
	ctx, cancel := v.deadline(ctx)
	defer cancel()
	r := canonical.ServerList{ChangedSince: &since, ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit, Sort: canonical.OldestFirst}}
	whole = true
	for {
		page, err := canonical.ListServers.Do(ctx, v.cloud, r)
		if err != nil {
			return nil, false, err
		}
		all, whole = append(all, page.Result.Items...), whole && len(page.Result.Unreachable) == 0
		if r.Cursor = page.Result.NextCursor; r.Cursor == "" {
			return all, whole, nil
		}
	}
}

// tell are the events of servers for their owners; of what nobody owns, nobody is told.
func (v *view) tell(ctx context.Context, servers []canonical.Server) ([]canonical.Event, error) {
	owners, err := v.owners(ctx, "server", servers)
	if err != nil {
		return nil, err
	}
	var events []canonical.Event
	for _, s := range servers {
		seen, _ := v.see(s, owners)
		s, _ = seen.(canonical.Server)
		if s.Tenant == nil {
			continue
		}
		data, err := json.Marshal(s)
		if err != nil {
			return nil, err
		}
		events = append(events, canonical.Event{Type: canonical.ServerEvent, Tenant: *s.Tenant, Data: data})
	}
	return events, nil
}
