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
	First      int                          // the number of the first partition to place; those before it are left alone
	Partitions int                          // how many the topic shall have
	Factor     int                          // 0: as many as each partition has
	Racks      func(partition int) []string // nil: any; else spread over exactly these, as evenly as the factor allows
	Replicas   [][]int32                    // by partition, taken as they are, the preferred leader first; rules out the others
}

func (w Want) racks(partition int) []string {
	if w.Racks == nil {
		return nil
	}
	return w.Racks(partition)
}

// Placed says whether replicas of a partition that is there are where they
// shall be. A replica on a broker that is down counts for whichever rack
// misses one: a restart is no reason to move data.
func (p *Placer) Placed(partition int, replicas []int32, w Want) bool {
	if w.Replicas != nil {
		return partition >= len(w.Replicas) || slices.Equal(replicas, w.Replicas[partition])
	}
	if w.Factor > 0 && len(replicas) != w.Factor {
		return false
	}
	racks := w.racks(partition)
	return racks == nil || p.spread(replicas, racks)
}

// spread says whether replicas are over exactly these racks, evenly: none has
// too many, and none is elsewhere. Those on brokers that are down are then as
// many as the racks miss.
func (p *Placer) spread(replicas []int32, racks []string) bool {
	least, extra := len(replicas)/len(racks), len(replicas)%len(racks)
	within := 0
	for _, rack := range racks {
		n := p.within(replicas, rack)
		within += n
		switch {
		case n > least+1, n > least && extra == 0:
			return false
		case n > least:
			extra--
		}
	}
	down := 0
	for _, id := range replicas {
		if _, up := p.rackOf[id]; !up {
			down++
		}
	}
	return within+down == len(replicas)
}

// within is how many of the replicas are on brokers of the rack that are up.
func (p *Placer) within(replicas []int32, rack string) int {
	n := 0
	for _, id := range replicas {
		if of, up := p.rackOf[id]; up && of == rack {
			n++
		}
	}
	return n
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
	snapshot *live.Snapshot
	brokers  []live.Broker
	rackOf   map[int32]string
	replicas map[int32]int // how many each broker has; nil until they are counted
	leaders  map[int32]int // of how many it is the preferred leader
}

// NewPlacer is for the brokers and the load that the snapshot shows.
func NewPlacer(s *live.Snapshot) *Placer {
	return &Placer{snapshot: s, brokers: s.Cluster.Brokers, rackOf: racksByBroker(s.Cluster.Brokers)}
}

// weigh counts the load, once somebody needs it.
func (p *Placer) weigh() {
	if p.replicas != nil {
		return
	}
	p.replicas, p.leaders = map[int32]int{}, map[int32]int{}
	for _, topic := range p.snapshot.Topics {
		for i := range topic.Value.Partitions {
			p.count(topic.Value.Partitions[i].Replicas, 1)
		}
	}
}

func (p *Placer) count(replicas []int32, by int) {
	for i, id := range replicas {
		p.replicas[id] += by
		if i == 0 {
			p.leaders[id] += by
		}
	}
}

// Place gives every partition from the first wanted its replicas, moving as
// few as can be; current are those that there are. It fails with an
// [Unplaceable], or where an explicit broker is down, and then places nothing.
func (p *Placer) Place(current []live.Partition, w Want) ([][]int32, error) {
	target := make([][]int32, max(w.Partitions-w.First, len(current)))
	for i := range target {
		var now live.Partition
		if i < len(current) {
			now = current[i]
		}
		if len(now.Replicas) > 0 && p.Placed(w.First+i, now.Replicas, w) {
			target[i] = now.Replicas
			continue
		}
		p.weigh()
		p.count(now.Replicas, -1)
		placed, err := p.partition(w.First+i, &now, w)
		if err != nil {
			p.count(now.Replicas, 1)
			p.forget(current, target[:i])
			return nil, err
		}
		p.count(placed, 1)
		target[i] = placed
	}
	return target, nil
}

// forget takes back what was placed.
func (p *Placer) forget(current []live.Partition, placed [][]int32) {
	for i, replicas := range placed {
		p.count(replicas, -1)
		if i < len(current) {
			p.count(current[i].Replicas, 1)
		}
	}
}

// Extend is where a partition that shall be on these replicas is made, where
// Kafka wants another number of them.
func (p *Placer) Extend(partition int, replicas []int32, factor int) ([]int32, error) {
	if factor <= len(replicas) {
		return replicas[:factor], nil
	}
	p.weigh()
	return p.fill(partition, replicas, nil, factor)
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
		return nil, fmt.Errorf("partition %d has no replicas declared", i)
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
	for range factor {
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
