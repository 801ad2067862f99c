package plan

import "github.com/queueform/queueform/plan/live"

// facts are which life of the topic it is, where its replicas are, and of each
// key that changes what is set, and what is inherited where the plan shows it.
func (queues) facts(c *Change, s *live.Snapshot) []Fact {
	seen := s.Topics[c.Object.Name]
	switch seen.State {
	case live.Unseen:
		return nil
	case live.Absent:
		return append(ownership(c, s, live.TopicID{}), Fact{Path: "topic_id"})
	case live.Present:
	}
	t := &seen.Value
	facts := append(ownership(c, s, t.ID), Fact{"topic_id", t.ID.String()}, Fact{"partitions", len(t.Partitions)}, Fact{"replicas", replicasOf(t)})
	for i := range c.Fields {
		f := &c.Fields[i]
		key, isConfig := ConfigKey(f.Path)
		if isConfig && t.Overrides.State == live.Present {
			facts = append(facts, known(f.Path, t.Overrides.Value, key))
		}
		if f.Inherited != NoSide {
			facts = append(facts, known("inherited."+key, s.Defaults, key))
		}
	}
	return facts
}

// ownership is who has the object, where that can be seen.
func ownership(c *Change, s *live.Snapshot, life live.TopicID) []Fact {
	if s.Ledger.State == live.Unseen {
		return nil
	}
	if owner, owned := ownerOf(s, c.Object, life); owned {
		return []Fact{{"owner", owner.Topology}}
	}
	return []Fact{{Path: "owner"}}
}

func known(path string, values map[string]string, key string) Fact {
	if value, ok := values[key]; ok {
		return Fact{path, value}
	}
	return Fact{Path: path}
}

func replicasOf(t *live.Topic) [][]int32 {
	lists := make([][]int32, len(t.Partitions))
	for i := range lists {
		lists[i] = t.Partitions[i].Replicas
	}
	return lists
}
