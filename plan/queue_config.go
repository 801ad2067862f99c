package plan

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

const minInSync = "min.insync.replicas"

// configs compares the topic-level overrides: what is declared is set, what is
// not declared goes back to the inherited value. A min.insync.replicas that
// rises waits for the replicas that are being added: before them, it would
// stop the producers.
func (b *builder) configs(q *schema.Queue, t *live.Topic, g growth) ([]Field, []Step) {
	if t.Overrides.State != live.Present {
		unseen(b, &q.Decl, q.ID(), "config", t.Overrides)
		return nil, nil
	}
	fields := b.overrides(q, t.Overrides.Value)
	now, late := &AlterConfigs{Head: Head{Phase: PhaseConfigs}}, &AlterConfigs{Head: Head{Phase: PhaseSettle}}
	for i := range fields {
		switch waits := g != steady && rises(&fields[i]); {
		case !waits:
			now.add(&fields[i])
		case g == growing:
			late.add(&fields[i])
		case g == stuck:
			b.block(&q.Decl, q.ID(), fields[i].Path, errors.New("it waits for replicas that cannot be added now"))
		}
	}
	if g == stuck {
		fields = slices.DeleteFunc(fields, func(f Field) bool { return rises(&f) })
	}
	var steps []Step
	for _, s := range []*AlterConfigs{now, late} {
		if s.Records > 0 {
			steps = append(steps, s)
		}
	}
	return fields, steps
}

// overrides are the differences between what is declared and what is set, by key.
func (b *builder) overrides(q *schema.Queue, set map[string]string) []Field {
	var fields []Field
	for key, setting := range q.Config {
		if b.differs(key, setting.Value, set) {
			fields = append(fields, b.pin(q, key, set))
		}
	}
	for key, value := range set {
		if resets(q, key) {
			fields = append(fields, b.inherit(q, key, value))
		}
	}
	slices.SortFunc(fields, func(x, y Field) int { return strings.Compare(x.Path, y.Path) })
	return fields
}

// add takes a field's difference into the step.
func (s *AlterConfigs) add(f *Field) {
	s.Records++
	key, _ := ConfigKey(f.Path)
	if f.Inherited == After {
		s.Reset = append(s.Reset, key)
		return
	}
	if s.Set == nil {
		s.Set = map[string]string{}
	}
	s.Set[key], _ = f.After.(string)
}

// rises says whether the field is a min.insync.replicas that becomes more, or may.
func rises(f *Field) bool {
	if f.Path != ConfigPath(minInSync) {
		return false
	}
	before, unknown := number(f.Before)
	after, unknownToo := number(f.After)
	return unknown || unknownToo || after > before
}

func number(v Value) (n int, unknown bool) {
	text, _ := v.(string)
	n, err := strconv.Atoi(text)
	return n, err != nil
}

// Unknown are the keys, sorted, whose inherited value the plan would show and
// the snapshot does not have, since every topic read overrides them.
func Unknown(t *schema.Topology, s *live.Snapshot) []string {
	keys := map[string]bool{}
	for q := range schema.All[*schema.Queue](t) {
		for key := range s.Topics[q.Topic].Value.Overrides.Value {
			if _, known := s.Defaults[key]; !known && resets(q, key) {
				keys[key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// resets says whether a live override of the key goes back to what is inherited.
func resets(q *schema.Queue, key string) bool {
	_, declared := q.Config[key]
	return !declared && !slices.Contains(q.Lifecycle.IgnoreConfig, key)
}

// differs compares a declared value with the live one, by the key's type.
// Where brokers do not tell pins, an equal inherited value is enough.
func (b *builder) differs(key, want string, set map[string]string) bool {
	if has, overridden := set[key]; overridden {
		return !equal(key, has, want)
	}
	inherited, known := b.snapshot.Defaults[key]
	return !known || b.snapshot.Cluster.Pins || !equal(key, inherited, want)
}

// pin is the field of a declared value that is not set.
func (b *builder) pin(q *schema.Queue, key string, set map[string]string) Field {
	f := configField(q, key)
	if has, overridden := set[key]; overridden {
		f.Before = has
	} else if inherited, known := b.snapshot.Defaults[key]; known {
		f.Before, f.Inherited = inherited, Before
	}
	return f
}

func (b *builder) inherit(q *schema.Queue, key, before string) Field {
	f := Field{Path: ConfigPath(key), Before: before, Inherited: After, Source: q.At("config")}
	if value, known := b.snapshot.Defaults[key]; known {
		f.After = value
	}
	return f
}

func configField(q *schema.Queue, key string) Field {
	path, setting := ConfigPath(key), q.Config[key]
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
	known, _ := catalog.Find(key)
	return known.Equal(a, b)
}

func (s *AlterConfigs) holds(topic string, snapshot *live.Snapshot) error {
	inherited := snapshot.Defaults
	if snapshot.Cluster.Pins {
		inherited = nil
	}
	return s.told(snapshot.Topics[topic].Value.Overrides, inherited)
}

// told says whether the object has the configs that the step asks for, be it
// that it inherits them where that is enough.
func (s *AlterConfigs) told(configs live.Seen[map[string]string], inherited map[string]string) error {
	if len(s.Set)+len(s.Reset) == 0 {
		return nil
	}
	if configs.State != live.Present {
		return fmt.Errorf("its configs cannot be seen: %s", configs.Reason())
	}
	for _, key := range slices.Sorted(maps.Keys(s.Set)) {
		has, set := configs.Value[key]
		if !set {
			has, set = inherited[key]
		}
		if !set || !equal(key, has, s.Set[key]) {
			return fmt.Errorf("%s is %q, not %q", key, has, s.Set[key])
		}
	}
	for _, key := range s.Reset {
		if has, set := configs.Value[key]; set {
			return fmt.Errorf("%s is still set, to %q", key, has)
		}
	}
	return nil
}
