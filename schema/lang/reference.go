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
	"topology":   "Names all that the directory declares: the owner of its objects. Required, once.",
	"variable":   "A value that is given from outside: by --var, --var-file, QUEUEFORM_VAR_name, or the chosen cluster's variables.",
	"validation": "A condition that a variable's value must meet.",
	"locals":     "Values with names, to be used as local.name.",
	"cluster":    "How a Kafka cluster is reached, and by whom. Choose one with --cluster; the only one is the default.",
	"tls":        "The connection is encrypted. Paths are relative to the directory.",
	"sasl":       "How queueform logs in.",
	"capacity":   "What the cluster can carry, for QF501.",
	"profile":    "What several queues have in common. A queue's own arguments win, config maps merge, null takes a key away.",
	"queue":      "A Kafka topic, and the contract of its use.",
	"load":       "The peak that the queue must carry, for QF501.",
	"placement":  "Where the replicas are. Left out: the cluster's choice.",
	"lifecycle":  "What queueform leaves alone.",
	"external":   "Another topology's topic, external \"queue\" \"name\": it must exist, and is never altered.",
	"delete":     "Deletes an object by Kafka's name, delete \"queue\" \"shop.old\" {}. There is nothing to do once it is gone.",
	"forget":     "Gives up the ownership of an object, forget \"queue\" \"shop.moved\" {}: it stays as it is.",
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
	"prevent_delete":             "true: a delete block is refused until this was applied as false",
	"ignore_config":              "config keys that somebody else sets",
}
