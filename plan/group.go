package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/dustin/go-humanize/english"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// groups is what consumer groups and deletions of groups bring to a plan: what
// the brokers are told of them, and where they begin.
type groups struct{}

func (groups) of() schema.Kind { return schema.KindGroup }

func (groups) scope(t *schema.Topology, s *live.Scope) {
	for g := range schema.All[*schema.Group](t) {
		s.Groups = append(s.Groups, g.GroupID)
	}
	removed(t, schema.KindGroup, &s.Groups)
}

func (groups) asks(name string, s *live.Scope) { s.Groups = append(s.Groups, name) }

// lives is also a group that nobody has joined, but brokers were told of.
func (groups) lives(name string, s *live.Snapshot) (live.State, live.TopicID) {
	seen := s.Groups[name]
	if seen.State == live.Absent && len(seen.Value.Configs.Value) > 0 {
		return live.Present, live.TopicID{}
	}
	return seen.State, live.TopicID{}
}

func (groups) diff(b *builder) {
	growth := growthOf(b.plan.Steps)
	for g := range schema.All[*schema.Group](b.topology) {
		if b.chosen.has(g.Addr) {
			b.group(g, growth)
		}
	}
	b.removals(schema.KindGroup, b.groupDeletion)
	if b.chosen == nil {
		b.stripped()
	}
}

func (b *builder) group(g *schema.Group, growth map[string]int) {
	seen := b.snapshot.Groups[g.GroupID]
	if seen.State == live.Unseen {
		unseen(b, &g.Decl, g.ID(), "", seen)
		return
	}
	if !b.free(&g.Decl, g.ID(), live.TopicID{}) || !b.speaks(g, &seen.Value) {
		return
	}
	c := Change{Addr: g.Addr, Object: g.ID(), Action: Update, Source: g.Source}
	if state, _ := (groups{}).lives(g.GroupID, b.snapshot); state == live.Absent {
		c.Action = Create
	} else {
		c.Adopts = b.unowned(g.ID(), live.TopicID{})
	}
	alter, keys := b.groupConfigs(g, &seen.Value, &c)
	seed, seeds := b.begin(g, seen, growth, &c)
	b.claim(Claim{Object: g.ID(), Keys: keys, Seeds: seeds})
	var steps []Step
	if alter.Records > 0 {
		steps = append(steps, alter)
	}
	if seed.Records > 0 {
		steps = append(steps, seed)
	}
	if len(steps) > 0 {
		b.change(c, steps...)
	}
}

// speaks says whether the group can be of its protocol, on this cluster and
// under this id.
func (b *builder) speaks(g *schema.Group, has *live.Group) bool {
	known := b.snapshot.Cluster.Protocols
	shares := g.Protocol == schema.Share || has.Protocol == schema.Share
	switch {
	case len(known) > 0 && !slices.Contains(known, g.Protocol):
		b.refuse(g.At("protocol"), fmt.Sprintf("No protocol %q on this cluster", g.Protocol), "%s", missing[g.Protocol])
		return false
	case has.Protocol == "" || has.Protocol == g.Protocol:
	case shares:
		b.refuse(g.At("protocol"), fmt.Sprintf("The group %q is of another protocol", g.GroupID),
			"It lives under the protocol %q, and Kafka turns no group into a share group, or back. Choose another group_id, or delete it first: delete %q %q {}.",
			has.Protocol, g.Addr.Kind, g.GroupID)
		return false
	case has.Active():
		b.warn(g.At("protocol").Ptr(), fmt.Sprintf("The members of %q speak another protocol", g.GroupID),
			"They use %q, and the group is declared %q. It changes with their client setting group.protocol, one member after the other; give them that of queueform client %s.",
			has.Protocol, g.Protocol, g.Addr)
	}
	return true
}

// missing is what a cluster lacks that does not speak a protocol.
var missing = map[schema.Protocol]string{
	schema.Classic:  "Its brokers speak the others alone.",
	schema.Consumer: `It needs Kafka 4.0 and the feature group.version (KIP-848). Older brokers speak "classic".`,
	schema.Share:    `It needs Kafka 4.2 and the feature share.version (KIP-932). Read with "classic" or "consumer" where messages need not be acknowledged one by one.`,
}

// groupConfigs compares what the brokers are told of a group. What somebody
// else has told them stays. The keys are those that queueform has set, or will have.
func (b *builder) groupConfigs(g *schema.Group, has *live.Group, c *Change) (step *AlterConfigs, keys []string) {
	step = &AlterConfigs{Head: Head{Phase: PhaseGroups}}
	owner, _ := b.owner(g.ID(), live.TopicID{})
	if !b.seesConfigs(&g.Decl, g.ID(), has, len(g.Config)+len(owner.Keys)) {
		return step, owner.Keys
	}
	for _, key := range slices.Sorted(maps.Keys(g.Config)) {
		want, ours := g.Config[key], slices.Contains(owner.Keys, key)
		value, set := has.Configs.Value[key]
		if !set || !equal(key, value, want.Value) {
			f := Field{Path: ConfigPath(key), After: want.Value, Source: g.At(ConfigPath(key))}
			if set {
				f.Before = value
			}
			if want.Spelling != want.Value {
				f.Spelling = want.Spelling
			}
			step.add(&f)
			c.Fields, ours = append(c.Fields, f), true
		}
		if ours {
			keys = append(keys, key)
		}
	}
	b.unset(has.Configs.Value, owner.Keys, g.Config, step, c)
	return step, keys
}

// seesConfigs says whether it is known what the brokers were told of a group. Where so
// many keys are to be compared and it is not, it is noted as unseen.
func (b *builder) seesConfigs(d *schema.Decl, id schema.ID, g *live.Group, keys int) bool {
	if g.Configs.State == live.Unseen && keys > 0 {
		unseen(b, d, id, "config", g.Configs)
	}
	return g.Configs.State == live.Present
}

// unset takes away what queueform has set on a group and no block declares any more.
func (b *builder) unset(set map[string]string, made []string, declared map[string]schema.Setting, step *AlterConfigs, c *Change) {
	for _, key := range made {
		_, keeps := declared[key]
		if value, is := set[key]; is && !keeps {
			f := Field{Path: ConfigPath(key), Before: value, Inherited: After, Source: c.Source}
			step.add(&f)
			c.Fields = append(c.Fields, f)
		}
	}
}

// stripped takes away what is told of groups that no block declares any more.
// The groups themselves stay, and with them where they begin.
func (b *builder) stripped() {
	for _, id := range undeclared(b.topology, b.snapshot.Ledger.Value.Owners) {
		seen := b.snapshot.Groups[id.Name]
		owner, _ := b.owner(id, live.TopicID{})
		if id.Kind != schema.KindGroup || len(owner.Keys) == 0 {
			continue
		}
		if !b.seesConfigs(&schema.Decl{Addr: schema.Orphan(id)}, id, &seen.Value, len(owner.Keys)) {
			continue
		}
		c := Change{Addr: schema.Orphan(id), Object: id, Action: Update}
		step := &AlterConfigs{Head: Head{Phase: PhaseRevoke}}
		keys := slices.DeleteFunc(slices.Clone(owner.Keys), func(key string) bool { return key == ShareStart })
		stays := slices.DeleteFunc(slices.Clone(owner.Keys), func(key string) bool { return key != ShareStart })
		if b.unset(seen.Value.Configs.Value, keys, nil, step, &c); step.Records > 0 {
			b.note(Claim{Object: id, Keys: stays, Seeds: owner.Seeds}, owner, true)
			b.change(c, step)
		}
	}
}

func (b *builder) groupDeletion(d *schema.Removal) {
	seen := b.snapshot.Groups[d.Object.Name]
	if seen.State == live.Unseen {
		unseen(b, &d.Decl, d.Object, "", seen)
		return
	}
	if !b.free(&d.Decl, d.Object, live.TopicID{}) {
		return
	}
	if n := len(seen.Value.Members); n > 0 {
		b.block(&d.Decl, d.Object, "", fmt.Errorf("it has %s: Kafka deletes a group that has none. Stop its application first", english.Plural(n, "member", "")))
		return
	}
	c := Change{Addr: d.Addr, Object: d.Object, Action: Delete, Source: d.Source, Fields: committedFields(d, &seen.Value)}
	var steps []Step
	if seen.State == live.Present {
		c.Adopts = b.unowned(d.Object, live.TopicID{})
		steps = append(steps, &DeleteGroup{Head: Head{Phase: PhaseDelete, Records: 1}})
	}
	owner, _ := b.owner(d.Object, live.TopicID{})
	if !b.seesConfigs(&d.Decl, d.Object, &seen.Value, len(owner.Keys)) && len(owner.Keys) > 0 {
		return
	}
	configs := &AlterConfigs{Head: Head{Phase: PhaseRevoke}}
	if b.unset(seen.Value.Configs.Value, owner.Keys, nil, configs, &c); configs.Records > 0 {
		steps = append(steps, configs)
	}
	if len(steps) == 0 {
		b.vanished(d.Object)
		return
	}
	b.change(c, steps...)
}

// committedFields are the offsets that go with a group.
func committedFields(d *schema.Removal, g *live.Group) []Field {
	var fields []Field
	for _, topic := range slices.Sorted(maps.Keys(g.Offsets.Value)) {
		fields = append(fields, Field{Path: "offsets." + topic, Before: english.Plural(len(g.Offsets.Value[topic]), "partition", ""), Source: d.Source})
	}
	return fields
}

// facts are what is set of the keys that change, and how much the group has
// committed where it is to be put.
func (groups) facts(c *Change, s *live.Snapshot) []Fact {
	seen := s.Groups[c.Object.Name]
	if seen.State == live.Unseen {
		return nil
	}
	facts := ownership(c, s, live.TopicID{})
	for i := range c.Fields {
		path := c.Fields[i].Path
		if topic, ok := startTopic(path); ok {
			facts = append(facts, Fact{path, len(seen.Value.Offsets.Value[topic])})
		} else if key, ok := ConfigKey(path); ok && seen.Value.Configs.State == live.Present {
			facts = append(facts, known(path, seen.Value.Configs.Value, key))
		}
	}
	return facts
}

func (groups) holds(step Step, s *live.Snapshot) error {
	name := step.About().Object.Name
	seen := s.Groups[name]
	if alter, ok := step.(*AlterConfigs); ok {
		return alter.told(seen.Value.Configs, nil)
	}
	if seen.State == live.Unseen {
		return fmt.Errorf("group %q cannot be seen: %s", name, seen.Reason())
	}
	switch step := step.(type) {
	case *SeedOffsets:
		return step.holds(s, &seen.Value)
	case *DeleteGroup:
		if seen.State == live.Present {
			return fmt.Errorf("group %q is still there", name)
		}
	case *AlterConfigs: // answered above
	case *CreateTopic, *AddPartitions, *Reassign, *DeleteTopic, *Release, *AlterUser, *CreateACL, *DeleteACL, *AlterQuota: // of no group
	}
	return nil
}
