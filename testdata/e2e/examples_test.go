package e2e_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// TestExamples applies every example to real Kafka, where the next plan is empty.
func TestExamples(t *testing.T) {
	examples, err := filepath.Glob(filepath.Join("..", "..", "examples", "*"))
	if err != nil || len(examples) == 0 {
		t.Fatal(examples, err)
	}
	everywhere(t, func(u *user) {
		for _, example := range examples {
			dir := u.TempDir()
			if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
				u.Fatal(err)
			}
			u.dir, u.env = dir, nil
			if filepath.Base(example) == "shop" { // it logs in
				u.env = []string{
					"QUEUEFORM_BOOTSTRAP_SERVERS=" + u.kafka.SASL()[0], "QUEUEFORM_TLS=false", "KAFKA_PASSWORD=unused",
					"QUEUEFORM_SASL_USERNAME=" + brokers.AdminName, "QUEUEFORM_SASL_PASSWORD=" + brokers.AdminPassword,
				}
			}
			u.run(0, "apply", "--auto-approve")
			u.settled()
		}
	})
}
