package lang_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/lang"
)

func TestCluster(t *testing.T) {
	closed := false
	dir := directory(t, map[string]string{"t.hcl": `topology "t" {
  labels = { a = "b" }
}
cluster "prod" {
  bootstrap_servers = ["b1:9093", "[::1]:9092"]
  cluster_id        = "4L6g3nShT-eMCtK--X86sw"
  principal         = "User:deployer"
  open_by_default   = false
  ledger            = "_ledger"
  tls {
    ca_file     = "ca.pem"
    key_file    = "/etc/key.pem"
    server_name = "kafka"
  }
  sasl {
    mechanism     = "OAUTHBEARER"
    token_url     = "https://idp/token"
    client_id     = "q"
    client_secret = env("NOT_SET")
    scope         = "kafka"
  }
  capacity {
    max_partitions_per_broker  = 4000
    max_bytes_in_per_broker    = "100MiB"
    max_bytes_in_per_partition = 1000000
  }
}
`})
	loaded, diags := lang.Load(dir, lang.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	want := &schema.Topology{Name: "t", Labels: map[string]string{"a": "b"}, Clusters: []string{"prod"}, Cluster: &schema.Cluster{
		Name: "prod", BootstrapServers: []string{"b1:9093", "[::1]:9092"}, ID: "4L6g3nShT-eMCtK--X86sw", Principal: "User:deployer", OpenByDefault: &closed, Ledger: "_ledger",
		TLS:      &schema.TLS{CAFile: dir + "/ca.pem", KeyFile: "/etc/key.pem", ServerName: "kafka"},
		SASL:     &schema.SASL{Mechanism: schema.OAuthBearer, TokenURL: "https://idp/token", ClientID: "q", Scope: "kafka"},
		Capacity: &schema.Capacity{PartitionsPerBroker: 4000, BytesInPerBroker: 100 << 20, BytesInPerPartition: 1_000_000},
	}}
	if diff := cmp.Diff(want, loaded.Topology, places); diff != "" {
		t.Error(diff)
	}
	for path, line := range map[string]int{"bootstrap_servers": 5, "ledger": 9, "tls": 10, "tls.ca_file": 11, "sasl.client_secret": 19, "tls.cert_file": 4} {
		if at := loaded.Topology.Cluster.At(path); at.Start.Line != line {
			t.Errorf("%s is at %v, want line %d", path, at, line)
		}
	}
}

func TestEmbeddedCluster(t *testing.T) {
	topology := load(t, "topology \"t\" {}\ncluster \"a\" {\n  cluster_id = \"4L6g3nShT-eMCtK--X86sw\"\n}\n", lang.Options{Cluster: "embedded"})
	if diff := cmp.Diff(&schema.Cluster{Name: "embedded"}, topology.Cluster, places); diff != "" {
		t.Error(diff)
	}
}
