package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/queueform/queueform/plan/live"
)

// Want is where the replicas of a topic shall be. Constraints are per
// partition, so the fewest moves of a topic are the fewest of each partition.
type Want struct {
	Partitions int
	Factor     int                          // 0: as many as each partition has
	Racks      func(partition int) []string // nil: any; else spread over exactly these, as evenly as the factor allows
	Replicas   [][]int32                    // taken as they are, the preferred leader first; rules out the others
}

func (w Want) racks(partition int) []string {
	if w.Racks == nil {
		return nil
	}
	return w.Racks(partition)
}

// Placed says whether the partitions that there are, are where they shall be.
// A replica on a broker that is down counts for whichever rack misses one: a
// restart is no reason to move data.
func Placed(current []live.Partition, w Want, brokers []live.Broker) bool {
	rackOf := racksByBroker(brokers)
	for i := range current {
		has := current[i].Replicas
		if w.Replicas != nil {
			if i < len(w.Replicas) && !slices.Equal(has, w.Replicas[i]) {
				return false
			}
			continue
		}
		if w.Factor > 0 && len(has) != w.Factor {
			return false
		}
		if racks := w.racks(i); racks != nil && !spread(has, racks, rackOf) {
			return false
		}
	}
	return true
}

// spread says whether replicas are over exactly these racks, evenly.
func spread(replicas []int32, racks []string, rackOf map[int32]string) bool {
	used := map[string]int{}
	known := 0
	for _, id := range replicas {
		if rack, up := rackOf[id]; up {
			used[rack]++
			known++
		}
	}
	least, extra := len(replicas)/len(racks), len(replicas)%len(racks)
	within, missing := 0, 0
	for _, rack := range racks {
		n := used[rack]
		within += n
		switch {
		case n > least+1, n > least && extra == 0:
			return false
		case n > least:
			extra--
		default:
			missing += least - n
		}
	}
	return within == known && missing <= len(replicas)-known
}

func racksByBroker(brokers []live.Broker) map[int32]string {
	racks := make(map[int32]string, len(brokers))
	for _, b := range brokers {
		racks[b.ID] = b.Rack
	}
	return racks
}

// Unplaceable says why replicas have no place.
type Unplaceable struct {
	Partition int
	Need      int    // brokers
	Have      int    // brokers that are up, and in the rack if one is named
	Rack      string // empty: anywhere
}

func (u *Unplaceable) Error() string {
	where := "are up"
	if u.Rack != "" {
		where = fmt.Sprintf("of rack %q are up", u.Rack)
	}
	return fmt.Sprintf("partition %d needs %d brokers, and %d %s", u.Partition, u.Need, u.Have, where)
}

// Placer places replicas so that brokers carry alike. It remembers what it
// placed. Only brokers that are up are chosen.
type Placer struct {
	brokers  []live.Broker
	rackOf   map[int32]string
	replicas map[int32]int // how many each broker has
	leaders  map[int32]int // of how many it is the preferred leader
}

// NewPlacer counts the load that the snapshot shows.
func NewPlacer(s *live.Snapshot) *Placer {
	p := &Placer{
		brokers:  s.Cluster.Brokers,
		rackOf:   racksByBroker(s.Cluster.Brokers),
		replicas: map[int32]int{},
		leaders:  map[int32]int{},
	}
	for _, topic := range s.Topics {
		for i := range topic.Value.Partitions {
			p.count(topic.Value.Partitions[i].Replicas, 1)
		}
	}
	return p
}

func (p *Placer) count(replicas []int32, by int) {
	for i, id := range replicas {
		p.replicas[id] += by
		if i == 0 {
			p.leaders[id] += by
		}
	}
}

// Place gives every partition its replicas, moving as few as can be. It fails
// with an [Unplaceable].
func (p *Placer) Place(current []live.Partition, w Want) ([][]int32, error) {
	target := make([][]int32, max(w.Partitions, len(current), len(w.Replicas)))
	for i := range target {
		var now live.Partition
		if i < len(current) {
			now = current[i]
		}
		p.count(now.Replicas, -1)
		placed, err := p.partition(i, &now, w)
		if err != nil {
			p.count(now.Replicas, 1)
			return nil, err
		}
		p.count(placed, 1)
		target[i] = placed
	}
	return target, nil
}

func (p *Placer) partition(i int, now *live.Partition, w Want) ([]int32, error) {
	if w.Replicas != nil {
		return p.explicit(i, w)
	}
	factor := cmp.Or(w.Factor, len(now.Replicas))
	quota, err := p.quotas(i, now, w.racks(i), factor)
	if err != nil {
		return nil, err
	}
	kept := p.keep(now, quota, factor)
	placed, err := p.fill(i, kept, quota, factor)
	if err != nil {
		return nil, err
	}
	if len(kept) == 0 {
		p.lead(placed)
	}
	return placed, nil
}

func (p *Placer) explicit(i int, w Want) ([]int32, error) {
	if i >= len(w.Replicas) {
		return nil, &Unplaceable{Partition: i, Need: 1}
	}
	for _, id := range w.Replicas[i] {
		if _, up := p.rackOf[id]; !up {
			return nil, fmt.Errorf("partition %d shall be on broker %d, which is not up", i, id)
		}
	}
	return w.Replicas[i], nil
}

// quotas are how many replicas each declared rack takes; nil where none is
// declared. The racks that take one more than the others are those that have
// it already, then those with the most room.
func (p *Placer) quotas(partition int, now *live.Partition, racks []string, factor int) (map[string]int, error) {
	if racks == nil {
		return nil, nil
	}
	has, room := map[string]int{}, map[string]int{}
	for _, id := range now.Replicas {
		if rack, up := p.rackOf[id]; up {
			has[rack]++
		}
	}
	for _, b := range p.brokers {
		room[b.Rack]++
	}
	least, extra := factor/len(racks), factor%len(racks)
	order := slices.Clone(racks)
	slices.SortStableFunc(order, func(a, b string) int {
		return cmp.Or(
			-cmp.Compare(min(has[a], least+1), min(has[b], least+1)),
			-cmp.Compare(min(room[a], least+1), min(room[b], least+1)),
			cmp.Compare(p.load(a), p.load(b)),
		)
	})
	quota := make(map[string]int, len(racks))
	for _, rack := range order {
		quota[rack] = least
		if extra > 0 && room[rack] > least {
			quota[rack]++
			extra--
		}
		if room[rack] < quota[rack] {
			return nil, &Unplaceable{Partition: partition, Need: quota[rack], Have: room[rack], Rack: rack}
		}
	}
	if extra > 0 {
		return nil, &Unplaceable{Partition: partition, Need: least + 1, Have: room[order[0]], Rack: order[0]}
	}
	return quota, nil
}

// load is how many replicas the brokers of a rack carry on average, in thousandths.
func (p *Placer) load(rack string) int {
	sum, brokers := 0, 0
	for _, b := range p.brokers {
		if b.Rack == rack {
			sum += p.replicas[b.ID]
			brokers++
		}
	}
	return 1000 * sum / max(brokers, 1)
}

// keep chooses the replicas that stay, in their order: as many as may, the
// leader first of all, those in sync before those that lag or are down, and
// among equals those of racks that have none yet.
func (p *Placer) keep(now *live.Partition, quota map[string]int, factor int) []int32 {
	left, taken := slices.Clone(now.Replicas), map[string]int{}
	for n := 0; n < factor; n++ {
		best := -1
		for i, id := range left {
			rack, up := p.rackOf[id]
			if quota != nil && up && taken[rack] >= quota[rack] {
				continue
			}
			if best < 0 || p.stays(now, id, left[best], taken) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		if rack, up := p.rackOf[left[best]]; up {
			taken[rack]++
		}
		left = slices.Delete(left, best, best+1)
	}
	return slices.DeleteFunc(slices.Clone(now.Replicas), func(id int32) bool { return slices.Contains(left, id) })
}

func (p *Placer) stays(now *live.Partition, a, b int32, taken map[string]int) bool {
	return cmp.Or(
		cmp.Compare(p.standing(now, a), p.standing(now, b)),
		cmp.Compare(taken[p.rackOf[a]], taken[p.rackOf[b]]),
		cmp.Compare(p.replicas[a], p.replicas[b]),
	) < 0
}

// standing ranks a replica for staying: 0 the leader, 1 in sync, 2 behind, 3 down.
func (p *Placer) standing(now *live.Partition, id int32) int {
	_, up := p.rackOf[id]
	switch {
	case id == now.Leader:
		return 0
	case slices.Contains(now.InSync, id):
		return 1
	case up:
		return 2
	}
	return 3
}

func (p *Placer) usage(replicas []int32) map[string]int {
	used := map[string]int{}
	for _, id := range replicas {
		if rack, up := p.rackOf[id]; up {
			used[rack]++
		}
	}
	return used
}

// fill adds brokers until the factor is reached: the least loaded broker of
// the least used rack each time.
func (p *Placer) fill(partition int, kept []int32, quota map[string]int, factor int) ([]int32, error) {
	placed, used := slices.Clone(kept), p.usage(kept)
	for len(placed) < factor {
		best := -1
		for i, b := range p.brokers {
			if slices.Contains(placed, b.ID) || quota != nil && used[b.Rack] >= quota[b.Rack] {
				continue
			}
			if best < 0 || p.better(b, p.brokers[best], used) {
				best = i
			}
		}
		if best < 0 {
			return nil, &Unplaceable{Partition: partition, Need: factor, Have: len(p.brokers)}
		}
		placed = append(placed, p.brokers[best].ID)
		used[p.brokers[best].Rack]++
	}
	return placed, nil
}

func (p *Placer) better(a, b live.Broker, used map[string]int) bool {
	return cmp.Or(
		cmp.Compare(used[a.Rack], used[b.Rack]),
		cmp.Compare(p.replicas[a.ID], p.replicas[b.ID]),
		cmp.Compare(p.leaders[a.ID], p.leaders[b.ID]),
		cmp.Compare(a.ID, b.ID),
	) < 0
}

// lead puts the broker that leads the fewest partitions first. Nothing moves by that.
func (p *Placer) lead(replicas []int32) {
	if len(replicas) == 0 {
		return
	}
	first := slices.MinFunc(replicas, func(a, b int32) int {
		return cmp.Or(cmp.Compare(p.leaders[a], p.leaders[b]), cmp.Compare(a, b))
	})
	at := slices.Index(replicas, first)
	replicas[0], replicas[at] = replicas[at], replicas[0]
}
