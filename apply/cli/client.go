package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/queueform/queueform/plan/connect"
	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/clientconf"
)

func (a *app) clientCommand() *cobra.Command {
	var o clientconf.Options
	var format string
	c := &cobra.Command{
		Use:   "client ADDRESS",
		Short: "Print the client settings of a producer or group",
		Long: `Prints all that the Kafka client of an application needs to be the producer or a
member of the group: the connection, who logs in, and the declared settings. It
needs no cluster.

  properties   for Java; its config providers resolve the references
  librdkafka   JSON with librdkafka's names; envsubst resolves ${NAME}
  env          KAFKA_LINGER_MS='5', for a shell: set -a; eval "$(queueform ...)"
  json         JSON with the names of Java

Passwords are references to environment variables, those that the files name or,
where they do not, NAME_PASSWORD. What a client has no equivalent for is told on
stderr.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeApplication(schema.KindProducer, schema.KindGroup),
		RunE: func(_ *cobra.Command, args []string) error {
			o.Format = clientconf.Format(format)
			return a.client(args[0], o)
		},
	}
	a.topologyFlags(c)
	a.serversFlag(c)
	c.Flags().StringVar(&format, "format", string(clientconf.Properties), "`FORMAT`: properties, librdkafka, env or json")
	c.Flags().BoolVar(&o.Reveal, "reveal", false, "print the passwords themselves")
	c.Flags().BoolVar(&o.Sources, "sources", false, "say where each value comes from: in comments, in JSON beside it")
	return c
}

func (a *app) client(name string, o clientconf.Options) error {
	t, files, err := a.loaded()
	if err != nil {
		return err
	}
	r, err := application(t, name, schema.KindProducer, schema.KindGroup)
	if err != nil {
		return err
	}
	s := &session{app: a, topology: t, files: files}
	if s.embedded() {
		return errors.New("the embedded cluster ends with the command that started it: choose another with --cluster")
	}
	cluster, from, err := connect.Resolve(t.Cluster, connect.Options{BootstrapServers: a.bootstrap, Env: a.Env, Clusters: t.Clusters})
	if err != nil {
		return s.unreachable(err)
	}
	if err := absolute(cluster.TLS); err != nil {
		return err
	}
	text, notes, err := clientconf.Of(t, r, clientconf.Cluster{Cluster: cluster, From: from}).Render(o)
	if err != nil {
		return err
	}
	for _, note := range notes {
		fmt.Fprintf(a.Err, "note: %s\n", note)
	}
	_, err = io.WriteString(a.Out, text)
	return err
}

// absolute lets the application find the files from wherever it runs.
func absolute(t *schema.TLS) error {
	if t == nil {
		return nil
	}
	for _, path := range []*string{&t.CAFile, &t.CertFile, &t.KeyFile} {
		if *path == "" {
			continue
		}
		var err error
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	return nil
}
