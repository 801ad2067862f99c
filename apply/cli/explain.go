package cli

import (
	"fmt"
	"strings"

	"github.com/mitchellh/go-wordwrap"
	"github.com/spf13/cobra"

	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/schema/catalog"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [NAME]",
		Short: "Tell about a hazard code or a Kafka config key",
		Args:  cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, h := range guard.Hazards() {
				names = append(names, h.Code+"\t"+h.Summary)
			}
			for _, k := range catalog.Topic {
				names = append(names, k.Name)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				a.listHazards()
				return nil
			}
			if h, ok := guard.Find(strings.ToUpper(args[0])); ok {
				fmt.Fprintf(a.Out, "%s: %s\n\n%s\n", h.Code, h.Summary, h.Doc)
				return nil
			}
			if k, ok := catalog.Topic.Find(args[0]); ok {
				a.explainKey(k)
				return nil
			}
			return fmt.Errorf("there is no hazard and no topic config %q; \"queueform explain\" lists the hazards", args[0])
		},
	}
}

func (a *app) listHazards() {
	for _, h := range guard.Hazards() {
		fmt.Fprintf(a.Out, "%s  %s\n", h.Code, h.Summary)
	}
}

func (a *app) explainKey(k catalog.Key) {
	fmt.Fprintf(a.Out, "%s: %s", k.Name, k.Type)
	if !k.Null && k.Default != "" {
		fmt.Fprintf(a.Out, ", %s unless set", k.Spell(k.Default))
	}
	if k.Since != "" {
		fmt.Fprintf(a.Out, ", Kafka %s+", k.Since)
	}
	fmt.Fprintf(a.Out, "\n\n%s\n", wordwrap.WrapString(k.Doc, uint(max(a.Width, 20))))
}
