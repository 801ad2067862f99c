package brokers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	patience = 90 * time.Second // for a cluster to become what it should be
	pause    = 100 * time.Millisecond
)

// Await asks until every running broker answers and knows of a controller and
// of exactly the brokers that run.
func (c *Cluster) Await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	running := c.running()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		err := agree(ctx, running)
		if err == nil {
			return nil
		}
		for _, n := range running {
			if n.crashed() {
				return fmt.Errorf("broker %d ended by itself\n%s", n.id, n.logTail())
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err, errors.New(logTails(running)))
		}
	}
}

func (c *Cluster) running() []*node {
	var all []*node
	for _, n := range c.nodes {
		if n.process != nil {
			all = append(all, n)
		}
	}
	return all
}

func logTails(nodes []*node) string {
	var all strings.Builder
	for _, n := range nodes {
		all.WriteString(n.logTail())
	}
	return all.String()
}

// agree says what keeps the brokers from being the cluster they should be.
func agree(ctx context.Context, running []*node) error {
	for _, n := range running {
		meta, err := ask(ctx, n.plaintext)
		switch {
		case err != nil:
			return fmt.Errorf("broker %d does not answer: %w", n.id, err)
		case len(meta.Brokers) != len(running):
			return fmt.Errorf("broker %d knows of %d brokers, %d are running", n.id, len(meta.Brokers), len(running))
		case meta.ControllerID < 0:
			return fmt.Errorf("broker %d knows of no controller", n.id)
		}
	}
	return nil
}

// ask asks the one broker, not whichever of the cluster a client would choose.
func ask(ctx context.Context, address string) (*kmsg.MetadataResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.RequestRetries(0))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{}
	response, err := client.SeedBrokers()[0].Request(ctx, request)
	if err != nil {
		return nil, err
	}
	return response.(*kmsg.MetadataResponse), nil
}
