package lint

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

// The config keys that rules look at.
const (
	minInSync      = "min.insync.replicas"
	cleanupPolicy  = "cleanup.policy"
	retentionMs    = "retention.ms"
	retentionBytes = "retention.bytes"
	segmentBytes   = "segment.bytes"
	messageBytes   = "max.message.bytes"
	minLag         = "min.compaction.lag.ms"
	maxLag         = "max.compaction.lag.ms"
	localMs        = "local.retention.ms"
	localBytes     = "local.retention.bytes"
	remoteStorage  = "remote.storage.enable"
)

const (
	unlimited     = -1      // a retention
	likeRetention = -2      // a local retention: as much as the retention
	leastSegment  = 1 << 20 // bytes that Kafka 4 demands
)

// queues makes a rule about one queue a rule about all.
func queues(check func(*schema.Queue) []finding) func(*schema.Topology) []finding {
	return func(t *schema.Topology) []finding {
		var found []finding
		for q := range schema.All[*schema.Queue](t) {
			found = append(found, check(q)...)
		}
		return found
	}
}

// at is what to say of the value of a config key.
func at(q *schema.Queue, key, detail string, args ...any) []finding {
	return []finding{{addr: q.Addr, at: q.At("config." + key), detail: fmt.Sprintf(detail, args...)}}
}

// number is a declared value. Not ok is a key that is not declared: the
// brokers have defaults of their own.
func number(q *schema.Queue, key string) (int64, bool) {
	n, err := strconv.ParseInt(q.Config[key].Value, 10, 64)
	return n, err == nil
}

// numbers are two declared values.
func numbers(q *schema.Queue, one, other string) (a, b int64, ok bool) {
	a, okA := number(q, one)
	b, okB := number(q, other)
	return a, b, okA && okB
}

// spelt is a value as the file has it.
func spelt(q *schema.Queue, key string) string { return q.Config[key].Spelling }

// policy is what happens to old messages; Kafka's default is to delete them.
func policy(q *schema.Queue) []string {
	declared, ok := q.Config[cleanupPolicy]
	if !ok {
		return []string{"delete"}
	}
	return strings.Split(declared.Value, ",")
}

func tooManyInSync(q *schema.Queue) []finding {
	least, ok := number(q, minInSync)
	if !ok || q.ReplicationFactor == 0 || least <= int64(q.ReplicationFactor) {
		return nil
	}
	return at(q, minInSync, "%d in-sync replicas are demanded, and there are never more than %d: "+
		"producers with acks=all could not send. Lower %s, or raise replication_factor.", least, q.ReplicationFactor, minInSync)
}

func noCleanup(q *schema.Queue) []finding {
	if declared, ok := q.Config[cleanupPolicy]; !ok || declared.Value != "" {
		return nil
	}
	return at(q, cleanupPolicy, `nothing would ever be deleted. Write "delete", "compact" or both; `+
		`to keep everything, "delete" with retention.ms and retention.bytes at -1.`)
}

func compactionLags(q *schema.Queue) []finding {
	least, most, ok := numbers(q, minLag, maxLag)
	if !ok || least <= most {
		return nil
	}
	return at(q, minLag, "the brokers refuse %s, since %s is %s. Lower the one or raise the other.", spelt(q, minLag), maxLag, spelt(q, maxLag))
}

func smallSegments(q *schema.Queue) []finding {
	n, ok := number(q, segmentBytes)
	if !ok || n >= leastSegment {
		return nil
	}
	return at(q, segmentBytes, `Kafka 4.0 and later refuse %s. Write "1MiB" or more.`, spelt(q, segmentBytes))
}

func batchAboveSegment(q *schema.Queue) []finding {
	batch, segment, ok := numbers(q, messageBytes, segmentBytes)
	if !ok || batch <= segment {
		return nil
	}
	return at(q, messageBytes, "a batch must fit in one segment, and %s is %s: larger ones are refused. Raise it, or lower %s.",
		segmentBytes, spelt(q, segmentBytes), messageBytes)
}

func localAboveTotal(q *schema.Queue) []finding {
	if q.Config[remoteStorage].Value != "true" {
		return nil
	}
	var found []finding
	for _, keys := range [][2]string{{localMs, retentionMs}, {localBytes, retentionBytes}} {
		local, whole, ok := numbers(q, keys[0], keys[1])
		if !ok || whole < 0 || local == likeRetention || local >= 0 && local <= whole {
			continue
		}
		found = append(found, at(q, keys[0], "the brokers refuse %s, since %s is %s. Lower it, or leave it out to keep as much on the brokers.",
			spelt(q, keys[0]), keys[1], spelt(q, keys[1]))...)
	}
	return found
}

func tieredCompaction(q *schema.Queue) []finding {
	if q.Config[remoteStorage].Value != "true" || !slices.Contains(policy(q), "compact") {
		return nil
	}
	return at(q, remoteStorage, "the brokers refuse tiered storage with %s %s. Leave one of the two out.", cleanupPolicy, spelt(q, cleanupPolicy))
}

// deadLetters compares the queues of this topology with their dead-letter
// queues; what another topology keeps is not known here.
func deadLetters(t *schema.Topology) []finding {
	return buried(t, func(q, dead *schema.Queue) []finding {
		if !slices.Contains(policy(q), "delete") || !slices.Contains(policy(dead), "delete") {
			return nil // not deleted by age
		}
		kept, words := retention(q)
		keptDead, wordsDead := retention(dead)
		if keptDead >= kept {
			return nil
		}
		return []finding{{addr: q.Addr, at: dead.At("config." + retentionMs), detail: fmt.Sprintf(
			"its messages are kept for %s, and its dead letters in %s for %s. Give %s a %s of at least the queue's.",
			words, dead.Addr, wordsDead, dead.Addr, retentionMs,
		)}}
	})
}

// smallDeadLetters finds dead letters that have no room for what is rejected. They
// have the headers of where they were from besides.
func smallDeadLetters(t *schema.Topology) []finding {
	return buried(t, func(q, dead *schema.Queue) []finding {
		most, words := inEffect(q, messageBytes)
		mostDead, wordsDead := inEffect(dead, messageBytes)
		if mostDead >= most {
			return nil
		}
		return []finding{{addr: q.Addr, at: dead.At("config." + messageBytes), detail: fmt.Sprintf(
			"its messages may have %s, and its dead letters in %s %s: there is no room for the larger ones. Give %s a %s above the queue's.",
			words, dead.Addr, wordsDead, dead.Addr, messageBytes,
		)}}
	})
}

// buried checks queues with those that take their dead letters, where the files
// declare both.
func buried(t *schema.Topology, check func(q, dead *schema.Queue) []finding) []finding {
	return queues(func(q *schema.Queue) []finding {
		if q.DeadLetter == nil {
			return nil
		}
		dead, ok := t.Find(*q.DeadLetter).(*schema.Queue)
		if !ok {
			return nil
		}
		return check(q, dead)
	})(t)
}

// inEffect is a number of a queue's, and the words for it; Kafka's default where
// the files say nothing.
func inEffect(q *schema.Queue, key string) (n int64, words string) {
	if n, declared := number(q, key); declared {
		return n, spelt(q, key)
	}
	known, _ := catalog.Topic.Find(key)
	n, _ = strconv.ParseInt(known.Default, 10, 64)
	return n, known.Spell(known.Default) + " (Kafka's default)"
}

// retention is how long a queue keeps messages, in milliseconds, and the words
// for it.
func retention(q *schema.Queue) (ms int64, words string) {
	if ms, words = inEffect(q, retentionMs); ms == unlimited {
		return math.MaxInt64, "ever"
	}
	return ms, words
}
