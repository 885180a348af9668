package kvm

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// table is what a host knows of its servers.
//
// Many read the host at the same time, and their findings arrive in any order. So
// each takes a ticket before it reads, and a finding counts only if no reading that
// began later has been written. States and records are read apart, and count apart.
type table struct {
	mu      sync.Mutex // guards all below
	tickets uint64
	rows    map[string]row
	tasks   map[string]Task
	changed chan struct{} // closed and replaced at every change
	queue   []Event
	queued  chan struct{} // holds one token while queue may have events
	watch   map[int]func(Event)
	watched int
}

type row struct {
	ticket   uint64 // of the state
	recorded uint64 // the ticket of the record
	gone     bool   // kept until the next full reading, so that an older one does not bring it back
	record   Record
	state    State
	seenAt   time.Time
}

func newTable() *table {
	return &table{
		rows: map[string]row{}, tasks: map[string]Task{}, watch: map[int]func(Event){},
		changed: make(chan struct{}), queued: make(chan struct{}, 1),
	}
}

// ticket is to be taken before the host is read.
func (t *table) ticket() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tickets++
	return t.tickets
}

// found writes what a reading found: at most one row.
func (t *table) found(ticket uint64, id string, state State, record *Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write(ticket, id, state, record)
}

// write takes what of a reading is newer than what is known; a nil record was not read.
func (t *table) write(ticket uint64, id string, state State, record *Record) {
	old := t.rows[id]
	if old.ticket > ticket && old.gone {
		return
	}
	fresh := old
	if old.ticket <= ticket {
		fresh.ticket, fresh.gone, fresh.state, fresh.seenAt = ticket, false, state, time.Now()
	}
	if record != nil && old.recorded <= ticket {
		fresh.recorded, fresh.record = ticket, *record
	}
	t.rows[id] = fresh
	if old.ticket == 0 || old.gone || old.state != fresh.state || !fresh.record.equal(old.record) {
		t.tell(Event{Kind: Changed, ID: id, Server: t.view(id, fresh)})
	}
}

// wrote takes a record that was just written to the host: what was read before is old.
func (t *table) wrote(id string, record Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old, ok := t.rows[id]
	if !ok || old.gone {
		return
	}
	t.tickets++
	fresh := old
	fresh.recorded, fresh.record = t.tickets, record
	t.rows[id] = fresh
	if !record.equal(old.record) {
		t.tell(Event{Kind: Changed, ID: id, Server: t.view(id, fresh)})
	}
}

// missing writes that a reading found no such server.
func (t *table) missing(ticket uint64, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(ticket, id)
}

func (t *table) remove(ticket uint64, id string) {
	old, ok := t.rows[id]
	if old.ticket > ticket {
		return
	}
	t.rows[id] = row{ticket: ticket, gone: true}
	if ok && !old.gone {
		t.tell(Event{Kind: Gone, ID: id, Server: t.view(id, old)})
	}
}

// reading is what a full reading found of one server.
type reading struct {
	id     string
	state  State
	record *Record // nil: not read
}

// all writes a full reading: what it did not find is gone.
func (t *table) all(ticket uint64, found []reading) {
	t.mu.Lock()
	defer t.mu.Unlock()
	present := make(map[string]bool, len(found))
	for _, r := range found {
		present[r.id] = true
		t.write(ticket, r.id, r.state, r.record)
	}
	for id, old := range t.rows {
		switch {
		case present[id] || old.ticket > ticket:
		case old.gone:
			delete(t.rows, id)
		default:
			t.remove(ticket, id)
		}
	}
}

// known says whether the record of a server was read.
func (t *table) known(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, ok := t.rows[id]
	return ok && !r.gone && r.record.ID != ""
}

func (t *table) get(id string) (Server, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, ok := t.rows[id]
	if !ok || r.gone {
		return Server{}, false
	}
	return t.view(id, r), true
}

// list is every server, by id.
func (t *table) list() []Server {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]Server, 0, len(t.rows))
	for id, r := range t.rows {
		if !r.gone {
			out = append(out, t.view(id, r))
		}
	}
	slices.SortFunc(out, func(a, b Server) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// view is a row as others see it; the caller owns it.
func (t *table) view(id string, r row) Server {
	s := Server{Record: r.record.clone(), State: r.state, Task: t.tasks[id], SeenAt: r.seenAt}
	s.ID = id
	s.Status, s.Power = s.status(), s.State.Power()
	return s
}

// begin notes what is being done to a server, until the function it returns is called.
func (t *table) begin(id string, task Task) (end func()) {
	set := func(task Task) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if task == NoTask {
			delete(t.tasks, id)
		} else {
			t.tasks[id] = task
		}
		if r, ok := t.rows[id]; ok && !r.gone {
			t.tell(Event{Kind: Changed, ID: id, Server: t.view(id, r)})
		}
	}
	set(task)
	return func() { set(NoTask) }
}

// next is closed at the next change.
func (t *table) next() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.changed
}

// tell queues an event; t.mu is held.
func (t *table) tell(e Event) {
	close(t.changed)
	t.changed = make(chan struct{})
	if len(t.watch) == 0 {
		return
	}
	t.queue = append(t.queue, e)
	select {
	case t.queued <- struct{}{}:
	default:
	}
}

// deliver gives the events to the watchers, in order, until ctx ends.
func (t *table) deliver(ctx context.Context) {
	for {
		select {
		case <-t.queued:
		case <-ctx.Done():
			return
		}
		events, watchers := t.take()
		for _, e := range events {
			for _, f := range watchers {
				f(e)
			}
		}
	}
}

func (t *table) take() ([]Event, []func(Event)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	events := t.queue
	t.queue = nil
	var watchers []func(Event)
	for _, f := range t.watch {
		watchers = append(watchers, f)
	}
	return events, watchers
}

// EventKind is what happened.
type EventKind string

// The kinds of events.
const (
	Changed EventKind = "changed" // there is a new server, or one that is not as it was
	Gone    EventKind = "gone"    // the host has it no longer; Server is how it was last
)

// Event is a change of one server, whoever made it.
type Event struct {
	Kind   EventKind
	ID     string
	Server Server
}

// Watch calls f for every change from now on, one at a time and in order, until stop
// is called; a call under way may still end after that. A slow f delays the others
// but loses nothing. While a host is not connected nothing is told; what changed
// meanwhile is told when it is back.
func (h *Host) Watch(f func(Event)) (stop func()) {
	t := h.table
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watched++
	n := t.watched
	t.watch[n] = f
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.watch, n)
	}
}

// busyOrThere says whether a server exists or is being worked on.
func (t *table) busyOrThere(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, ok := t.rows[id]
	return ok && !r.gone || t.tasks[id] != NoTask
}
