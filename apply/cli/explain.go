package cli

import (
	"fmt"
	"strings"

	"github.com/mitchellh/go-wordwrap"
	"github.com/spf13/cobra"

	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/schema/catalog"
	"github.com/queueform/queueform/schema/lint"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [NAME]",
		Short: "Tell about a hazard, a lint rule or a Kafka config key",
		Long: `Tells about a hazard (QF102), a lint rule (QL101) or a topic's config key
(retention.ms). Without a name it lists the hazards and rules.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: explainable,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				a.listCodes()
				return nil
			}
			return a.explain(args[0])
		},
	}
}

func (a *app) explain(name string) error {
	code := strings.ToUpper(name)
	if h, ok := guard.Find(code); ok {
		a.explainCode(h.Code, h.Summary, h.Doc)
		return nil
	}
	if r, ok := lint.Find(code); ok {
		a.explainCode(r.Code, r.Summary, r.Doc)
		return nil
	}
	if k, ok := catalog.Topic.Find(name); ok {
		a.explainKey(k)
		return nil
	}
	return fmt.Errorf("there is no hazard, lint rule or topic config %q; \"queueform explain\" lists the codes", name)
}

// explainable is what completes the command, with a word about each.
func explainable(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, h := range guard.Hazards() {
		names = append(names, h.Code+"\t"+h.Summary)
	}
	for _, r := range lint.Rules() {
		names = append(names, r.Code+"\t"+r.Summary)
	}
	for _, k := range catalog.Topic {
		names = append(names, k.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) listCodes() {
	for _, h := range guard.Hazards() {
		fmt.Fprintf(a.Out, "%s  %s\n", h.Code, h.Summary)
	}
	for _, r := range lint.Rules() {
		fmt.Fprintf(a.Out, "%s  %s\n", r.Code, r.Summary)
	}
}

func (a *app) explainCode(code, summary, doc string) {
	fmt.Fprintf(a.Out, "%s: %s\n\n%s\n", code, summary, a.prose(doc))
}

func (a *app) explainKey(k catalog.Key) {
	fmt.Fprintf(a.Out, "%s: %s", k.Name, k.Type)
	if !k.Null && k.Default != "" {
		fmt.Fprintf(a.Out, ", %s unless set", k.Spell(k.Default))
	}
	if k.Since != "" {
		fmt.Fprintf(a.Out, ", Kafka %s+", k.Since)
	}
	fmt.Fprintf(a.Out, "\n\n%s\n", a.prose(strings.ReplaceAll(k.Doc, "\n", "\n\n")))
}

// prose fills paragraphs, which blank lines part, to the width of the output.
func (a *app) prose(text string) string {
	var paragraphs []string
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		paragraphs = append(paragraphs, wordwrap.WrapString(strings.Join(strings.Fields(paragraph), " "), uint(a.Width)))
	}
	return strings.Join(paragraphs, "\n\n")
}
