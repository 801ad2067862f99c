package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

const principals = `topology "desk" {}

cluster "real" {
  bootstrap_servers = %q

  sasl {
    mechanism = "SCRAM-SHA-512"
    username  = "admin"
    password  = env("ADMIN_PASSWORD")
  }
}

queue "letters" {
  topic       = "desk.letters"
  partitions  = 2
  dead_letter = queue.lost
  config = {
    "max.message.bytes" = "2KiB"
  }
}

queue "lost" {
  topic      = "dlq.desk.lost"
  partitions = 1
}

user "writer" {
  name     = "desk.writer"
  password = env("WRITER_PASSWORD")
}

user "reader" {
  name     = "desk.reader"
  password = env("READER_PASSWORD")
}

producer "sender" {
  queues    = [queue.letters]
  principal = user.writer
}

producer "clerk" {
  queues           = [queue.letters]
  principal        = user.writer
  transactional_id = "desk-clerk"
}

consumer_group "classic" {
  group_id  = "desk.classic"
  queues    = [queue.letters]
  protocol  = "classic"
  start     = "earliest"
  principal = user.reader
}

consumer_group "finder" {
  group_id  = "desk.finder"
  queues    = [queue.lost]
  protocol  = "classic"
  start     = "earliest"
  principal = user.reader
}

consumer_group "consumer" {
  group_id  = "desk.consumer"
  queues    = [queue.letters]
  protocol  = "consumer"
  start     = "earliest"
  principal = user.reader
}

consumer_group "share" {
  group_id  = "desk.share"
  queues    = [queue.letters]
  protocol  = "share"
  start     = "earliest"
  principal = user.reader
}
`

// TestPrincipals sends and receives as who the files say, with the rights that
// an apply gives them, and no other.
func TestPrincipals(t *testing.T) {
	u := newUser(t, brokers.Own(t, brokers.Options{}))
	u.env = []string{"QUEUEFORM_BOOTSTRAP_SERVERS=", "ADMIN_PASSWORD=" + brokers.AdminPassword, "WRITER_PASSWORD=w", "READER_PASSWORD=r"}
	u.write("desk.hcl", fmt.Sprintf(principals, strings.Join(u.kafka.SASL(), ",")))
	u.run(0, "apply", "--auto-approve")
	u.env = append(u.env, "ADMIN_PASSWORD=") // nobody needs it from here on

	u.send([]string{`{"value": "a", "headers": {"trace": "7"}}`, `{"value": "b", "headers": {"trace": "7"}}`}, "sender", "--format", "json")
	u.send([]string{`{"value": "c", "headers": {"trace": "7"}}`}, "clerk", "--format", "json")
	for _, group := range []string{"consumer_group.classic", "consumer_group.consumer", "share"} {
		if all, _ := u.received(group, "--max", "2"); len(all) != 2 {
			t.Errorf("%s received %+v", group, all)
		}
	}
	u.received("consumer_group.classic", "--reject")
	u.received("share", "--reject")
	var lost []message
	u.await("both dead letters", func() bool {
		more, _ := u.received("finder")
		lost = append(lost, more...)
		return len(lost) == 2
	})
	for _, m := range lost {
		if m.header("trace") != "7" {
			t.Errorf("receive is to write dead letters, and nobody else: %+v", m)
		}
	}

	u.has(u.run(1, "send", "sender", strings.Repeat("x", 3000)), "MESSAGE_TOO_LARGE", "read and not acknowledged: 1 message") // who may not ask for the limit hears it from Kafka
	u.replace("desk.hcl", "principal = user.writer", "principal = user.reader")
	u.has(u.run(1, "send", "sender", "a"), "not permitted, this needs Write on Topic desk.", "read and not acknowledged: 1 message")
	u.replace("desk.hcl", "principal = user.reader", "principal = user.writer")
	for _, group := range []string{"consumer_group.classic", "consumer_group.consumer", "share"} {
		u.has(u.run(1, "receive", group), "not permitted, this needs Read on ", "received 0 messages")
	}
	u.env = append(u.env, "WRITER_PASSWORD=wrong")
	u.has(u.run(1, "send", "sender", "a"), "refuses user \"desk.writer\"", "name of user.writer")
}
