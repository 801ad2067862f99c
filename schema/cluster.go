package schema

// EmbeddedCluster is the name of the cluster that is always there: in-process,
// its data kept under the topology's directory.
const EmbeddedCluster = "embedded"

// DefaultLedger is the topic in which a cluster remembers what is owned, locked
// and applied, unless its block names another.
const DefaultLedger = "__queueform"

// Cluster says how a Kafka cluster is reached and by whom.
type Cluster struct {
	Written
	Name             string
	BootstrapServers []string // host:port
	ID               string   // the only cluster id accepted; empty: any
	Principal        string   // who applies, where the connection does not say: "User:deployer"
	OpenByDefault    *bool    // allow.everyone.if.no.acl.found there; nil is judged open
	Ledger           string   // the ledger's topic; empty: DefaultLedger
	TLS              *TLS
	SASL             *SASL
	Capacity         *Capacity
}

// LedgerTopic is where the ledger is kept. Without a block it is where it is by default.
func (c *Cluster) LedgerTopic() string {
	if c == nil || c.Ledger == "" {
		return DefaultLedger
	}
	return c.Ledger
}

// Capacity is what the cluster is meant to carry. Zero fields set no limit.
type Capacity struct {
	PartitionsPerBroker int   // replicas that one broker holds, of all topics
	BytesInPerBroker    int64 // a second, from producers and as a replica
	BytesInPerPartition int64 // a second
}

// TLS is how the connection is secured. Paths are absolute or relative to the
// working directory; empty fields fall back to the system's roots, no client
// certificate, and the broker's own host name.
type TLS struct {
	CAFile     string
	CertFile   string
	KeyFile    string
	ServerName string
}

// Mechanism names a SASL mechanism as Kafka does.
type Mechanism string

// The SASL mechanisms that a cluster block may name.
const (
	Plain       Mechanism = "PLAIN"
	ScramSHA256 Mechanism = "SCRAM-SHA-256"
	ScramSHA512 Mechanism = "SCRAM-SHA-512"
	OAuthBearer Mechanism = "OAUTHBEARER"
	AWSMSKIAM   Mechanism = "AWS_MSK_IAM"
)

// Scram says whether the mechanism is one of SCRAM.
func (m Mechanism) Scram() bool { return m == ScramSHA256 || m == ScramSHA512 }

// Mechanisms are all of them, in the order in which messages name them.
func Mechanisms() []Mechanism {
	return []Mechanism{Plain, ScramSHA256, ScramSHA512, OAuthBearer, AWSMSKIAM}
}

// SASL is who connects. PLAIN and SCRAM take a user name and password;
// OAUTHBEARER a token, or client credentials for a token URL; AWS_MSK_IAM the
// AWS environment's own credentials.
type SASL struct {
	Mechanism    Mechanism
	Username     string
	Password     Secret
	Token        Secret
	TokenURL     string
	ClientID     string
	ClientSecret Secret
	Scope        string
}
