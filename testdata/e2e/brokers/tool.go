package brokers

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

// Tool runs one of Kafka's own command line tools against the cluster and
// returns what it printed to standard output: its class within
// org.apache.kafka.tools, "TopicCommand" or
// "reassign.ReassignPartitionsCommand", and its arguments but
// --bootstrap-server. It fails where the tool does, with what it said.
func (c *Cluster) Tool(ctx context.Context, class string, args ...string) (string, error) {
	jars, err := toolJars(ctx)
	if err != nil {
		return "", err
	}
	args = append([]string{"--bootstrap-server", strings.Join(c.Bootstrap(), ",")}, args...)
	tool := java(ctx, jars, "org.apache.kafka.tools."+class, args...)
	var out, talk bytes.Buffer
	tool.Stdout, tool.Stderr = &out, &talk
	if err := tool.Run(); err != nil {
		return "", fmt.Errorf("%s %v: %w\n%s%s", class, args, err, &out, &talk)
	}
	return out.String(), nil
}
