package lint_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
	"github.com/queueform/queueform/schema/lint"
)

// set is client settings, each written in a file of its name.
func set(pairs ...string) (map[string]schema.Setting, schema.Decl) {
	settings, d := map[string]schema.Setting{}, schema.Decl{Written: schema.Written{Attrs: map[string]hcl.Range{}}}
	for i := 0; i < len(pairs); i += 2 {
		settings[pairs[i]] = schema.Setting{Value: pairs[i+1], Spelling: pairs[i+1]}
		d.Attrs["client."+pairs[i]] = hcl.Range{Filename: pairs[i], Start: hcl.InitialPos, End: hcl.InitialPos}
	}
	return settings, d
}

// faults are the codes, and the settings that they are told of.
func faults(resources ...schema.Resource) []string {
	var all []string
	for _, d := range lint.Check(&schema.Topology{Resources: resources}) {
		all = append(all, diag.Code(d)+" "+d.Subject.Filename)
	}
	slices.Sort(all)
	return all
}

func TestCheckProducers(t *testing.T) {
	orders := &schema.Queue{Decl: schema.Decl{Addr: schema.Addr{Kind: schema.KindQueue, Label: "orders"}}}
	large := &schema.Queue{
		Decl:   schema.Decl{Addr: schema.Addr{Kind: schema.KindQueue, Label: "large"}},
		Config: map[string]schema.Setting{"max.message.bytes": {Value: "4194304", Spelling: "4MiB"}},
	}
	for name, test := range map[string]struct {
		transactional bool
		client        []string
		want          []string
	}{
		"nothing":                         {false, nil, nil},
		"acks without idempotence":        {false, []string{"acks", "1"}, nil},
		"acks with idempotence":           {false, []string{"acks", "1", "enable.idempotence", "true"}, []string{"QL302 acks"}},
		"all acks by number":              {false, []string{"acks", "-1", "enable.idempotence", "true"}, nil},
		"acks with transactions":          {true, []string{"acks", "0"}, []string{"QL302 acks"}},
		"not idempotent transactions":     {true, []string{"enable.idempotence", "false", "acks", "1"}, []string{"QL302 enable.idempotence"}},
		"in flight":                       {true, []string{"max.in.flight.requests.per.connection", "6"}, []string{"QL302 max.in.flight.requests.per.connection"}},
		"in flight, just":                 {true, []string{"max.in.flight.requests.per.connection", "5"}, nil},
		"in flight, idempotent by itself": {false, []string{"max.in.flight.requests.per.connection", "6", "acks", "1", "retries", "0"}, []string{"QL302 max.in.flight.requests.per.connection"}},
		"in flight without":               {false, []string{"max.in.flight.requests.per.connection", "6", "enable.idempotence", "false"}, nil},
		"retries":                         {true, []string{"retries", "0"}, []string{"QL302 retries"}},
		"delivery below the sum":          {false, []string{"delivery.timeout.ms", "34999", "linger.ms", "5000"}, []string{"QL303 delivery.timeout.ms"}},
		"delivery of the sum":             {false, []string{"delivery.timeout.ms", "35000", "linger.ms", "5000"}, nil},
		"delivery of the client":          {false, []string{"request.timeout.ms", "200000"}, nil},
		"buffer below a batch":            {false, []string{"buffer.memory", "16383"}, []string{"QL304 buffer.memory"}},
		"batch above the buffer":          {false, []string{"batch.size", "33554433"}, []string{"QL304 batch.size"}},
		"buffer of a batch":               {false, []string{"buffer.memory", "16384"}, nil},
		"buffer to be computed":           {false, []string{"buffer.memory", "auto", "batch.size", "33554433"}, nil},
		"request above the topic":         {false, []string{"max.request.size", "1048589"}, []string{"QL305 max.request.size"}},
		"request of the topic":            {false, []string{"max.request.size", "1048588"}, nil},
		"request above both":              {false, []string{"max.request.size", "4194305"}, []string{"QL305 max.request.size", "QL305 max.request.size"}},
		"what follows from elsewhere":     {false, []string{"bootstrap.servers", "b:1", "transactional.id", "x"}, []string{"QL301 bootstrap.servers", "QL301 transactional.id"}},
		"all that has to do with a login": {false, []string{"sasl.jaas.config", "x", "ssl.protocol", "TLSv1.3"}, []string{"QL301 sasl.jaas.config", "QL301 ssl.protocol"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := &schema.Producer{Queues: []schema.Addr{large.Addr, orders.Addr}}
			p.Client, p.Decl = set(test.client...)
			if test.transactional {
				p.TransactionalID = "id"
			}
			if d := cmp.Diff(test.want, faults(p, large, orders)); d != "" {
				t.Error(d)
			}
		})
	}
}

// Two producers of one transactional id fence each other.
func TestCheckTransactionalIDs(t *testing.T) {
	producer := func(label, id string) *schema.Producer {
		_, d := set()
		d.Addr = schema.Addr{Kind: schema.KindProducer, Label: label}
		d.Attrs["transactional_id"] = hcl.Range{Filename: label}
		return &schema.Producer{Decl: d, TransactionalID: id}
	}
	got := faults(producer("a", "x"), producer("b", "y"), producer("c", ""), producer("d", ""), producer("e", "x"))
	if d := cmp.Diff([]string{"QL310 e"}, got); d != "" {
		t.Error(d)
	}
}

func TestCheckGroups(t *testing.T) {
	for name, test := range map[string]struct {
		protocol schema.Protocol
		start    schema.Start
		client   []string
		want     []string
	}{
		"nothing":                       {schema.Classic, "", nil, nil},
		"a session of the brokers":      {schema.Consumer, "", []string{"session.timeout.ms", "45000"}, []string{"QL306 session.timeout.ms"}},
		"a session of the client":       {schema.Classic, "", []string{"session.timeout.ms", "45000"}, nil},
		"an assignor of the brokers":    {schema.Classic, "", []string{"group.remote.assignor", "uniform"}, []string{"QL306 group.remote.assignor"}},
		"share groups commit nothing":   {schema.Share, "", []string{"enable.auto.commit", "false"}, []string{"QL306 enable.auto.commit"}},
		"share groups start by config":  {schema.Share, schema.Latest, []string{"auto.offset.reset", "latest"}, []string{"QL306 auto.offset.reset"}},
		"the protocol by hand":          {schema.Share, "", []string{"group.protocol", "consumer"}, []string{"QL301 group.protocol"}},
		"two starts":                    {schema.Classic, schema.Latest, []string{"auto.offset.reset", "latest"}, []string{"QL301 auto.offset.reset"}},
		"one start":                     {schema.Classic, "", []string{"auto.offset.reset", "latest"}, nil},
		"no heartbeat in a session":     {schema.Classic, "", []string{"heartbeat.interval.ms", "45000"}, []string{"QL307 heartbeat.interval.ms"}},
		"two heartbeats in a session":   {schema.Classic, "", []string{"heartbeat.interval.ms", "15001"}, []string{"QL308 heartbeat.interval.ms"}},
		"three heartbeats":              {schema.Classic, "", []string{"heartbeat.interval.ms", "15000"}, nil},
		"a session of two heartbeats":   {schema.Classic, "", []string{"session.timeout.ms", "8999"}, []string{"QL308 session.timeout.ms"}},
		"a poll below the session":      {schema.Classic, "", []string{"max.poll.interval.ms", "44999"}, []string{"QL309 max.poll.interval.ms"}},
		"a session above the poll":      {schema.Classic, "", []string{"session.timeout.ms", "300001"}, []string{"QL309 session.timeout.ms"}},
		"a poll of the brokers' groups": {schema.Consumer, "", []string{"max.poll.interval.ms", "1000"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := &schema.Group{Protocol: test.protocol, Start: test.start}
			g.Client, g.Decl = set(test.client...)
			if d := cmp.Diff(test.want, faults(g)); d != "" {
				t.Error(d)
			}
		})
	}
}
