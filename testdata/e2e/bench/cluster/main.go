// Command cluster is the embedded Kafka of the benchmarks, in a process of its
// own, so that neither its work nor its memory is taken for that of others.
// It prints its addresses; for each line it reads, it prints how many requests
// came since the last one.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func main() {
	kafka, err := kfake.NewCluster(kfake.NumBrokers(3))
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
	defer kafka.Close()
	var requests atomic.Int64
	kafka.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		requests.Add(1)
		return nil, nil, false
	})
	fmt.Println(strings.Join(kafka.ListenAddrs(), ","))
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(requests.Swap(0))
	}
}
