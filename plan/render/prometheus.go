package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/queueform/queueform/plan/health"
	"github.com/queueform/queueform/schema"
)

// Prometheus writes a status in Prometheus's text format, version 0.0.4. What is
// not known has no sample.
func Prometheus(w io.Writer, d *health.Document) error {
	p := &prometheus{}
	p.queues(d.Queues)
	p.groups(d.Groups)
	p.topology(d)
	_, err := io.WriteString(w, p.out.String())
	return err
}

type prometheus struct{ out strings.Builder }

// labels are names and values in turn.
type labels []string

// metric writes a gauge with all its samples.
func (p *prometheus) metric(name, help string, samples func(add func(value float64, of labels))) {
	fmt.Fprintf(&p.out, "# HELP queueform_%s %s\n# TYPE queueform_%s gauge\n", name, help, name)
	samples(func(value float64, of labels) {
		p.out.WriteString("queueform_" + name)
		separator := "{"
		for i := 0; i < len(of); i += 2 {
			fmt.Fprintf(&p.out, `%s%s="%s"`, separator, of[i], escaped.Replace(of[i+1]))
			separator = ","
		}
		if len(of) > 0 {
			p.out.WriteByte('}')
		}
		p.out.WriteString(" " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
	})
}

var escaped = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func (p *prometheus) queues(all []health.Queue) {
	each := func(name, help string, value func(*health.Queue) *float64) {
		p.metric("queue_"+name, help, func(add func(float64, labels)) {
			for i := range all {
				if v := value(&all[i]); v != nil {
					add(*v, labels{"queue", all[i].Address.String(), "topic", all[i].Topic})
				}
			}
		})
	}
	present := func(value func(*health.Queue) float64) func(*health.Queue) *float64 {
		return func(q *health.Queue) *float64 {
			if q.Exists == nil || !*q.Exists {
				return nil
			}
			return new(value(q))
		}
	}
	each("depth_messages", "Messages in the queue; at most, where it is compacted or written in transactions.", func(q *health.Queue) *float64 { return float(q.Messages) })
	each("size_bytes", "Bytes of the queue, each message counted once.", func(q *health.Queue) *float64 { return float(q.Bytes) })
	each("disk_bytes", "Bytes of all replicas of the queue.", func(q *health.Queue) *float64 { return float(q.BytesOnDisk) })
	each("in_messages_per_second", "Messages that came in over the interval.", func(q *health.Queue) *float64 { return q.In })
	each("out_messages_per_second", "Messages that its groups were done with over the interval, all together.", func(q *health.Queue) *float64 { return q.Out })
	each("oldest_unread_age_seconds", "Age of the first message that one of its groups has not read; 0: all are read.", oldestAge)
	each("partitions", "Partitions of the queue.", func(q *health.Queue) *float64 { return float(q.Partitions) })
	each("offline_partitions", "Partitions without a leader.", present(func(q *health.Queue) float64 { return float64(len(q.Offline)) }))
	each("under_replicated_partitions", "Partitions with a replica out of sync.", present(func(q *health.Queue) float64 { return float64(len(q.UnderReplicated)) }))
}

func oldestAge(q *health.Queue) *float64 {
	if q.OldestAge == nil && !q.OldestAtLeast && q.Messages != nil {
		return new(0.0)
	}
	return q.OldestAge
}

func float[N int | int64](n *N) *float64 {
	if n == nil {
		return nil
	}
	return new(float64(*n))
}

func (p *prometheus) groups(all []health.Group) {
	each := func(name, help string, value func(*health.Group) *float64) {
		p.metric("group_"+name, help, func(add func(float64, labels)) {
			for i := range all {
				if v := value(&all[i]); v != nil {
					add(*v, labelled(&all[i]))
				}
			}
		})
	}
	each("unread_messages", "Messages that the group has not read; of a share group, those that are not done.", func(g *health.Group) *float64 { return float(g.Lag) })
	p.metric("group_partition_unread_messages", "The same of one partition.", func(add func(float64, labels)) {
		for i := range all {
			for j := range all[i].Partitions {
				if part := &all[i].Partitions[j]; part.Lag != nil {
					add(float64(*part.Lag), append(labelled(&all[i]), "topic", part.Topic, "partition", strconv.Itoa(int(part.Partition))))
				}
			}
		}
	})
	each("max_lag_messages", "Messages that may be unread, as declared.", func(g *health.Group) *float64 { return float(g.MaxLag) })
	each("expired_messages", "Messages that were deleted before the group has read them.", func(g *health.Group) *float64 { return float(g.Expired) })
	each("in_flight_messages_max", "Messages that members of a share group may have at hand, at most.", func(g *health.Group) *float64 { return float(g.InFlight) })
	each("members", "Members of the group.", func(g *health.Group) *float64 { return float(g.Members) })
	each("declared_members", "Members as declared.", func(g *health.Group) *float64 {
		if g.DeclaredMembers == 0 {
			return nil
		}
		return new(float64(g.DeclaredMembers))
	})
	each("skew_ratio", "The largest unread of a partition, times the mean.", func(g *health.Group) *float64 { return g.Skew })
	each("in_messages_per_second", "Messages that came into its queues over the interval.", func(g *health.Group) *float64 { return g.In })
	each("out_messages_per_second", "Messages that it was done with over the interval.", func(g *health.Group) *float64 { return g.Out })
	each("catch_up_seconds", "Time until the group has read all, at the rates of now.", func(g *health.Group) *float64 { return g.CatchUpIn })
	p.metric("group_info", "State and protocol of the group.", func(add func(float64, labels)) {
		for i := range all {
			g := &all[i]
			if g.State == "" {
				continue
			}
			add(1, append(labelled(g), "state", g.State, "protocol", string(g.Protocol), "declared_protocol", string(g.Declared)))
		}
	})
}

func labelled(g *health.Group) labels {
	return labels{"group", g.Address.String(), "group_id", g.GroupID}
}

func (p *prometheus) topology(d *health.Document) {
	of := labels{"topology", d.Topology}
	p.metric("findings", "What wants attention, by its sort.", func(add func(float64, labels)) {
		for _, code := range health.Codes() {
			n := 0
			for _, f := range d.Findings {
				if f.Code == code {
					n++
				}
			}
			if n > 0 || !d.Incomplete() {
				add(float64(n), labels{"topology", d.Topology, "code", string(code)})
			}
		}
	})
	count := func(name, help string, n int, whole bool) {
		p.metric(name, help, func(add func(float64, labels)) {
			if n > 0 || whole {
				add(float64(n), of)
			}
		})
	}
	count("differences", "Differences between the files and the cluster.", len(d.Differences), d.Applied)
	count("unseen", "What is declared and could not be read.", len(d.Unseen), true)
	count("leftovers", "What earlier applies have left.", len(d.Leftovers), d.Locked != nil) // the ledger tells of both
	p.metric("locked", "1 while an apply has the topology's lock.", func(add func(float64, labels)) {
		if d.Locked != nil {
			add(flag(*d.Locked), of)
		}
	})
	p.needs(d)
	p.quotas(d.Quotas)
	p.metric("timestamp_seconds", "When all of this was read.", func(add func(float64, labels)) { add(float64(d.At.UnixMilli())/1000, of) })
}

func (p *prometheus) needs(d *health.Document) {
	each := func(name, help string, value func(health.Need) *float64) {
		p.metric(name, help, func(add func(float64, labels)) {
			for _, n := range d.Capacity {
				if v := value(n); v != nil {
					add(*v, labels{"topology", d.Topology, "of", string(n.Of), "queue", addressOf(n.Address)})
				}
			}
		})
	}
	each("capacity_needed", "What the declared load needs: bytes, bytes a second, or partitions.", func(n health.Need) *float64 { return n.Needs })
	each("capacity_limit", "What there is of it.", func(n health.Need) *float64 { return n.Has })
}

func addressOf(a *schema.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}

func (p *prometheus) quotas(all []health.Quota) {
	p.metric("quota_limit", "What an entity may use.", func(add func(float64, labels)) {
		for _, q := range all {
			if q.Limit != nil {
				add(*q.Limit, labels{"entity", q.Entity, "key", string(q.Key)})
			}
		}
	})
}

func flag(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
