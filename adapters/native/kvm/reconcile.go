package kvm

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/digitalocean/go-libvirt"
	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// domainName is the domain of a server.
func (h *Host) domainName(id string) string { return h.opts.Prefix + "-" + id }

// idOf is the server whose domain has that name; false for domains of others.
func (h *Host) idOf(domain string) (string, bool) {
	id, ok := strings.CutPrefix(domain, h.opts.Prefix+"-")
	return id, ok && validID(id)
}

// validID says whether id is a UUID in its usual form.
func validID(id string) bool {
	u, err := uuid.Parse(id)
	return err == nil && u.String() == id
}

// domainOf is the handle by which libvirt finds a server's domain.
func (h *Host) domainOf(id string) libvirt.Domain {
	return libvirt.Domain{Name: h.domainName(id), UUID: libvirt.UUID(uuid.MustParse(id)), ID: -1}
}

// reconcile reads all domains. With records it reads those too; without, only those
// of domains that it did not know.
func (h *Host) reconcile(s *session, records bool) error {
	ticket := h.table.ticket()
	stats, err := asOwner(h, s, func(a api) ([]libvirt.DomainStatsRecord, error) {
		// One call for all: a call per domain would take a second per thousand.
		// With NOWAIT a domain that is busy does not hold up the others.
		return a.ConnectGetAllDomainStats(nil, uint32(libvirt.DomainStatsState), uint32(libvirt.ConnectGetAllDomainsStatsNowait))
	})
	if err != nil {
		return err
	}
	found := h.ours(stats)
	if err := h.readRecords(s, found, records); err != nil {
		return err
	}
	h.table.all(ticket, found)
	return nil
}

func (h *Host) ours(stats []libvirt.DomainStatsRecord) []reading {
	var found []reading
	for _, d := range stats {
		if id, ok := h.idOf(d.Dom.Name); ok {
			found = append(found, reading{id: id, state: statOf(d.Params)})
		}
	}
	return found
}

func statOf(params []libvirt.TypedParam) State {
	var s State
	for _, p := range params {
		v, ok := p.Value.I.(int32)
		switch {
		case !ok:
		case p.Field == "state.state":
			s.Code = v
		case p.Field == "state.reason":
			s.Reason = v
		}
	}
	return s
}

// readers is how many calls a reading of records has under way; libvirtd works on at
// most 5 of one client (max_client_requests).
const readers = 4

// readRecords fills in the records: of all, or of those that are not known.
func (h *Host) readRecords(s *session, found []reading, all bool) error {
	var todo []int
	for i := range found {
		if all || !h.table.known(found[i].id) {
			todo = append(todo, i)
		}
	}
	var wg sync.WaitGroup
	errs := make([]error, readers)
	for n := range readers {
		wg.Go(func() {
			for k := n; k < len(todo) && errs[n] == nil; k += readers {
				r := &found[todo[k]]
				r.record, errs[n] = h.readRecord(s, r.id)
				if answered(errs[n]) { // it went away, or is read the next time
					errs[n] = nil
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

const (
	metadataElement = int32(libvirt.DomainMetadataElement)
	affectConfig    = libvirt.DomainAffectConfig
)

// readRecord is the record in a domain's metadata: an empty one where somebody
// removed or spoiled it, so that it does not hide the others.
func (h *Host) readRecord(s *session, id string) (*Record, error) {
	text, err := asOwner(h, s, func(a api) (string, error) {
		return a.DomainGetMetadata(h.domainOf(id), metadataElement, libvirt.OptString{metadataURI}, libvirt.DomainAffectCurrent)
	})
	if err != nil && !isCode(err, libvirt.ErrNoDomainMetadata) {
		return nil, err
	}
	var r Record
	if err == nil {
		r, err = readMetadata(text)
	}
	if err != nil || r.ID != id {
		h.opts.Log.Warn("a domain of ours has no record that makes sense", "host", h.opts.Name, "server", id, "error", err)
		return &Record{}, nil
	}
	return &r, nil
}

// look reads one server anew.
func (h *Host) look(s *session, id string) error {
	ticket := h.table.ticket()
	st, err := asOwner(h, s, h.stateOf(id))
	if err != nil || h.table.known(id) {
		return h.saw(ticket, id, st, nil, err)
	}
	r, err := h.readRecord(s, id)
	return h.saw(ticket, id, st, r, err)
}

// refresh reads the state of one server anew, for an action that changed it.
func (h *Host) refresh(ctx context.Context, id string) error {
	ticket := h.table.ticket()
	st, err := fetch(ctx, h, h.stateOf(id))
	return h.saw(ticket, id, st, nil, err)
}

func (h *Host) stateOf(id string) func(api) (State, error) {
	return func(a api) (s State, err error) {
		s.Code, s.Reason, err = a.DomainGetState(h.domainOf(id), 0)
		return s, err
	}
}

// saw writes what a reading of one server found.
func (h *Host) saw(ticket uint64, id string, st State, r *Record, err error) error {
	switch {
	case gone(err):
		h.table.missing(ticket, id)
		return nil
	case err != nil:
		return err
	}
	h.table.found(ticket, id, st, r)
	return nil
}

// List is every server of the host, by id, as far as it is known: it asks nobody.
func (h *Host) List() []Server { return h.table.list() }

// Get is one server, as far as it is known: it asks nobody.
func (h *Host) Get(id string) (Server, error) {
	s, ok := h.table.get(id)
	if !ok {
		return Server{}, canonical.Errorf(canonical.NotFound, "host %s has no server %s", h.opts.Name, id)
	}
	return s, nil
}

// Refresh asks the host about one server.
func (h *Host) Refresh(ctx context.Context, id string) (Server, error) {
	if !validID(id) {
		return h.Get(id)
	}
	err := h.step(ctx, "read the domain", func(ctx context.Context) error {
		s, err := h.session(ctx)
		if err != nil {
			return err
		}
		return h.look(s, id)
	})
	if err != nil {
		return Server{}, err
	}
	return h.Get(id)
}
