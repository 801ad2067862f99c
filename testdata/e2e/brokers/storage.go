package brokers

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// formattedStorage is a data directory as Kafka formats it, with the
// administrator in it. That takes seconds: it is done once per version, and
// each broker gets a copy.
func formattedStorage(ctx context.Context, version, jars string) (string, error) {
	const config = `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:1
listeners=PLAINTEXT://127.0.0.1:2,CONTROLLER://127.0.0.1:1
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=`
	admin := fmt.Sprintf("%s=[name=%s,password=%s]", AdminMechanism, AdminName, AdminPassword)
	return cached("formatted-"+version, config+admin, func(dir string) error {
		file := filepath.Join(dir, "format.properties")
		if err := os.WriteFile(file, []byte(config+filepath.Join(dir, "data")+"\n"), 0o644); err != nil {
			return err
		}
		format := java(ctx, jars, "kafka.tools.StorageTool", "format", "-t", newID(), "-c", file, "--add-scram", admin)
		if out, err := format.CombinedOutput(); err != nil {
			return fmt.Errorf("format the storage of Kafka %s: %w\n%s", version, err, out)
		}
		return nil
	})
}

// configure gives every node its addresses, its storage and its properties.
func (c *Cluster) configure(formatted string, properties map[string]string) error {
	common, err := os.ReadFile(filepath.Join(home(), "broker.properties"))
	if err != nil {
		return err
	}
	addresses, err := freeAddresses(3 * Size)
	if err != nil {
		return err
	}
	var voters []string
	for i := range c.nodes {
		n := &node{id: i + 1, jars: c.jars, plaintext: addresses[3*i], sasl: addresses[3*i+1], controller: addresses[3*i+2]}
		n.config = filepath.Join(c.nodeDir(n.id), "broker.properties")
		n.log = filepath.Join(c.nodeDir(n.id), "broker.log")
		c.nodes[i] = n
		voters = append(voters, fmt.Sprintf("%d@%s", n.id, n.controller))
	}
	var group errgroup.Group
	for _, n := range c.nodes {
		group.Go(func() error {
			data := filepath.Join(c.nodeDir(n.id), "data")
			if err := copyFormatted(filepath.Join(formatted, "data"), data, c.ID, n.id); err != nil {
				return err
			}
			own := n.properties(data, voters)
			maps.Copy(own, properties)
			return os.WriteFile(n.config, append(common, spell(own)...), 0o644)
		})
	}
	return group.Wait()
}

// properties is what differs between the brokers.
func (n *node) properties(data string, voters []string) map[string]string {
	listeners := "PLAINTEXT://" + n.plaintext + ",SASL://" + n.sasl
	return map[string]string{
		"process.roles":            "broker,controller",
		"node.id":                  fmt.Sprint(n.id),
		"broker.rack":              string(rune('a' + n.id - 1)),
		"controller.quorum.voters": strings.Join(voters, ","),
		"listeners":                listeners + ",CONTROLLER://" + n.controller,
		"advertised.listeners":     listeners,
		"log.dirs":                 data,
	}
}

// spell writes properties as lines, which win over lines before them.
func spell(properties map[string]string) string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		fmt.Fprintf(&text, "%s=%s\n", key, properties[key])
	}
	return text.String()
}

// copyFormatted makes one broker's storage of the formatted one, which knows
// nothing of cluster and node but in this file.
func copyFormatted(from, to, cluster string, id int) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	meta := fmt.Sprintf("version=1\ncluster.id=%s\nnode.id=%d\ndirectory.id=%s\n", cluster, id, newID())
	return os.WriteFile(filepath.Join(to, "meta.properties"), []byte(meta), 0o644)
}

// freeAddresses is loopback addresses nobody listens on, with ports below
// those that the system gives to clients: a stopped broker finds its own free
// when it comes back, and no client ever connects to itself.
func freeAddresses(n int) ([]string, error) {
	const least, most = 15_000, 30_000
	var all []string
	for range most - least {
		address := fmt.Sprintf("127.0.0.1:%d", least+rand.IntN(most-least))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		defer listener.Close() // all at the end, so that none is given twice
		if all = append(all, address); len(all) == n {
			return all, nil
		}
	}
	return nil, fmt.Errorf("no %d free ports between %d and %d", n, least, most)
}
