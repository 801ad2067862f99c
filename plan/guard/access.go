package guard

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/dustin/go-humanize/english"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// loginTaken finds users who can log in no more, or by one mechanism less.
func loginTaken(s *subject) *Finding {
	for i := range s.Fields {
		if f := &s.Fields[i]; f.Before != nil && f.After == nil && plan.IsMechanism(f.Path) {
			what := "cannot log in any more"
			if s.Action != plan.Delete {
				what = "cannot log in by one of the mechanisms any more"
			}
			return &Finding{Severity: Blocks, Summary: fmt.Sprintf("user %q %s", s.Object.Name, what)}
		}
	}
	return nil
}

// accessTaken finds rights that go, and denials that come. That nobody works by
// them is known only of groups that have no members.
func accessTaken(s *subject) *Finding {
	right, err := schema.ParseBinding(s.Object.Name)
	switch allows, comes := right.Permission == schema.Allow, s.Action == plan.Create; {
	case err != nil, !allows && !comes:
		return nil
	case allows && comes:
		return s.shutOut()
	}
	f := &Finding{Severity: Blocks, Summary: fmt.Sprintf("%s may not %s %s any more", right.Principal, right.Operation, right.Resource.Name)}
	switch group := s.Snapshot.Groups[right.Resource.Name]; {
	case right.Principal == everybody || right.Principal == s.Principal:
		f.Summary += ", and who applies this neither"
	case right.Resource.Type == schema.GroupResource && right.Resource.Pattern == schema.Literal && group.State != live.Unseen && !group.Value.Active():
		f.Severity = Warns
		f.Summary += "; the group has no member now"
	}
	return f
}

// everybody is the principal that stands for all users.
const everybody = schema.UserPrincipal + "*"

// shutOut finds the first rights on what everybody could use, where who applies
// has none: once, at the first of them. That a super user needs none, brokers do
// not tell.
func (s *subject) shutOut() *Finding {
	open, said := isOpen(s.plan.Topology.Cluster)
	if s.Principal == "" || !open {
		return nil
	}
	out := s.rights().out
	if len(out) == 0 || s.rights().first[out[0]] != s.index {
		return nil
	}
	what := fmt.Sprintf("%s %s", out[0].Type, out[0].Name)
	if more := len(out) - 1; more > 0 {
		what += fmt.Sprintf(" and %s", english.Plural(more, "other resource", ""))
	}
	f := &Finding{Severity: Warns, Summary: fmt.Sprintf("unless %s, who applies this, is a super user, it is shut out of %s", s.Principal, what)}
	if said {
		f.Severity = Blocks
	}
	return f
}

// isOpen says whether what has no rights may be everybody's on a cluster, and
// whether the files say so.
func isOpen(c *schema.Cluster) (open, said bool) {
	if c == nil || c.OpenByDefault == nil {
		return true, false
	}
	return *c.OpenByDefault, true
}

// closed finds the first right on what everybody could use: it is for those
// alone from then on who are given a right.
func closed(s *subject) *Finding {
	right, err := schema.ParseBinding(s.Object.Name)
	if open, _ := isOpen(s.plan.Topology.Cluster); err != nil || s.Action != plan.Create || !open || s.makes(right.Resource) || !s.first(right.Resource) {
		return nil
	}
	f := &Finding{Severity: Blocks, Summary: fmt.Sprintf("%s %s has no rights on it yet: whom the brokers let use it for that is shut out",
		right.Resource.Type, right.Resource.Name)}
	switch empty, measured := s.unused(right.Resource); {
	case !measured:
		f.Summary += "; whether it is in use is not known"
	case empty:
		f.Severity = Warns
		f.Summary += "; nothing is in it"
	}
	return f
}

// first says whether a right is the first on a resource, and the first of those
// in the plan.
func (s *subject) first(on schema.ACLResource) bool {
	return s.rights().first[on] == s.index && s.rights().opens(on)
}

// opens says whether there is no right on a resource yet.
func (r *rights) opens(on schema.ACLResource) bool { return !r.there[on] && !covered(r.patterns, on) }

// makes says whether the plan makes a resource.
func (s *subject) makes(on schema.ACLResource) bool {
	return on.Type == schema.TopicResource && on.Pattern == schema.Literal && s.Snapshot.Topics[on.Name].State == live.Absent
}

// covered says whether one of the patterns is about the thing, too.
func covered(patterns []schema.ACLResource, on schema.ACLResource) bool {
	return slices.ContainsFunc(patterns, func(pattern schema.ACLResource) bool { return pattern.Covers(on.Type, on.Name) })
}

// rights are those that there are, and those that the plan gives.
type rights struct {
	there    map[schema.ACLResource]bool
	patterns []schema.ACLResource       // those of them that are about more than one thing
	first    map[schema.ACLResource]int // the first change that gives a right
	mine     []schema.ACLResource       // on which who applies has one, or will have
	out      []schema.ACLResource       // on which the plan gives the first right, and who applies has none; by change
}

func (in *inquiry) allRights() *rights {
	r := &rights{there: map[schema.ACLResource]bool{}, first: map[schema.ACLResource]int{}}
	note := func(b schema.Binding) {
		if (b.Principal == in.Principal || b.Principal == everybody) && b.Permission == schema.Allow {
			r.mine = append(r.mine, b.Resource)
		}
	}
	for b := range in.Snapshot.Bindings.Value {
		note(b)
		if on := b.Resource; !r.there[on] {
			r.there[on] = true
			if on.Pattern != schema.Literal || on.Name == "*" {
				r.patterns = append(r.patterns, on)
			}
		}
	}
	for i := range in.plan.Changes {
		c := &in.plan.Changes[i]
		if b, err := schema.ParseBinding(c.Object.Name); c.Object.Kind == schema.KindACL && c.Action == plan.Create && err == nil {
			note(b)
			if _, earlier := r.first[b.Resource]; !earlier {
				r.first[b.Resource] = i
			}
		}
	}
	for on := range r.first {
		if r.opens(on) && !covered(r.mine, on) && !slices.Contains(r.mine, on) {
			r.out = append(r.out, on)
		}
	}
	slices.SortFunc(r.out, func(a, b schema.ACLResource) int { return r.first[a] - r.first[b] })
	return r
}

// unused says whether nobody can miss a resource: a topic without messages, a
// group without members, and what holds nothing.
func (s *subject) unused(on schema.ACLResource) (empty, measured bool) {
	group := s.Snapshot.Groups[on.Name]
	switch {
	case on.Type != schema.TopicResource && on.Type != schema.GroupResource:
		return true, true
	case on.Pattern != schema.Literal:
		return false, false
	case on.Type == schema.GroupResource:
		return !group.Value.Active(), group.State != live.Unseen
	case s.Snapshot.Topics[on.Name].State != live.Present:
		return false, false
	}
	start, end := s.offsetsOf(on.Name, live.Start), s.offsetsOf(on.Name, live.End)
	return unread(nil, start, end) == 0, start != nil && end != nil
}

// quotaBelowLoad finds limits below the declared load of what a client writes or reads.
func quotaBelowLoad(s *subject) *Finding {
	brokers := len(s.plan.Cluster.Brokers)
	if s.Action == plan.Delete || brokers == 0 {
		return nil
	}
	for i := range s.Fields {
		f := &s.Fields[i]
		text, _ := f.After.(string)
		limit, err := strconv.ParseFloat(text, 64)
		if load := s.load(schema.LimitKey(f.Path)); err == nil && load > limit*float64(brokers) {
			return &Finding{Severity: Warns, Summary: fmt.Sprintf("%s of %s/s on each of %s is below the declared load, %s/s",
				f.Path, bytesOf(limit), english.Plural(brokers, "broker", ""), bytesOf(load))}
		}
	}
	return nil
}

// load is the declared load, in bytes per second, of what the entity of a quota
// writes or reads.
func (s *subject) load(key schema.LimitKey) float64 {
	var sum float64
	add := func(principal string, client map[string]schema.Setting, queues []schema.Addr) {
		if schema.LimitedAs(principal, client).String() != s.Object.Name {
			return
		}
		for _, addr := range queues {
			if q := s.queues[addr]; q != nil && q.Load != nil {
				sum += q.Load.MessagesPerSecond * float64(q.Load.MessageBytes)
			}
		}
	}
	switch key {
	case schema.ProducerByteRate:
		for p := range schema.All[*schema.Producer](s.plan.Topology) {
			add(p.Principal, p.Client, p.Queues)
		}
	case schema.ConsumerByteRate:
		for g := range schema.All[*schema.Group](s.plan.Topology) {
			add(g.Principal, g.Client, g.Queues)
		}
	case schema.RequestPercentage, schema.ControllerMutationRate, schema.ConnectionCreationRate:
	}
	return sum
}
