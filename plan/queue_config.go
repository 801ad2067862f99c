package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

const minInSync = "min.insync.replicas"

// configs compares the topic-level overrides: what is declared is set, what is
// not declared goes back to the inherited value.
func (b *builder) configs(q *schema.Queue, t *live.Topic) ([]Field, []Step) {
	if t.Overrides.State != live.Present {
		unseen(b, &q.Decl, q.ID(), "config", t.Overrides)
		return nil, nil
	}
	var fields []Field
	alter := &AlterConfigs{Head: Head{Phase: PhaseConfigs}, Set: map[string]string{}}
	for _, key := range slices.Sorted(maps.Keys(q.Config)) {
		field := configField(q, key)
		if b.differs(&field, key, q.Config[key].Value, t.Overrides.Value) {
			fields = append(fields, field)
			alter.Set[key] = q.Config[key].Value
		}
	}
	for _, key := range slices.Sorted(maps.Keys(t.Overrides.Value)) {
		if _, declared := q.Config[key]; declared || slices.Contains(q.Lifecycle.IgnoreConfig, key) {
			continue
		}
		fields = append(fields, b.inherit(q, key, t.Overrides.Value[key]))
		alter.Reset = append(alter.Reset, key)
	}
	if len(fields) == 0 {
		return nil, nil
	}
	alter.Records = len(fields)
	return fields, []Step{alter}
}

// differs compares a declared value with the live one, by the key's type, and
// notes the live one in the field. Where brokers do not tell pins, an equal
// inherited value is enough.
func (b *builder) differs(f *Field, key, want string, overrides map[string]string) bool {
	if live, set := overrides[key]; set {
		f.Before = live
		return !equal(key, live, want)
	}
	inherited, known := b.snapshot.Defaults[key]
	if !known {
		return true
	}
	f.Before, f.Inherited = inherited, Before
	return b.snapshot.Cluster.Pins || !equal(key, inherited, want)
}

func (b *builder) inherit(q *schema.Queue, key, before string) Field {
	f := Field{Path: "config." + key, Before: before, Inherited: After, Source: q.At("config")}
	if value, known := b.snapshot.Defaults[key]; known {
		f.After = value
	}
	return f
}

func configField(q *schema.Queue, key string) Field {
	path, setting := "config."+key, q.Config[key]
	f := Field{Path: path, After: setting.Value, Source: q.At(path)}
	if setting.Spelling != setting.Value {
		f.Spelling = setting.Spelling
	}
	return f
}

func values(settings map[string]schema.Setting) map[string]string {
	plain := make(map[string]string, len(settings))
	for key, s := range settings {
		plain[key] = s.Value
	}
	return plain
}

func equal(key, a, b string) bool {
	known, _ := catalog.Topic.Find(key)
	return known.Equal(a, b)
}

// settled lets min.insync.replicas wait for replicas that are added in the
// same plan: raised before them, it would stop the producers.
func settled(steps []Step) []Step {
	grows := slices.ContainsFunc(steps, func(s Step) bool { r, ok := s.(*Reassign); return ok && r.grows() })
	at := slices.IndexFunc(steps, func(s Step) bool { a, ok := s.(*AlterConfigs); return ok && a.Set[minInSync] != "" })
	if !grows || at < 0 {
		return steps
	}
	early := steps[at].(*AlterConfigs)
	late := &AlterConfigs{Head: Head{Phase: PhaseSettle, Records: 1}, Set: map[string]string{minInSync: early.Set[minInSync]}}
	delete(early.Set, minInSync)
	if early.Records--; early.Records == 0 {
		steps = slices.Delete(steps, at, at+1)
	}
	return append(steps, late)
}

func (s *AlterConfigs) holds(topic string, snapshot *live.Snapshot) error {
	overrides := snapshot.Topics[topic].Value.Overrides
	if overrides.State != live.Present {
		return fmt.Errorf("its configs cannot be seen: %s", overrides.Why)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Set)) {
		has, set := overrides.Value[key]
		if !set && !snapshot.Cluster.Pins {
			has, set = snapshot.Defaults[key]
		}
		if !set || !equal(key, has, s.Set[key]) {
			return fmt.Errorf("%s is %q, not %q", key, has, s.Set[key])
		}
	}
	for _, key := range s.Reset {
		if has, set := overrides.Value[key]; set {
			return fmt.Errorf("%s is still set, to %q", key, has)
		}
	}
	return nil
}
