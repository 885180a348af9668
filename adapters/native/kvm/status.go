package kvm

import (
	"github.com/digitalocean/go-libvirt"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// State is what libvirt says of a domain: virDomainState and, by state, one of the
// virDomain...Reason enumerations. The zero value is "no state".
type State struct {
	Code   int32
	Reason int32
}

// states says what libvirt's states mean.
var states = map[libvirt.DomainState]struct {
	status canonical.ServerStatus
	power  canonical.Power
	word   string
}{
	libvirt.DomainNostate:     {canonical.ServerUnknown, canonical.PowerUnknown, "nostate"},
	libvirt.DomainRunning:     {canonical.ServerRunning, canonical.PowerOn, "running"},
	libvirt.DomainBlocked:     {canonical.ServerRunning, canonical.PowerOn, "blocked"},
	libvirt.DomainPaused:      {canonical.ServerPaused, canonical.PowerPaused, "paused"},
	libvirt.DomainShutdown:    {canonical.ServerRunning, canonical.PowerOn, "shutdown"}, // going down, not down
	libvirt.DomainShutoff:     {canonical.ServerStopped, canonical.PowerOff, "shutoff"},
	libvirt.DomainCrashed:     {canonical.ServerError, canonical.PowerCrashed, "crashed"},
	libvirt.DomainPmsuspended: {canonical.ServerSuspended, canonical.PowerSuspended, "pmsuspended"},
}

// reasons are the ones that change what a state means.
var reasons = map[State]struct {
	status canonical.ServerStatus
	power  canonical.Power
	word   string
	fault  string
}{
	state(libvirt.DomainPaused, int32(libvirt.DomainPausedMigration)):  {canonical.ServerMigrating, canonical.PowerPaused, "paused (migration)", ""},
	state(libvirt.DomainPaused, int32(libvirt.DomainPausedIoerror)):    {canonical.ServerError, canonical.PowerPaused, "paused (ioerror)", "paused by an I/O error: is the disk of the host full?"},
	state(libvirt.DomainPaused, int32(libvirt.DomainPausedWatchdog)):   {canonical.ServerError, canonical.PowerPaused, "paused (watchdog)", "paused by its watchdog"},
	state(libvirt.DomainPaused, int32(libvirt.DomainPausedCrashed)):    {canonical.ServerError, canonical.PowerCrashed, "paused (crashed)", "the guest crashed"},
	state(libvirt.DomainPaused, int32(libvirt.DomainPausedStartingUp)): {canonical.ServerBuilding, canonical.PowerPaused, "paused (starting up)", ""},
	state(libvirt.DomainShutoff, int32(libvirt.DomainShutoffCrashed)):  {canonical.ServerError, canonical.PowerCrashed, "shutoff (crashed)", "the guest or its emulator crashed"},
	state(libvirt.DomainShutoff, int32(libvirt.DomainShutoffFailed)):   {canonical.ServerStopped, canonical.PowerOff, "shutoff (failed)", ""},
	state(libvirt.DomainShutoff, int32(libvirt.DomainShutoffSaved)):    {canonical.ServerSuspended, canonical.PowerSuspended, "shutoff (saved)", ""},
}

func state(code libvirt.DomainState, reason int32) State {
	return State{Code: int32(code), Reason: reason}
}

// Status is the state in canonical words. A state that we do not know is
// ServerUnknown.
func (s State) Status() canonical.ServerStatus {
	if r, ok := reasons[s]; ok {
		return r.status
	}
	if w, ok := states[libvirt.DomainState(s.Code)]; ok {
		return w.status
	}
	return canonical.ServerUnknown
}

// Power is what the machine does.
func (s State) Power() canonical.Power {
	if r, ok := reasons[s]; ok {
		return r.power
	}
	if w, ok := states[libvirt.DomainState(s.Code)]; ok {
		return w.power
	}
	return canonical.PowerUnknown
}

// Native is libvirt's own word.
func (s State) Native() string {
	if r, ok := reasons[s]; ok {
		return r.word
	}
	if w, ok := states[libvirt.DomainState(s.Code)]; ok {
		return w.word
	}
	return "state " + itoa(int(s.Code))
}

// Fault is why the state is an error, for people; "" if it is none.
func (s State) Fault() string {
	if s.Code == int32(libvirt.DomainCrashed) {
		return "the guest crashed"
	}
	return reasons[s].fault
}

// off says whether the domain has no process.
func (s State) off() bool { return s.Code == int32(libvirt.DomainShutoff) }

// Task is what is being done to a server right now, by this process.
type Task string

// The tasks.
const (
	NoTask    Task = ""
	Building  Task = "building"
	Starting  Task = "starting"
	Stopping  Task = "stopping"
	Deleting  Task = "deleting"
	Pausing   Task = "pausing"
	Saving    Task = "suspending"
	Reshaping Task = "resizing"
)

// status is the status with regard to the task and to what was intended.
func (s Server) status() canonical.ServerStatus {
	switch {
	case s.Task == Building:
		return canonical.ServerBuilding
	case s.Intent == IntendBuild && s.State.off():
		return canonical.ServerBuilding
	case s.Intent == IntendStop && s.State == state(libvirt.DomainShutoff, int32(libvirt.DomainShutoffCrashed)):
		return canonical.ServerStopped // it crashed, and then was stopped
	default:
		return s.State.Status()
	}
}
