package schema

// KindProducer is an application that writes to queues. Kafka keeps no such
// object: its rights, quotas and client settings are what it leaves there.
const KindProducer Kind = "producer"

// AutoMemory is a buffer.memory that is computed from what the producer writes to.
const AutoMemory = "auto"

// Producer is an application that writes to queues.
type Producer struct {
	Decl
	Queues                []Addr             // what it writes to, as declared; external ones, too
	Principal             string             // who it connects as, "User:checkout"; empty: no rights are derived
	TransactionalID       string             // at most one of the two is set
	TransactionalIDPrefix string             // of the ids that its instances make up
	Client                map[string]Setting // its client's settings, by the names of the Java client
	Quota                 Limits
}

// ID is the producer's own: Kafka knows it by none.
func (p *Producer) ID() ID { return ID{Kind: KindProducer, Name: p.Addr.String()} }
