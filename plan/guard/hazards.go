package guard

import (
	"slices"

	"github.com/queueform/queueform/schema"
)

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

Measured: the messages between the first and the next offset of each partition,
the bytes of its largest replica, and how much of it each group has not read that
has committed an offset there, has a member who reads the topic, or shares it.
Compacted messages and the marks of transactions count, so it is "up to". It only
warns where the topic is empty and no group reads it. Without the right to see
all groups (Describe on the cluster) the readers are unknown, and it blocks.

Safer: stop the producers, and let every group read to the end first.`,
	},
	{
		Code: "QF102", Loses: true, check: retentionShortened,
		Summary: "retention is shortened",
		Doc: `Messages older than the new retention.ms, or beyond the new retention.bytes, are
deleted within minutes, read or not. So it is when a key is reset to a shorter
inherited value, and when cleanup.policy starts to delete.

Measured: for retention.ms, the messages before the first that is young enough
now, and all bytes of the partitions that have any. Now is by the clock of this
machine, and by the brokers' where the ledger shows that to be wrong: under the
lock it always does. For retention.bytes, the bytes over it, and all messages of
the partitions that are over it: which of them those bytes are, no broker tells.
Brokers delete whole segments, so that less may go, but not more. The groups are
those that have not read all of it. It only warns where nothing would go.

Safer: let the groups that are behind catch up before applying, or shorten the
retention in steps.`,
	},
	{
		Code: "QF103", Loses: true, check: compactionSwitched,
		Summary: "compaction starts or stops",
		Doc: `With compaction, only the last message of each key is kept and messages without a
key are refused. Without it, old keys expire with the retention like all else.

Measured: all messages and bytes of the topic, and the groups that have not read
them. How many are the last of their key, only reading all of them would tell.

Safer: a new queue with the other policy, and moving producers and readers to it.`,
	},
	{
		Code: "QF104", Loses: true, check: offsetsLost, of: scope{schema.KindGroup},
		Summary: "a group is deleted",
		Doc: `Kafka forgets how far the group has come. Whoever joins under its id again begins
by auto.offset.reset: at the first message, or after the last.

Measured: the messages that it has not read, in each topic where it has committed
an offset and that may be described: brokers do not tell of others. A group that
has members is not deleted: Kafka refuses that.

Safer: let it read to the end first, or keep it: an empty group costs nothing, and
its offsets expire by themselves.`,
	},
	{
		Code: "QF105", check: loginTaken, of: scope{schema.KindUser},
		Summary: "a user is deleted, or a mechanism is taken away",
		Doc: `Who is connected stays so until the connection ends, and cannot log in again.
Kafka keeps no copy of the password.

Not measured: brokers do not tell who is logged in.

Safer: let the applications log in as another user, or by another mechanism, first.`,
	},
	{
		Code: "QF106", Loses: true, check: beginsLater, of: scope{schema.KindGroup},
		Summary: "a share group begins later than it was told to",
		Doc: `A share group begins each partition by share.auto.offset.reset when its first member
comes. Where that was earliest, and is another by then, the group never gets what
was there before: no offset was committed that would remember it.

Measured: the messages of the partitions that the group has not begun to read. It
says nothing where there are none.

Safer: let members read from every partition first.`,
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
		Code: "QF202", check: beginMissed,
		Summary: "partitions are added that a group may begin to read too late",
		Doc: `Producers write to new partitions at once. A group gets to know them some minutes
later, and begins them by auto.offset.reset: where that is latest, it misses what
came before.

Measured: the groups that read the topic, and whether they have members. Groups of
this topology that have none are put at the beginning of the new partitions, and
those that are declared to start at earliest miss nothing. It blocks where another
has members; it warns of others without members, and of share groups, which cannot
be put anywhere.

Safer: auto.offset.reset = earliest in the clients first, or stop the groups while
partitions are added.`,
	},
	{
		Code: "QF203", check: messagesShrink,
		Summary: "max.message.bytes is lowered",
		Doc: `Batches above it are refused with MESSAGE_TOO_LARGE. What is there already
stays, and is delivered. How large the batches of the producers are, the cluster
does not tell. It blocks where a producer of this topology declares a
max.request.size above it.

Safer: lower max.request.size or batch.size of the producers first.`,
	},
	{
		Code: "QF301", check: factorLowered,
		Summary: "the replication factor is lowered",
		Doc: `Fewer brokers can fail before messages are lost or the queue stops.

Safer: three replicas, and min.insync.replicas 2.`,
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
bounded by --throttle.

Measured: the bytes of the largest replica of each partition, once for each broker
that copies it; the time is that of the broker that copies the most.

Safer: a lower --throttle, or an hour with less traffic.`,
	},
	{
		Code: "QF307", check: throttleTooLow,
		Summary: "the throttle is below the write rate",
		Doc: `A replica that is copied has to take in what is written meanwhile, too. Where
that is more than the throttle lets through, it never catches up.

Measured: the messages of the last minute by their timestamps, at the average size
of those in the partition, added up over all moves of the plan: for each broker
that copies them, and for the leaders that send them, which send to the other
replicas as well. It is a minute that is over rather than two samples, since
nobody has to wait for it and a burst weighs less.

Safer: a higher --throttle, or an hour with less traffic.`,
	},
	{
		Code: "QF401", check: closed, of: scope{schema.KindACL},
		Summary: "the first right on what everybody could use",
		Doc: `Brokers with allow.everyone.if.no.acl.found let everybody use what has no rights on
it. With the first right they let those alone who have one, and super users: also
who applies this may need one now.

Measured: whether the topic holds messages, and whether the group has members; it
only warns where not, and of resources that hold nothing. What a prefix covers is
not measured. Whether brokers allow everyone, Kafka does not tell: it is said by
open_by_default in the cluster block, and taken to be so where it is not.

Safer: declare all who use it first; open_by_default = false where brokers allow
nobody without a right.`,
	},
	{
		Code: "QF402", check: accessTaken, of: scope{schema.KindACL},
		Summary: "access is taken away",
		Doc: `A right goes that was allowed, or one is denied. Who works by it is refused from now
on; if that is who applies (the principal of the cluster block, or its user name),
the next apply is. So it is where the first right on what everybody could use is
given to others (QF401), unless who applies is a super user, which brokers do not
tell: that warns, and blocks where the cluster block says open_by_default = true.

Measured: whether a group has members, where its own right goes: it only warns
where it has none. Which principals are at work otherwise, brokers do not tell.

Safer: let the applications stop, or log in as another principal, first.`,
	},
	{
		Code: "QF403", check: quotaBelowLoad, of: scope{schema.KindQuota},
		Summary: "a quota is below the declared load",
		Doc: `Brokers slow down who goes beyond a quota: producers run into their timeouts, groups
fall behind.

Measured: the declared load of all queues that a producer writes or a group reads,
against its quota, which each broker grants by itself, times the brokers that are up.

Safer: a higher quota, or a lower load.`,
	},
	{
		Code: "QF501", check: overloaded,
		Summary: "the declared load does not fit",
		Doc: `Queues that take in more than disks hold at their retention stop the brokers that
run full, with all other queues on them.

Measured: the declared load of all queues, at its peak all the time: its bytes
over the retention and all replicas against what the log directories have free
and those queues hold already (Kafka 3.3+); and against the limits that are set
in the cluster's capacity block: max_partitions_per_broker of all topics, and by
the second max_bytes_in_per_broker and max_bytes_in_per_partition. Replicas are
taken to be spread evenly. A queue without a load, or without a limit to its
retention, counts for no bytes. It is told once, at the first change that adds to
the need.

Safer: a shorter retention or retention.bytes, more partitions, or more brokers.`,
	},
	{
		Code: "QF601", check: adopted, of: scope{schema.KindQueue, schema.KindUser, schema.KindGroup, schema.KindQuota},
		Summary: "a live object is changed that this topology does not own yet",
		Doc: `An object that was there before, and that no topology owns, becomes this one's when
it is first applied. Somebody may have set it up as it is for a reason, or still
look after it.

Measured: the owners in the ledger, by topic id. Without reading it nothing is applied.

Safer: declare it as it is first, so that adopting it changes nothing, and change
it then.`,
	},
}
