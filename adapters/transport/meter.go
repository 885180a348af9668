package transport

import (
	"net/http"
	"sync"
	"time"
)

// meter counts tries and tells the metrics hook of them.
type meter struct {
	cloud string
	tell  func(Sample)

	mu              sync.Mutex
	calls, failures uint64
	latency         time.Duration
}

// weight of the newest try in the moving average is 1 / weight.
const weight = 8

func (m *meter) add(req *http.Request, resp *http.Response, err error, d time.Duration) {
	s := Sample{Cloud: m.cloud, Method: req.Method, Duration: d, Err: err}
	if resp != nil {
		s.Status = resp.StatusCode
	}
	m.count(s)
	if m.tell != nil {
		m.tell(s)
	}
}

func (m *meter) count(s Sample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if s.Status == 0 || s.Status >= 500 {
		m.failures++
	}
	switch {
	case s.Status == 0:
	case m.latency == 0:
		m.latency = s.Duration
	default:
		m.latency += (s.Duration - m.latency) / weight
	}
}

func (m *meter) status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Status{Calls: m.calls, Failures: m.failures, Latency: m.latency}
}
