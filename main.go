// Command queueform deploys Kafka queue topologies from HCL files.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/queueform/queueform/apply/cli"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // the process is short-lived: a tenth faster, for a tenth more memory
	}
	signal.Ignore(syscall.SIGPIPE) // whoever stops listening does not stop an apply
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(cli.Main(ctx, cli.System(), os.Args[1:]))
}
