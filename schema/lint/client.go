package lint

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
	"github.com/queueform/queueform/schema/clientconf"
)

// client is what a producer or a group declares of its client.
type client struct {
	*schema.Decl
	settings map[string]schema.Setting
	known    catalog.Table // with the Java client's own values
}

// clients makes a rule about any client a rule about all.
func clients(check func(client) []finding) func(*schema.Topology) []finding {
	producing := writers(func(_ *schema.Producer, c client) []finding { return check(c) })
	consuming := readers(func(_ *schema.Group, c client) []finding { return check(c) })
	return func(t *schema.Topology) []finding { return append(producing(t), consuming(t)...) }
}

// writers makes a rule about one producer a rule about all.
func writers(check func(*schema.Producer, client) []finding) func(*schema.Topology) []finding {
	return func(t *schema.Topology) []finding {
		var found []finding
		for p := range schema.All[*schema.Producer](t) {
			found = append(found, check(p, client{&p.Decl, p.Client, catalog.Producer})...)
		}
		return found
	}
}

// readers makes a rule about one group a rule about all.
func readers(check func(*schema.Group, client) []finding) func(*schema.Topology) []finding {
	return func(t *schema.Topology) []finding {
		var found []finding
		for g := range schema.All[*schema.Group](t) {
			found = append(found, check(g, client{&g.Decl, g.Client, catalog.Consumer})...)
		}
		return found
	}
}

// at is what to say of the value of a setting.
func (c client) at(name, detail string, args ...any) []finding {
	return []finding{{addr: c.Addr, at: c.At("client." + name), detail: fmt.Sprintf(detail, args...)}}
}

func (c client) declares(name string) bool {
	_, ok := c.settings[name]
	return ok
}

// number is a declared value, or the client's own. Not ok is one that is to be
// computed.
func (c client) number(name string) (int64, bool) {
	setting, declared := c.settings[name]
	if !declared {
		key, _ := c.known.Find(name)
		setting.Value = key.Default
	}
	n, err := strconv.ParseInt(setting.Value, 10, 64)
	return n, err == nil
}

// spelt is a value as the file has it, or the client's own.
func (c client) spelt(name string) string {
	if setting, ok := c.settings[name]; ok {
		return setting.Spelling
	}
	key, _ := c.known.Find(name)
	return key.Spell(key.Default) + " (the client's default)"
}

// below compares two values of which one at least is declared, and says where
// that is.
func (c client) below(less, more string) (declared string, ok bool) {
	a, okA := c.number(less)
	b, okB := c.number(more)
	switch {
	case !okA || !okB || a >= b:
		return "", false
	case c.declares(less):
		return less, true
	}
	return more, c.declares(more)
}

func derivedSettings(t *schema.Topology) []finding {
	found := clients(func(c client) []finding {
		var found []finding
		for name := range c.settings {
			if from := clientconf.DerivedFrom(name); from != "" {
				found = append(found, c.at(name, "it follows from %s. Remove it here.", from)...)
			}
		}
		return found
	})(t)
	return append(found, readers(resetBesideStart)(t)...)
}

func contradictsIdempotence(p *schema.Producer, c client) []finding {
	const switched, inFlight = "enable.idempotence", "max.in.flight.requests.per.connection"
	transactional := p.TransactionalID != "" || p.TransactionalIDPrefix != ""
	why := switched + " is true"
	switch {
	case transactional && c.settings[switched].Value == "false":
		return c.at(switched, "a transactional producer is idempotent: the client does not start. Remove it.")
	case transactional:
		why = "a transactional producer is idempotent"
	case c.settings[switched].Value == "false":
		return nil
	}
	var found []finding
	if n, _ := c.number(inFlight); n > 5 {
		found = append(found, c.at(inFlight, "%s, which takes 5 at most: the client of Kafka 4 does not start. Lower it, or without transactions say %s = false.", why, switched)...)
	}
	if !transactional && !c.declares(switched) {
		return found // for acks and retries the client would do without idempotence
	}
	if acks := c.settings["acks"].Value; c.declares("acks") && acks != "all" && acks != "-1" {
		found = append(found, c.at("acks", "%s, which takes acks = \"all\": the client does not start. Remove it.", why)...)
	}
	if c.settings["retries"].Value == "0" {
		found = append(found, c.at("retries", "%s, which takes 1 at least: the client does not start. Remove it, and bound delivery.timeout.ms.", why)...)
	}
	return found
}

func deliveryTimeout(_ *schema.Producer, c client) []finding {
	const key, linger, request = "delivery.timeout.ms", "linger.ms", "request.timeout.ms"
	most, _ := c.number(key)
	waits, _ := c.number(linger)
	asks, _ := c.number(request)
	if !c.declares(key) || most >= waits+asks {
		return nil
	}
	return c.at(key, "the client does not start, since %s is %s and %s is %s. Raise it to their sum at least, or lower %s.",
		linger, c.spelt(linger), request, c.spelt(request), request)
}

func smallBuffer(_ *schema.Producer, c client) []finding {
	const buffer, batch = "buffer.memory", "batch.size"
	at, ok := c.below(buffer, batch)
	if !ok {
		return nil
	}
	return c.at(at, "%s is %s, and %s is %s: there is no memory for a single batch. Raise %s, or write \"auto\".",
		buffer, c.spelt(buffer), batch, c.spelt(batch), buffer)
}

// requestAboveTopic compares with the queues of this topology; what another
// topology accepts is not known here.
func requestAboveTopic(t *schema.Topology) []finding {
	const key = "max.request.size"
	return writers(func(p *schema.Producer, c client) []finding {
		size, _ := c.number(key)
		var found []finding
		for _, addr := range p.Queues {
			q, ok := t.Find(addr).(*schema.Queue)
			if !ok || !c.declares(key) {
				continue
			}
			if most, words := inEffect(q, messageBytes); size > most {
				found = append(found, c.at(key, "%s of %s is %s: larger messages are refused there. Raise it, or lower %s.", messageBytes, addr, words, key)...)
			}
		}
		return found
	})(t)
}

func refusedSettings(g *schema.Group, c client) []finding {
	var found []finding
	for name := range c.settings {
		if slices.Contains(clientconf.Refused(g.Protocol), name) && clientconf.DerivedFrom(name) == "" {
			found = append(found, c.at(name, "clients of the protocol %q do not start with it. Remove it%s.", g.Protocol, instead(g.Protocol, name))...)
		}
	}
	return found
}

// instead is where the brokers have what a client used to set.
func instead(p schema.Protocol, name string) string {
	var key string
	switch {
	case name == "session.timeout.ms" || name == "heartbeat.interval.ms":
		key = string(p) + "." + name
	case p == schema.Share && name == "isolation.level":
		key = "share.isolation.level"
	case p == schema.Share && name == "auto.offset.reset":
		return ": start says it"
	default:
		return ""
	}
	return ": the brokers have it, as " + key + " in config"
}

func resetBesideStart(g *schema.Group, c client) []finding {
	const key = "auto.offset.reset"
	if !c.declares(key) || g.Start == "" || g.Protocol == schema.Share {
		return nil
	}
	return c.at(key, "it follows from start, which is %q. Remove one of the two.", g.Start)
}

const (
	session   = "session.timeout.ms"
	heartbeat = "heartbeat.interval.ms"
	poll      = "max.poll.interval.ms"
)

// heartbeats makes a rule about the heartbeats of a classic group, which its
// clients set, a rule about all; at is the setting at fault.
func heartbeats(check func(c client, at string, beat, lasts int64) []finding) func(*schema.Topology) []finding {
	return readers(func(g *schema.Group, c client) []finding {
		at := heartbeat
		if !c.declares(at) {
			at = session
		}
		if g.Protocol != schema.Classic || !c.declares(at) {
			return nil
		}
		beat, _ := c.number(heartbeat)
		lasts, _ := c.number(session)
		return check(c, at, beat, lasts)
	})
}

func noHeartbeat(c client, at string, beat, lasts int64) []finding {
	if beat < lasts {
		return nil
	}
	return c.at(at, "the client does not start, since %s is %s and %s is %s. A third of that is usual.",
		heartbeat, c.spelt(heartbeat), session, c.spelt(session))
}

func fewHeartbeats(c client, at string, beat, lasts int64) []finding {
	if beat >= lasts || 3*beat <= lasts {
		return nil
	}
	return c.at(at, "%s is %s and %s is %s: a member counts as dead when one or two heartbeats are lost. A third of that is usual.",
		heartbeat, c.spelt(heartbeat), session, c.spelt(session))
}

func shortPoll(g *schema.Group, c client) []finding {
	at, ok := c.below(poll, session)
	if g.Protocol != schema.Classic || !ok {
		return nil
	}
	return c.at(at, "%s is %s and %s is %s: librdkafka refuses that, and a member that died is missed no sooner. Raise the one or lower the other.",
		poll, c.spelt(poll), session, c.spelt(session))
}

// sharedTransactions finds producers with the transactional id of another.
func sharedTransactions(t *schema.Topology) []finding {
	first := map[string]schema.Addr{}
	var found []finding
	for p := range schema.All[*schema.Producer](t) {
		id := p.TransactionalID
		if other, taken := first[id]; taken && id != "" {
			found = append(found, value(&p.Decl, "transactional_id", "it is that of %s, too: each of them fences the other, and neither gets far. Give each its own.", other)...)
			continue
		}
		first[id] = p.Addr
	}
	return found
}
