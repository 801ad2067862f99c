package guard

import "slices"

// Hazards is every danger there is, in the order of their codes.
func Hazards() []Hazard { return hazards[:] }

// Find looks a hazard up by its code.
func Find(code string) (Hazard, bool) {
	i := slices.IndexFunc(hazards[:], func(h Hazard) bool { return h.Code == code })
	if i < 0 {
		return Hazard{}, false
	}
	return hazards[i], true
}

var hazards = [...]Hazard{
	{
		Code: "QF101", Loses: true, check: deleted,
		Summary: "a queue is deleted",
		Doc: `All messages of the topic are lost, and with them the committed offsets of every
group that reads it. Kafka has no way back.

It blocks unless the topic is known to be empty and unread; which groups read it
is not measured yet, so it blocks always.

Safer: stop the producers, and let every group read to the end first.`,
	},
	{
		Code: "QF102", Loses: true, check: retentionShortened,
		Summary: "retention is shortened",
		Doc: `Messages older than the new retention.ms, or beyond the new retention.bytes, are
deleted within minutes, read or not. A cleanup.policy that starts to delete
shortens retention too. The bytes are those of the whole logs where retention.ms
is shortened, and those beyond retention.bytes otherwise; where there are none,
the hazard only warns.

Safer: let the groups that are behind catch up before applying.`,
	},
	{
		Code: "QF103", Loses: true, check: compactionSwitched,
		Summary: "compaction starts or stops",
		Doc: `With compaction, only the last message of each key is kept and messages without a
key are refused. Without it, old keys expire with the retention like all else.

Safer: a new queue with the other policy, and moving producers and readers to it.`,
	},
	{
		Code: "QF201", check: keysMove,
		Summary: "partitions are added to a keyed queue",
		Doc: `Producers choose a partition by hash of the key modulo the number of partitions.
Once that number changes, new messages of a key go to another partition than its
old ones: the order within a key is lost until the old ones are read.

Safer: drain the queue first, or a new queue with more partitions.`,
	},
	{
		Code: "QF301", check: factorLowered,
		Summary: "the replication factor is lowered",
		Doc:     `Fewer brokers can fail before messages are lost or the queue stops.`,
	},
	{
		Code: "QF302", check: producersStop,
		Summary: "min.insync.replicas is above the in-sync replicas of now",
		Doc: `Producers with acks=all are refused with NOT_ENOUGH_REPLICAS until more replicas
are in sync. Replicas that this plan adds count: min.insync.replicas is raised
after them. Taking replicas away below min.insync.replicas is the same hazard.

Safer: bring the replicas back first, or raise the replication factor.`,
	},
	{
		Code: "QF303", check: noSpareReplica,
		Summary: "min.insync.replicas equals the replication factor",
		Doc: `One broker down, for an upgrade say, stops every producer with acks=all.

Safer: min.insync.replicas one below the replication factor.`,
	},
	{
		Code: "QF304", Loses: true, check: uncleanElection,
		Summary: "unclean leader election is switched on",
		Doc: `When no in-sync replica is left, one that lags may lead: messages that were
acknowledged are lost.

Safer: leave it off, and give the queue one replica more.`,
	},
	{
		Code: "QF305", check: unhealthy,
		Summary: "a touched queue has offline or under-replicated partitions",
		Doc: `What is changed now may meet a broker's return half-way.

Safer: repair the cluster first.`,
	},
	{
		Code: "QF306", check: dataMoves,
		Summary: "data moves between brokers",
		Doc: `Moving replicas takes network and disk from producers and consumers. The rate is
bounded by --throttle; "up to" tells the bytes of the largest replicas.`,
	},
}
