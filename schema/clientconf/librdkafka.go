package clientconf

import (
	"slices"
	"strconv"
	"strings"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

// equivalent is how librdkafka has a setting of the Java client.
type equivalent struct {
	name    string                              // empty: the same
	convert func(string) (text string, ok bool) // nil: as it is; not ok: librdkafka does not have the value
}

// equivalents are all the settings that librdkafka has, but for those of
// [Client.librdkafkaConnection]. The others have no equivalent.
var equivalents = map[string]equivalent{
	"acks":                                     {},
	"allow.auto.create.topics":                 {},
	"auto.commit.interval.ms":                  {},
	"auto.offset.reset":                        {convert: oneOf("earliest", "latest")},
	"batch.size":                               {},
	"bootstrap.servers":                        {},
	"buffer.memory":                            {name: "queue.buffering.max.kbytes", convert: kilobytes},
	"check.crcs":                               {},
	"client.dns.lookup":                        {},
	"client.id":                                {},
	"client.rack":                              {},
	"compression.type":                         {},
	"connections.max.idle.ms":                  {},
	"delivery.timeout.ms":                      {},
	"enable.auto.commit":                       {},
	"enable.idempotence":                       {},
	"enable.metrics.push":                      {},
	"fetch.max.bytes":                          {},
	"fetch.max.wait.ms":                        {name: "fetch.wait.max.ms"},
	"fetch.min.bytes":                          {},
	"group.id":                                 {},
	"group.instance.id":                        {},
	groupProtocol:                              {},
	"group.remote.assignor":                    {},
	"heartbeat.interval.ms":                    {},
	"isolation.level":                          {},
	"linger.ms":                                {},
	"max.in.flight.requests.per.connection":    {},
	"max.partition.fetch.bytes":                {},
	"max.poll.interval.ms":                     {},
	"max.request.size":                         {name: "message.max.bytes"},
	"metadata.max.age.ms":                      {},
	"metadata.recovery.strategy":               {},
	"metadata.recovery.rebootstrap.trigger.ms": {},
	"partition.assignment.strategy":            {convert: assignors},
	"receive.buffer.bytes":                     {name: "socket.receive.buffer.bytes", convert: socketBuffer},
	"reconnect.backoff.max.ms":                 {},
	"reconnect.backoff.ms":                     {},
	"request.timeout.ms":                       {name: "socket.timeout.ms"},
	"retries":                                  {},
	"retry.backoff.max.ms":                     {},
	"retry.backoff.ms":                         {},
	"security.protocol":                        {},
	"send.buffer.bytes":                        {name: "socket.send.buffer.bytes", convert: socketBuffer},
	"session.timeout.ms":                       {},
	"socket.connection.setup.timeout.ms":       {},
	"transaction.timeout.ms":                   {},
	"transactional.id":                         {},
}

func oneOf(known ...string) func(string) (string, bool) {
	return func(text string) (string, bool) { return text, slices.Contains(known, text) }
}

// kilobytes are at least as many as the bytes.
func kilobytes(bytes string) (string, bool) {
	n, err := strconv.ParseInt(bytes, 10, 64)
	return strconv.FormatInt(max(1, (n+1023)/1024), 10), err == nil
}

// socketBuffer turns Java's way to leave a size to the system into librdkafka's.
func socketBuffer(bytes string) (string, bool) {
	if bytes == "-1" {
		return "0", true
	}
	return bytes, true
}

// assignors are the strategies by their own names in place of Java's classes.
// librdkafka does not mix the cooperative one with others.
func assignors(classes string) (string, bool) {
	const cooperative = "cooperative-sticky"
	known := map[string]string{"RangeAssignor": "range", "RoundRobinAssignor": "roundrobin", "CooperativeStickyAssignor": cooperative}
	var all []string
	for class := range strings.SplitSeq(classes, ",") {
		name, ok := known[strings.TrimPrefix(class, "org.apache.kafka.clients.consumer.")]
		if !ok {
			return "", false
		}
		all = append(all, name)
	}
	return strings.Join(all, ","), len(all) == 1 || !slices.Contains(all, cooperative)
}

// librdkafka is the settings as librdkafka takes them, and which it has none of.
// A name that the Java client does not know is taken for one of librdkafka's own,
// before which the equivalent of another gives way.
func (c *Client) librdkafka() (all []value, notes []string) {
	own := c.librdkafkasOwn()
	if c.share {
		notes = append(notes, "a share group wants a librdkafka whose consumers know share groups (KIP-932)")
	}
	for _, v := range c.values {
		if v.name == groupProtocol && v.text[0].text == string(schema.Classic) {
			continue // its default, for which versions before 2.4 have no setting
		}
		same, ok := equivalents[v.name]
		if _, is := own[v.name]; is {
			ok = true
		}
		if ok && same.convert != nil {
			v.text = slices.Clone(v.text)
			v.text[0].text, ok = same.convert(v.text[0].text)
		}
		if !ok {
			notes = append(notes, "librdkafka has no equivalent: "+v.name+" ("+v.from+")")
			continue
		}
		if set, ok := own[same.name]; ok {
			notes = append(notes, "librdkafka's own "+set.name+" ("+set.from+") stands in place of "+v.name+" ("+v.from+")")
			continue
		}
		if same.name != "" {
			v.name = same.name
		}
		all = append(all, v)
	}
	more, also := c.librdkafkaConnection()
	more = slices.DeleteFunc(more, func(v value) bool { _, ok := own[v.name]; return ok })
	all = append(all, more...)
	slices.SortFunc(all, byName)
	return all, append(notes, also...)
}

// librdkafkasOwn are the settings that only librdkafka knows, by name.
func (c *Client) librdkafkasOwn() map[string]value {
	own := map[string]value{}
	for _, v := range c.values {
		if _, ok := equivalents[v.name]; !ok && !inJava(v.name) {
			own[v.name] = v
		}
	}
	return own
}

func inJava(name string) bool {
	_, producer := catalog.Producer.Find(name)
	_, consumer := catalog.Consumer.Find(name)
	return producer || consumer
}

func (c *Client) librdkafkaConnection() (all []value, notes []string) {
	set := func(name string, text part, from string) {
		all = append(all, value{name, parts{text}, from})
	}
	if c.writes {
		set("partitioner", plain("murmur2_random"), "derived from the Java client, which puts each key where this does")
	}
	if c.tls != nil {
		for name, file := range map[string]string{"ssl.ca.location": c.tls.CAFile, "ssl.certificate.location": c.tls.CertFile, "ssl.key.location": c.tls.KeyFile} {
			if file != "" {
				set(name, plain(file), c.tlsFrom)
			}
		}
	}
	l := c.login
	if l == nil {
		return all, nil
	}
	switch l.mechanism {
	case schema.Plain, schema.ScramSHA256, schema.ScramSHA512:
		if l.mechanism != schema.Plain {
			notes = append(notes, "SCRAM with brokers of Kafka 4 takes librdkafka 2.6.1 or newer")
		}
		set("sasl.mechanism", plain(string(l.mechanism)), c.loginFrom)
		set("sasl.username", l.name, c.loginFrom)
		set("sasl.password", l.secret, c.loginFrom)
	case schema.AWSMSKIAM:
		set("sasl.mechanism", plain(string(schema.OAuthBearer)), c.loginFrom)
		notes = append(notes, "librdkafka does not know AWS_MSK_IAM: have its token callback sign with AWS's signer library")
	case schema.OAuthBearer:
		set("sasl.mechanism", plain(string(l.mechanism)), c.loginFrom)
		if l.tokenURL == "" {
			break
		}
		set("sasl.oauthbearer.method", plain("oidc"), c.loginFrom)
		set("sasl.oauthbearer.token.endpoint.url", plain(l.tokenURL), c.loginFrom)
		set("sasl.oauthbearer.client.id", l.name, c.loginFrom)
		set("sasl.oauthbearer.client.secret", l.secret, c.loginFrom)
		if l.scope != "" {
			set("sasl.oauthbearer.scope", plain(l.scope), c.loginFrom)
		}
	}
	return all, notes
}
