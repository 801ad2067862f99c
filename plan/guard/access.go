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
	if allowed := right.Permission == schema.Allow; err != nil || allowed != (s.Action == plan.Delete) {
		return nil
	}
	f := &Finding{Severity: Blocks, Summary: fmt.Sprintf("%s may not %s %s any more", right.Principal, right.Operation, right.Resource.Name)}
	switch group := s.Snapshot.Groups[right.Resource.Name]; {
	case right.Principal == everybody || right.Principal == applying(s.plan.Topology.Cluster):
		f.Summary += ", and who applies this neither"
	case right.Resource.Type == schema.GroupResource && right.Resource.Pattern == schema.Literal && group.State != live.Unseen && !group.Value.Active():
		f.Severity = Warns
		f.Summary += "; the group has no member now"
	}
	return f
}

// everybody is the principal that stands for all users.
const everybody = schema.UserPrincipal + "*"

// applying is who applies plans to a cluster; empty: the files do not say.
func applying(c *schema.Cluster) string {
	switch {
	case c == nil:
	case c.Principal != "":
		return c.Principal
	case c.SASL != nil && c.SASL.Username != "":
		return schema.UserPrincipal + c.SASL.Username
	}
	return ""
}

// closed finds the first right on what everybody could use: it is for those
// alone from then on who are given a right.
func closed(s *subject) *Finding {
	right, err := schema.ParseBinding(s.Object.Name)
	if err != nil || s.Action != plan.Create || !open(s.plan.Topology.Cluster) || !s.first(right.Resource) {
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

// open says whether what has no rights may be everybody's on a cluster.
func open(c *schema.Cluster) bool { return c == nil || c.OpenByDefault == nil || *c.OpenByDefault }

// first says whether a right is the first on a resource that is there already,
// and the first of those in the plan.
func (s *subject) first(on schema.ACLResource) bool {
	if on.Type == schema.TopicResource && on.Pattern == schema.Literal && s.Snapshot.Topics[on.Name].State == live.Absent {
		return false // this plan makes it
	}
	r := s.rights()
	covered := slices.ContainsFunc(r.patterns, func(pattern schema.ACLResource) bool { return pattern.Covers(on.Type, on.Name) })
	return !covered && !r.there[on] && r.first[on] == s.index
}

// rights are those that there are, and those that the plan gives.
type rights struct {
	there    map[schema.ACLResource]bool
	patterns []schema.ACLResource       // those of them that are about more than one thing
	first    map[schema.ACLResource]int // the first change that gives a right
}

func (in *inquiry) allRights() *rights {
	r := &rights{there: map[schema.ACLResource]bool{}, first: map[schema.ACLResource]int{}}
	for b := range in.Snapshot.Bindings.Value {
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
			if _, earlier := r.first[b.Resource]; !earlier {
				r.first[b.Resource] = i
			}
		}
	}
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
