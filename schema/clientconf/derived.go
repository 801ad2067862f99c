package clientconf

import (
	"slices"
	"strings"

	"github.com/queueform/queueform/schema"
)

// derived are the settings that follow from what is declared elsewhere, and
// where. Those that end in a dot are all that begin so.
var derived = []struct{ name, from string }{
	{"bootstrap.servers", "bootstrap_servers of the cluster block"},
	{"security.protocol", "tls and sasl of the cluster block"},
	{"ssl.", "tls of the cluster block"},
	{"sasl.", "the principal, its user block and sasl of the cluster block"},
	{"transactional.id", "transactional_id or transactional_id_prefix"},
	{"group.id", "group_id"},
	{groupProtocol, "protocol"},
}

// DerivedFrom is what a setting of every client follows from, so that a block
// does not set it itself; empty: from nothing.
func DerivedFrom(name string) string {
	for _, d := range derived {
		if name == d.name || strings.HasSuffix(d.name, ".") && strings.HasPrefix(name, d.name) {
			return d.from
		}
	}
	return ""
}

// refused are the settings with which the Java client of Kafka 4.3+ does not
// start, by the group's protocol.
var refused = map[schema.Protocol][]string{
	schema.Classic:  {"group.remote.assignor", "share.acknowledgement.mode", "share.acquire.mode"},
	schema.Consumer: {"heartbeat.interval.ms", "partition.assignment.strategy", "session.timeout.ms", "share.acknowledgement.mode", "share.acquire.mode"},
	schema.Share: {
		"auto.offset.reset", "enable.auto.commit", "group.instance.id", groupProtocol, "group.remote.assignor", "heartbeat.interval.ms",
		"interceptor.classes", "isolation.level", "partition.assignment.strategy", "session.timeout.ms",
	},
}

// Refused are the settings that a client of the protocol refuses to be given, sorted.
func Refused(p schema.Protocol) []string { return slices.Clone(refused[p]) }
