package plan

import "github.com/queueform/queueform/plan/live"

// Fact is one value of an object that a change was planned upon. A plan that
// is kept holds as long as its facts do. What changes by itself, like leaders,
// in-sync replicas and sizes, is none.
type Fact struct {
	Path  string // "owner", "topic_id", "partitions", "replicas", "config.retention.ms", "inherited.retention.ms"
	Value Value  // nil: there is none
}

// Facts are what the change is planned upon, as the snapshot shows it. What
// cannot be seen is left out.
func Facts(c *Change, s *live.Snapshot) []Fact {
	return kindOf(c.Object.Kind).facts(c, s)
}
