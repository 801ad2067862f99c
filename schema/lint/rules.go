package lint

import "github.com/hashicorp/hcl/v2"

var rules = [...]Rule{
	{
		Code: "QL101", Severity: hcl.DiagError, check: queues(tooManyInSync),
		Summary: "min.insync.replicas is above the replication factor",
		Doc: `Kafka accepts it, and then refuses everything that producers with acks=all send:
there can never be as many in-sync replicas.

Instead: at most the replication factor; one less lets a broker fail or restart.`,
	},
	{
		Code: "QL102", Severity: hcl.DiagError, check: queues(noCleanup),
		Summary: "cleanup.policy is empty",
		Doc: `The brokers accept it and never delete anything, whatever retention.ms and
retention.bytes say.

Instead: "delete", "compact" or both. To keep everything, say so: "delete" with
retention.ms and retention.bytes at -1.`,
	},
	{
		Code: "QL103", Severity: hcl.DiagWarning, check: deadLetters,
		Summary: "Dead letters are kept for a shorter time than the queue's messages",
		Doc: `A rejected message is copied to the dead-letter queue for somebody to look at. If it
is deleted there before the original is, it may be gone when they do. A queue that
does not declare retention.ms is taken to have Kafka's default, 7 days.

Instead: a retention.ms of the dead-letter queue that is at least the queue's.`,
	},
	{
		Code: "QL104", Severity: hcl.DiagError, check: queues(compactionLags),
		Summary: "min.compaction.lag.ms is above max.compaction.lag.ms",
		Doc: `A message would have to stay uncompacted for longer than it may. The brokers refuse
it, with whatever cleanup.policy.

Instead: lower the one or raise the other.`,
	},
	{
		Code: "QL105", Severity: hcl.DiagWarning, check: queues(smallSegments),
		Summary: "segment.bytes is below 1 MiB",
		Doc: `Brokers from Kafka 4.0 on refuse it (KIP-1030); older ones accept 14 bytes and more,
and write a file for every few messages.

Instead: 1MiB or more. To have old messages deleted sooner, lower segment.ms.`,
	},
	{
		Code: "QL106", Severity: hcl.DiagWarning, check: queues(batchAboveSegment),
		Summary: "max.message.bytes is above segment.bytes",
		Doc: `A batch must fit in one segment: one that is larger is refused with
RECORD_LIST_TOO_LARGE, although max.message.bytes permits it.

Instead: raise segment.bytes, or lower max.message.bytes to what can be sent.`,
	},
	{
		Code: "QL107", Severity: hcl.DiagError, check: queues(localAboveTotal),
		Summary: "Local retention is above the retention",
		Doc: `With remote.storage.enable, local.retention.ms and local.retention.bytes are the part
of retention.ms and retention.bytes that stays on the brokers' disks. The brokers
refuse a part that is larger than the whole; -1 is without limit.

Instead: lower it, or -2, which is as much as the retention.`,
	},
	{
		Code: "QL108", Severity: hcl.DiagError, check: queues(tieredCompaction),
		Summary: "Tiered storage with compaction",
		Doc: `Segments in remote storage are not compacted: the brokers refuse tiered storage for a
topic whose cleanup.policy has compact.

Instead: leave one of the two out.`,
	},
	{
		Code: "QL109", Severity: hcl.DiagWarning, check: smallDeadLetters,
		Summary: "Dead letters with no room for the queue's messages",
		Doc: `A message that is larger than max.message.bytes of the dead-letter queue is not
copied there: receive says so and leaves it unread, and the brokers put aside what
a share group has tried too often without its value. A queue that does not declare
max.message.bytes is taken to have Kafka's default, 1048588.

Instead: a max.message.bytes of the dead-letter queue that is above the queue's, by
some kilobytes for the headers that tell where the message was.`,
	},
	{
		Code: "QL201", Severity: hcl.DiagWarning, check: groups(idleMembers),
		Summary: "A group has more members than partitions",
		Doc: `Under the protocols classic and consumer a partition is read by one member of the
group: members beyond the partitions of all its queues get none.

Instead: fewer members, more partitions, or protocol = "share", under which the
members share the messages of a partition.`,
	},
	{
		Code: "QL202", Severity: hcl.DiagWarning, check: unknownUsers,
		Summary: "A principal that no user block declares",
		Doc: `The topology declares users, and this principal is none of them: rights are given to
a name that nobody may have.

Instead: principal = user.NAME, which cannot be misspelt. Users that are declared
elsewhere are fine.`,
	},
	{
		Code: "QL204", Severity: hcl.DiagError, check: starredPrefix,
		Summary: "The name of a prefixed ACL ends in *",
		Doc: `Kafka accepts it, and takes the * for a letter of the name. No topic has one, and
other names hardly do.

Instead: the prefix alone, "shop.". For all names, "*" with the pattern literal.`,
	},
	{
		Code: "QL205", Severity: hcl.DiagWarning, check: groups(deadLetterName),
		Summary: "Dead letters of a share group go to a topic without the prefix dlq.",
		Doc: `Brokers write dead letters of share groups (KIP-1191) to topics alone whose names
begin with their errors.deadletterqueue.topic.name.prefix, "dlq." unless it was
changed.

Instead: a dead-letter queue whose topic begins with dlq.`,
	},
	{
		Code: "QL206", Severity: hcl.DiagError, check: groups(severalDeadLetters),
		Summary: "A share group reads queues with different dead-letter queues",
		Doc: `Brokers know one dead-letter queue for a share group, whichever queue a message
was rejected from.

Instead: the same dead_letter for all queues of the group, or a group for each.`,
	},
	{
		Code: "QL301", Severity: hcl.DiagError, check: derivedSettings,
		Summary: "A client setting that follows from something else",
		Doc: `How a client connects, who it is, and its group, protocol and transactional id are
declared once, and "queueform client" writes the client's settings from that.

Instead: declare it where the message says.`,
	},
	{
		Code: "QL302", Severity: hcl.DiagError, check: writers(contradictsIdempotence),
		Summary: "A producer setting contradicts idempotence",
		Doc: `An idempotent producer writes each message once and in order, however often it has to
try. A transactional one is idempotent. It waits for all in-sync replicas, tries
again, and has at most five requests on their way. Its client refuses to start
with acks, retries or max.in.flight.requests.per.connection that say otherwise.

Instead: leave them out, since the defaults fit; or enable.idempotence = false, and
the client does without.`,
	},
	{
		Code: "QL303", Severity: hcl.DiagError, check: writers(deliveryTimeout),
		Summary: "delivery.timeout.ms is below linger.ms + request.timeout.ms",
		Doc: `A message waits for linger.ms and then for an answer for request.timeout.ms: it could
run out before the first try has. The client refuses to start.

Instead: their sum at least; several times as much leaves time to try again.`,
	},
	{
		Code: "QL304", Severity: hcl.DiagError, check: writers(smallBuffer),
		Summary: "buffer.memory is below batch.size",
		Doc: `A batch is taken from the buffer: one that is larger can never be had, and each send
fails.

Instead: "auto", which is enough for two batches of each partition.`,
	},
	{
		Code: "QL305", Severity: hcl.DiagWarning, check: requestAboveTopic,
		Summary: "max.request.size is above the topic's max.message.bytes",
		Doc: `The client takes a message that the brokers refuse, and the application learns it
late. max.request.size is measured before compression, max.message.bytes after, so
that it may be meant.

Instead: a max.message.bytes of the queue that is as large.`,
	},
	{
		Code: "QL306", Severity: hcl.DiagError, check: readers(refusedSettings),
		Summary: "A client setting that the group's protocol refuses",
		Doc: `With the protocols "consumer" (KIP-848) and "share" (KIP-932) the brokers decide what
clients decided under "classic", and the client refuses to start with a setting
that is theirs.

Instead: leave it out. What the brokers have of it is in the group's config:
consumer.session.timeout.ms, share.isolation.level; share groups start where start
says.`,
	},
	{
		Code: "QL307", Severity: hcl.DiagError, check: heartbeats(noHeartbeat),
		Summary: "heartbeat.interval.ms is not below session.timeout.ms",
		Doc: `A member would count as dead before its first heartbeat. The client refuses to start.

Instead: a third of session.timeout.ms, or less.`,
	},
	{
		Code: "QL308", Severity: hcl.DiagWarning, check: heartbeats(fewHeartbeats),
		Summary: "session.timeout.ms is below three heartbeats",
		Doc: `A member counts as dead when one or two heartbeats are late, as in a pause of its
runtime, and the group is divided anew.

Instead: a session.timeout.ms of three times heartbeat.interval.ms, or more.`,
	},
	{
		Code: "QL309", Severity: hcl.DiagWarning, check: readers(shortPoll),
		Summary: "max.poll.interval.ms is below session.timeout.ms",
		Doc: `max.poll.interval.ms bounds how long a member may work on what it has read; a member
that died is missed after session.timeout.ms. librdkafka refuses a bound that is
shorter.

Instead: raise max.poll.interval.ms, or lower session.timeout.ms.`,
	},
	{
		Code: "QL310", Severity: hcl.DiagWarning, check: sharedTransactions,
		Summary: "Two producers have one transactional id",
		Doc: `Whoever begins under a transactional id fences those who had it before: their next
message is refused, and they end. Started again, they fence the other.

Instead: an id for each producer, or a transactional_id_prefix where one
application runs several times.`,
	},
}
