// Command queueform deploys Kafka queue topologies from HCL files.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/queueform/queueform/apply/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(cli.Main(ctx, cli.System(), os.Args[1:]))
}
