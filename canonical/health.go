package canonical

import "time"

// Health is how a cloud has been lately, as far as who speaks to it knows.
type Health struct {
	Status   CloudStatus
	Breaker  string            // closed, half_open or open
	Latency  time.Duration     // of recent calls, on average; 0: none yet
	Versions map[string]string // by service, as far as they are known: "2.1-2.93"
	Detail   string            // unless Status is CloudUp: what goes wrong, for people
	Since    time.Time         // when Status was first noticed; zero: it was never another
}

// Healther is what Clouds implement that know how they have been. It is optional;
// HealthOf asks for it.
type Healther interface {
	// Health asks nobody and does not wait. The caller owns the result.
	Health() Health
}

// HealthOf is how c has been. A cloud that does not tell, such as one without a
// network before it, counts as up. It passes through Qualify.
func HealthOf(c Cloud) Health {
	if h, ok := c.(Healther); ok {
		return h.Health()
	}
	return Health{Status: CloudUp, Breaker: "closed", Versions: map[string]string{}}
}

// Health implements Healther.
func (q *qualified) Health() Health { return HealthOf(q.cloud) }
