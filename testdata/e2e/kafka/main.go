// Command kafka runs a real Kafka cluster of three brokers on loopback until
// it is interrupted.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

func main() {
	version := flag.String("version", brokers.Newest, "of Apache Kafka")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *version); err != nil {
		fmt.Fprintln(os.Stderr, "kafka:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, version string) error {
	fmt.Fprintf(os.Stderr, "Starting Kafka %s ...\n", version)
	c, err := brokers.Start(ctx, brokers.Options{Version: version})
	if err != nil {
		return err
	}
	fmt.Printf("bootstrap servers  %s\n", strings.Join(c.Bootstrap(), ","))
	fmt.Printf("with SASL          %s (%s, user %s, password %s)\n",
		strings.Join(c.SASL(), ","), brokers.AdminMechanism, brokers.AdminName, brokers.AdminPassword)
	for id := 1; id <= brokers.Size; id++ {
		fmt.Printf("log of broker %d    %s\n", id, c.Log(id))
	}
	fmt.Fprintln(os.Stderr, "Ctrl-C stops it and removes its data.")
	<-ctx.Done()
	return c.Close()
}
