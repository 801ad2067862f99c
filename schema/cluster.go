package schema

import "github.com/hashicorp/hcl/v2"

// EmbeddedCluster is the name of the cluster that is always there: in-process,
// its data kept under the topology's directory.
const EmbeddedCluster = "embedded"

// Cluster says how a Kafka cluster is reached and by whom.
type Cluster struct {
	Name             string
	Source           hcl.Range
	Attrs            map[string]hcl.Range // by path, "sasl.password": where the value was written
	BootstrapServers []string             // host:port
	ID               string               // the only cluster id accepted; empty: any
	Principal        string               // who applies, where the connection does not say: "User:deployer"
	OpenByDefault    *bool                // allow.everyone.if.no.acl.found there; nil is judged open
	TLS              *TLS
	SASL             *SASL
	Capacity         *Capacity
}

// At is where the value at path was written, or the block's header.
func (c *Cluster) At(path string) hcl.Range {
	if r, ok := c.Attrs[path]; ok {
		return r
	}
	return c.Source
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
