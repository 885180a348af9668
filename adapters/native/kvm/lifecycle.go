package kvm

import (
	"context"
	"time"

	"github.com/digitalocean/go-libvirt"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// act locks a server, notes the task, reads the server anew, runs f, and answers how
// the server is then.
func (h *Host) act(ctx context.Context, id string, task Task, f func(ctx context.Context, s Server) error) (Server, error) {
	unlock, err := h.locks.lock(ctx, id)
	if err != nil {
		return Server{}, err
	}
	defer unlock()
	s, err := h.Refresh(ctx, id)
	if err != nil {
		return Server{}, err
	}
	end := h.table.begin(id, task)
	err = f(ctx, s)
	if err == nil {
		err = h.step(ctx, "read the domain", func(ctx context.Context) error { return h.refresh(ctx, id) })
	}
	end()
	if err != nil {
		return Server{}, err
	}
	return h.Get(id)
}

// Start starts a server, or brings back one that was saved. One that runs is no
// failure.
func (h *Host) Start(ctx context.Context, id string) (Server, error) {
	return h.act(ctx, id, Starting, func(ctx context.Context, s Server) error {
		if err := h.intend(ctx, s, IntendRun); err != nil {
			return err
		}
		return h.powerOn(ctx, id)
	})
}

func (h *Host) powerOn(ctx context.Context, id string) error {
	return h.step(ctx, "start the domain", func(ctx context.Context) error {
		return h.call(ctx, func(a api) error {
			err := a.DomainCreate(h.domainOf(id))
			if isCode(err, libvirt.ErrOperationInvalid) {
				// It runs already, or its network does not; the state tells which.
				if code, _, err := a.DomainGetState(h.domainOf(id), 0); err == nil && code != int32(libvirt.DomainShutoff) {
					return nil
				}
			}
			return err
		})
	})
}

// powerOff ends the domain's process.
func (h *Host) powerOff(ctx context.Context, id string) error {
	return h.step(ctx, "stop the domain", func(ctx context.Context) error {
		return h.call(ctx, func(a api) error {
			// Gracefully: QEMU gets SIGTERM, writes out its caches and goes, or else
			// libvirt refuses and the second call kills it.
			err := a.DomainDestroyFlags(h.domainOf(id), libvirt.DomainDestroyGraceful)
			if isCode(err, libvirt.ErrOperationInvalid) {
				return nil // it is off
			}
			if err != nil && !gone(err) {
				err = a.DomainDestroyFlags(h.domainOf(id), 0)
			}
			if isCode(err, libvirt.ErrOperationInvalid) {
				return nil
			}
			return err
		})
	})
}

// Stop asks the guest to shut down, and cuts the power after StopGrace; with force it
// does so at once. A server that is stopped is no failure.
func (h *Host) Stop(ctx context.Context, id string, force bool) (Server, error) {
	return h.act(ctx, id, Stopping, func(ctx context.Context, s Server) error {
		if err := h.intend(ctx, s, IntendStop); err != nil {
			return err
		}
		return h.down(ctx, s, force)
	})
}

// down brings a server to a stop.
func (h *Host) down(ctx context.Context, s Server, force bool) error {
	if s.State.off() {
		return h.forget(ctx, s)
	}
	// A guest that is paused cannot hear.
	if force || s.State.Power() != canonical.PowerOn {
		return h.powerOff(ctx, s.ID)
	}
	off, err := h.askGuest(ctx, s.ID)
	if err != nil || off {
		return err
	}
	return h.powerOff(ctx, s.ID)
}

// askAgain is how often the guest is asked to shut down: one that is just starting
// does not hear.
const askAgain = 10 * time.Second

// askGuest presses the power button until the guest is off or StopGrace has passed.
func (h *Host) askGuest(ctx context.Context, id string) (off bool, err error) {
	grace, cancel := context.WithTimeout(ctx, h.opts.StopGrace)
	defer cancel()
	for grace.Err() == nil {
		err := h.step(grace, "ask the guest to shut down", func(ctx context.Context) error {
			return h.call(ctx, func(a api) error {
				err := a.DomainShutdownFlags(h.domainOf(id), libvirt.DomainShutdownAcpiPowerBtn)
				if isCode(err, libvirt.ErrOperationInvalid) {
					return nil // it went off on its own
				}
				return err
			})
		})
		if err != nil && grace.Err() == nil {
			return false, err
		}
		if off, err = h.waitOff(grace, id, askAgain); err != nil || off {
			return off, err
		}
	}
	return false, ctx.Err()
}

// lookEvery is how often a server that is waited for is read, in case its event was
// missed.
const lookEvery = time.Second

// waitOff waits until a server is off, or limit or ctx has passed.
func (h *Host) waitOff(ctx context.Context, id string, limit time.Duration) (bool, error) {
	end := time.NewTimer(limit)
	defer end.Stop()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		changed := h.table.next()
		s, err := h.Get(id)
		if err != nil || s.State.off() {
			return err == nil, err
		}
		select {
		case <-changed:
		case <-tick.C:
			if err := h.refresh(ctx, id); err != nil && !lost(err) && ctx.Err() == nil {
				return false, h.explain(err, "read the domain")
			}
		case <-end.C:
			return false, nil
		case <-ctx.Done():
			return false, nil
		}
	}
}

// Pause stops the processors of a server that runs. One that is paused is no failure.
func (h *Host) Pause(ctx context.Context, id string) (Server, error) {
	return h.act(ctx, id, Pausing, func(ctx context.Context, _ Server) error {
		return h.step(ctx, "pause the domain", func(ctx context.Context) error {
			return h.call(ctx, func(a api) error { return a.DomainSuspend(h.domainOf(id)) })
		})
	})
}

// Unpause lets a paused server go on. One that runs is no failure.
func (h *Host) Unpause(ctx context.Context, id string) (Server, error) {
	return h.act(ctx, id, Pausing, func(ctx context.Context, _ Server) error {
		return h.step(ctx, "let the domain go on", func(ctx context.Context) error {
			return h.call(ctx, func(a api) error { return a.DomainResume(h.domainOf(id)) })
		})
	})
}

// Suspend writes the memory of a server that runs to the host's disk and ends its
// process; Start brings it back. One that is suspended is no failure.
func (h *Host) Suspend(ctx context.Context, id string) (Server, error) {
	return h.act(ctx, id, Saving, func(ctx context.Context, s Server) error {
		if s.State.Status() == canonical.ServerSuspended {
			return nil
		}
		return h.step(ctx, "save the domain", func(ctx context.Context) error {
			return h.call(ctx, func(a api) error { return a.DomainManagedSave(h.domainOf(id), 0) })
		})
	})
}

// forget gives up what of a suspended server was saved.
func (h *Host) forget(ctx context.Context, s Server) error {
	if s.State.Status() != canonical.ServerSuspended {
		return nil
	}
	return h.step(ctx, "remove what was saved", func(ctx context.Context) error {
		return h.call(ctx, func(a api) error { return a.DomainManagedSaveRemove(h.domainOf(s.ID), 0) })
	})
}

// intend writes what a server is meant to come to.
func (h *Host) intend(ctx context.Context, s Server, to Intent) error {
	if s.Intent == to || s.Name == "" && s.CreatedAt.IsZero() { // a record that cannot be read is not replaced
		return nil
	}
	return h.writeRecord(ctx, s.Record, func(r *Record) { r.Intent = to })
}

// Update changes a server's record, such as its name. The id, the networks and the
// time of creation stay as they are.
func (h *Host) Update(ctx context.Context, id string, change func(*Record)) (Server, error) {
	return h.act(ctx, id, NoTask, func(ctx context.Context, s Server) error {
		return h.writeRecord(ctx, s.Record, change)
	})
}

func (h *Host) writeRecord(ctx context.Context, old Record, change func(*Record)) error {
	r := old.clone()
	change(&r)
	r.ID, r.Networks, r.CreatedAt = old.ID, old.Networks, old.CreatedAt
	text, err := r.metadata()
	if err != nil {
		return canonical.Errorf(canonical.InvalidRequest, "%w", err)
	}
	return h.step(ctx, "write the record", func(ctx context.Context) error {
		ticket := h.table.ticket()
		st, err := fetch(ctx, h, func(a api) (State, error) {
			d := h.domainOf(r.ID)
			st, err := h.stateOf(r.ID)(a)
			if err != nil {
				return st, err
			}
			// What runs has a copy of the definition, which is what is read.
			where := libvirt.DomainAffectConfig
			if st.Code != int32(libvirt.DomainShutoff) {
				where |= libvirt.DomainAffectLive
			}
			return st, a.DomainSetMetadata(d, metadataElement, libvirt.OptString{text}, libvirt.OptString{metadataKey}, libvirt.OptString{metadataURI}, where)
		})
		if err != nil {
			return err
		}
		kept, err := readMetadata(text) // as it will be read again
		if err == nil {
			h.table.found(ticket, r.ID, st, nil)
			h.table.wrote(r.ID, kept)
		}
		return err
	})
}
