package canonical

import (
	"encoding/json"
	"slices"
	"time"
)

// The operations on operations. GetOperation is also how a cloud is asked about a
// job of its own (job.get of the catalogue).
var (
	ListOperations  = op[OperationList, Page[Operation]]("operation.list", Read, "GET /v1/operations")
	GetOperation    = op[OperationGet, Operation]("operation.get", Read, "GET /v1/operations/{id}")
	CancelOperation = op[OperationCancel, Operation]("operation.cancel", Write, "POST /v1/operations/{id}/cancel")
)

// OperationStatus is how far long work has come.
type OperationStatus string

// The states of operations; the last three are final.
const (
	OperationPending   OperationStatus = "pending"
	OperationRunning   OperationStatus = "running"
	OperationSucceeded OperationStatus = "succeeded"
	OperationFailed    OperationStatus = "failed"
	OperationCancelled OperationStatus = "cancelled"
)

// OperationStatuses are all states of operations.
var OperationStatuses = []OperationStatus{
	OperationPending, OperationRunning, OperationSucceeded, OperationFailed, OperationCancelled,
}

// Final says whether the work has ended.
func (s OperationStatus) Final() bool {
	return s == OperationSucceeded || s == OperationFailed || s == OperationCancelled
}

// Operation is long work: of dragoman, or a job of a cloud.
type Operation struct {
	ID        ID              `json:"id"` // dragoman's own have no cloud in front
	Operation string          `json:"operation"`
	Status    OperationStatus `json:"status"`
	Progress  int             `json:"progress"` // 0..100
	Cloud     string          `json:"cloud"`
	Resources []Resource      `json:"resources"`
	Steps     []Step          `json:"steps"`
	Error     *Problem        `json:"error"`
	Result    json.RawMessage `json:"result"` // the operation's own result; null until there is one
	RequestID string          `json:"request_id"`
	Tenant    string          `json:"tenant"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// Step is one step of long work.
type Step struct {
	Name      string          `json:"name"`
	Status    OperationStatus `json:"status"`
	StartedAt *time.Time      `json:"started_at"`
	EndedAt   *time.Time      `json:"ended_at"`
}

// ListKeys implements Listed.
func (o Operation) ListKeys() (ID, string, string) { return o.ID, o.Operation, sortTime(&o.CreatedAt) }

// OperationList asks for operations.
type OperationList struct {
	ListOptions
	Status    OperationStatus `json:"-" query:"status" enum:"pending,running,succeeded,failed,cancelled"`
	Operation string          `json:"-" query:"operation" doc:"Name, such as server.create"`
	Resource  ID              `json:"-" query:"resource" doc:"Id of something that the operation is about"`
}

// Validate implements the check of requests.
func (r OperationList) Validate() error {
	if r.Status != "" && !slices.Contains(OperationStatuses, r.Status) {
		return Invalid("status", "is not a state of operations")
	}
	return r.ListOptions.Validate()
}

// OperationGet names one operation.
type OperationGet struct {
	ID ID `json:"-" path:"id"`
}

// OperationCancel asks for an end of work whose present step can be ended.
type OperationCancel struct {
	ID ID `json:"-" path:"id"`
}
