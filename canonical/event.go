package canonical

import (
	"encoding/json"
	"time"
)

// ListEvents tells what has happened since. The gateway serves it as server-sent
// events.
var ListEvents = op[EventList, Events]("event.list", Read, "GET /v1/events")

// EventType says what an event tells of.
type EventType string

// The types of events.
const (
	OperationEvent EventType = "operation" // its data is the Operation
	ServerEvent    EventType = "server"    // its data is the Server
)

// EventTypes are all types of events.
var EventTypes = []EventType{OperationEvent, ServerEvent}

// Event is something that has happened.
type Event struct {
	ID     int64           `json:"id"` // grows
	Type   EventType       `json:"type"`
	Tenant string          `json:"tenant"`
	Data   json.RawMessage `json:"data"` // the whole shape
	At     time.Time       `json:"at"`
}

// Events are some events, oldest first.
type Events struct {
	Items []Event `json:"items"`
	// Last is the id after which to go on; it may be of an event of others.
	Last int64 `json:"last"`
	// Gap says that events after EventList.After are not kept any more.
	Gap bool `json:"gap"`
}

// EventList asks for the events after one.
type EventList struct {
	// After is the id of the last event that is known; negative: only what happens
	// from now on.
	After int64 `json:"-" query:"after" doc:"Id of the last known event; negative: from now on"`
	// Wait is how long, in milliseconds, to wait for an event where there is none.
	Wait int `json:"-" query:"wait" doc:"Milliseconds to wait for an event where there is none, at most 30000"`
}

// MaxEventWait is the longest Wait of an EventList.
const MaxEventWait = 30 * time.Second

// Validate implements the check of requests.
func (r EventList) Validate() error {
	if r.Wait < 0 || time.Duration(r.Wait)*time.Millisecond > MaxEventWait {
		return Invalid("wait", "must be 0 to %d", MaxEventWait.Milliseconds())
	}
	return nil
}
