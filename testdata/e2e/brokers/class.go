package brokers

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// Tool runs one of Kafka's own command line tools against the cluster and
// returns what it printed to standard output: its class within
// org.apache.kafka.tools, "TopicCommand" or
// "reassign.ReassignPartitionsCommand", and its arguments but
// --bootstrap-server. It fails where the tool does, with what it said.
func (c *Cluster) Tool(ctx context.Context, class string, args ...string) (string, error) {
	return Tool(ctx, class, append([]string{"--bootstrap-server", strings.Join(c.Bootstrap(), ",")}, args...)...)
}

// Tool is [Cluster.Tool] for who brings the cluster's address, or needs none.
func Tool(ctx context.Context, class string, args ...string) (string, error) {
	jars, err := toolJars(ctx)
	if err != nil {
		return "", err
	}
	return output(java(ctx, jars, "org.apache.kafka.tools."+class, args...))
}

// Class runs a class of one Kafka version, for which no cluster is needed, and
// returns what it printed to standard output.
func Class(ctx context.Context, version, class string, args ...string) (string, error) {
	jars, err := brokerJars(ctx, version)
	if err != nil {
		return "", err
	}
	return output(java(ctx, jars, class, args...))
}

func output(command *exec.Cmd) (string, error) {
	var out, talk bytes.Buffer
	command.Stdout, command.Stderr = &out, &talk
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s%s", command.Args, err, &out, &talk)
	}
	return out.String(), nil
}
