package huawei

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

var (
	hearStatus = words.HearStatus
	sayStatus  = words.SayStatus
)

// hearJobStatus: hws.job.show, SUCCESS, RUNNING, FAIL, INIT.
func hearJobStatus(word string) canonical.OperationStatus {
	switch word {
	case "SUCCESS":
		return canonical.OperationSucceeded
	case "FAIL":
		return canonical.OperationFailed
	case "INIT":
		return canonical.OperationPending
	default:
		return canonical.OperationRunning
	}
}

func sayJobStatus(s canonical.OperationStatus) string {
	switch s {
	case canonical.OperationSucceeded:
		return "SUCCESS"
	case canonical.OperationFailed, canonical.OperationCancelled:
		return "FAIL"
	case canonical.OperationPending:
		return "INIT"
	case canonical.OperationRunning:
	}
	return "RUNNING"
}
