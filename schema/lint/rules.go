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
		Code: "QL203", Severity: hcl.DiagWarning, check: requestAboveMessage,
		Summary: "max.request.size is above a queue's max.message.bytes",
		Doc: `The producer would make batches that the brokers refuse with MESSAGE_TOO_LARGE.

Instead: max.request.size of at most the max.message.bytes of each of its queues.`,
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
}
