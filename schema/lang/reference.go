package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2/gohcl"
)

// Reference says what may stand in a block.
type Reference struct {
	Block     string
	Summary   string
	Arguments []Item
	Blocks    []string
}

// Item is an argument and what it means.
type Item struct{ Name, Says string }

// References are all blocks, by name.
func References() []Reference {
	var all []Reference
	for _, name := range slices.Sorted(maps.Keys(summaries)) {
		wanted, _ := gohcl.ImpliedBodySchema(bodies[name])
		r := Reference{Block: name, Summary: summaries[name], Blocks: blockTypes(wanted)}
		for _, a := range wanted.Attributes {
			says, own := meanings[name+"."+a.Name]
			if !own {
				says = meanings[a.Name]
			}
			r.Arguments = append(r.Arguments, Item{a.Name, says})
		}
		all = append(all, r)
	}
	return all
}

// summaries are what the blocks are for.
var summaries = map[string]string{
	"topology":             "Names all that the directory declares: the owner of its objects. Required, once.",
	"variable":             "A value that is given from outside: by --var, --var-file, QUEUEFORM_VAR_name, or the chosen cluster's variables.",
	"validation":           "A condition that a variable's value must meet.",
	"locals":               "Values with names, to be used as local.name.",
	"cluster":              "How a Kafka cluster is reached, and by whom. Choose one with --cluster; the only one is the default.",
	"tls":                  "The connection is encrypted. Paths are relative to the directory.",
	"sasl":                 "How queueform logs in.",
	"capacity":             "What the cluster can carry, for QF501.",
	"profile":              "What several queues have in common. A queue's own arguments win, config maps merge, null takes a key away.",
	"queue":                "A Kafka topic, and the contract of its use.",
	"load":                 "The peak that the queue must carry, for QF501.",
	"placement":            "Where the replicas are. Left out: the cluster's choice.",
	"lifecycle":            "What queueform leaves alone.",
	"external":             "Another topology's topic, external \"queue\" \"name\": it must exist, and is never altered.",
	"producer":             "An application that writes to queues: its rights, limits and client settings.",
	"producer.quota":       "What the producer may use, by its user or else its client.id.",
	"consumer_group":       "An application that reads queues: how, from where on, with which rights, limits and client settings.",
	"consumer_group.quota": "What the group may use, by its user or else its client.id.",
	"user":                 "Who logs in by SCRAM. The password is set where the user is new or password_version changes.",
	"acl":                  "What a principal may do, or may not, with one resource.",
	"quota":                "How much a user, a client id, both together, or an ip may use. Several blocks of one entity merge.",
	"delete":               "Deletes an object by Kafka's name, delete \"queue\" \"shop.old\" {}. There is nothing to do once it is gone.",
	"forget":               "Gives up the ownership of an object, forget \"queue\" \"shop.moved\" {}: it stays as it is.",
}

// meanings are what the arguments mean, where a block does not say otherwise.
var meanings = map[string]string{
	"description":                "for people",
	"labels":                     "a map of strings, for people",
	"for_each":                   "a set of strings or a map: an instance for each element, with each.key and each.value",
	"topology.owner":             "who looks after it, for people",
	"variable.type":              "like string, number, list(string) or object({...})",
	"default":                    "the value if none is given",
	"sensitive":                  "true: a secret, never shown, and accepted in passwords, tokens and keys alone",
	"condition":                  "true where the value is accepted",
	"error_message":              "what to say where it is not",
	"bootstrap_servers":          "a list of host:port",
	"cluster_id":                 "refuse any other cluster",
	"variables":                  "a map of literals: variables' values for this cluster",
	"cluster.principal":          "who applies, like User:deployer, where SASL or the certificate does not say",
	"open_by_default":            "what allow.everyone.if.no.acl.found is there: Kafka does not tell",
	"ledger":                     "the topic that keeps ownership, lock and history (__queueform)",
	"ca_file":                    "the certificates that the brokers' are signed by",
	"cert_file":                  "the client's certificate, for mutual TLS",
	"key_file":                   "its key",
	"server_name":                "the name that the brokers' certificates have, if not the host's",
	"mechanism":                  "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or AWS_MSK_IAM",
	"username":                   "for PLAIN and SCRAM",
	"password":                   "for PLAIN and SCRAM; use env(\"NAME\")",
	"token":                      "for OAUTHBEARER",
	"token_url":                  "where to get a token, for OAUTHBEARER",
	"client_id":                  "for token_url",
	"client_secret":              "for token_url; use env(\"NAME\")",
	"scope":                      "for token_url",
	"max_partitions_per_broker":  "replicas of partitions on one broker",
	"max_bytes_in_per_broker":    "bytes per second that one broker can take, replication included",
	"max_bytes_in_per_partition": "bytes per second that one partition can take",
	"topic":                      "Kafka's name; the label unless given",
	"queue.profile":              "profile.name",
	"partitions":                 "how many; the broker's default unless given, and not compared then",
	"replication_factor":         "how many copies; likewise",
	"config":                     "the whole set of topic-level configs, by Kafka's names (queueform explain retention.ms)",
	"key":                        "what producers key by: adding partitions becomes a hazard (QF201)",
	"dead_letter":                "the queue for messages that could not be processed, queue.name",
	"messages_per_second":        "at the peak",
	"message_bytes":              "of one message on average",
	"racks":                      "the racks that every partition is spread over, or a list of them for each partition",
	"placement.replicas":         "the brokers of each partition, like [[1, 2, 3], [2, 3, 1]]",
	"producer.queues":            "a list of those that it writes to: queue.name, external.queue.name; queue.name of a for_each is all its instances",
	"consumer_group.queues":      "a list of those that it reads: queue.name, external.queue.name; queue.name of a for_each is all its instances",
	"principal":                  "who it is, user.name or \"User:name\": the rights that its work needs are derived",
	"acl.principal":              "who, user.name or \"User:name\"; \"User:*\" is everybody",
	"transactional_id":           "of its transactions",
	"transactional_id_prefix":    "what the transactional ids of its instances begin with, instead of transactional_id",
	"client":                     "its client's settings, by the names of the Java client",
	"group_id":                   "Kafka's name; the label unless given",
	"protocol":                   "\"consumer\" (Kafka 4.0+), \"classic\", or \"share\" (Kafka 4.2+): messages are acknowledged one by one",
	"start":                      "where it begins if nothing is committed: \"earliest\", \"latest\" or a time like \"2026-01-31T08:00:00Z\"",
	"consumer_group.config":      "the group's configs on the brokers, by Kafka's names",
	"members":                    "how many will run: checked against the partitions",
	"max_lag":                    "messages that may be unread before status --check complains",
	"user.name":                  "Kafka's name; the label unless given",
	"mechanisms":                 "SCRAM-SHA-256, SCRAM-SHA-512 (the one unless given) or both",
	"iterations":                 "of hashing the password, 4096 to 16384 (8192)",
	"user.password":              "use env(\"NAME\")",
	"password_version":           "raise it to set the password again: Kafka cannot show it (1)",
	"host":                       "the address it comes from; \"*\" is any (\"*\")",
	"permission":                 "\"allow\" or \"deny\" (\"allow\")",
	"resource":                   "an object with one of topic, group, transactional_id, cluster (\"kafka-cluster\"), delegation_token, user; and with pattern, \"literal\" or \"prefixed\"",
	"operations":                 "a list like [\"read\", \"describe\"]; \"all\" is everything",
	"quota.user":                 "a name, or null: all users without a quota of their own",
	"quota.client_id":            "a name, or null: all client ids without a quota of their own",
	"ip":                         "an address, or null: each without a quota of its own; alone, and for connection_creation_rate",
	"producer_byte_rate":         "bytes a second written on each broker, like \"10MiB\"",
	"consumer_byte_rate":         "bytes a second read on each broker, like \"10MiB\"",
	"request_percentage":         "of one thread's time on each broker",
	"controller_mutation_rate":   "partitions created and deleted a second",
	"connection_creation_rate":   "connections a second to each broker, from an ip",
	"prevent_delete":             "true: a delete block is refused until this was applied as false",
	"ignore_config":              "config keys that somebody else sets",
}
