package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mitchellh/go-wordwrap"
	"github.com/spf13/cobra"

	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/schema/catalog"
	"github.com/queueform/queueform/schema/lang"
	"github.com/queueform/queueform/schema/lint"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [NAME]",
		Short: "Tell about a block, a Kafka config key, a hazard or a lint rule",
		Long: `Tells about a block of the language (queue), a config key of topics or groups
(retention.ms), a hazard (QF102) or a lint rule (QL101). Without a name it lists
the blocks, the hazards and the rules.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: explainable,
		RunE: func(_ *cobra.Command, args []string) error {
			text := codes()
			if len(args) > 0 {
				var err error
				if text, err = a.explain(args[0]); err != nil {
					return err
				}
			}
			_, err := io.WriteString(a.Out, text)
			return err
		},
	}
}

// explain is what there is to say about a name.
func (a *app) explain(name string) (string, error) {
	code := strings.ToUpper(name)
	if h, ok := guard.Find(code); ok {
		return a.aboutCode(h.Code, h.Summary, h.Doc), nil
	}
	if r, ok := lint.Find(code); ok {
		return a.aboutCode(r.Code, r.Summary, r.Doc), nil
	}
	for _, table := range []catalog.Table{catalog.Topic, catalog.Group, catalog.Producer, catalog.Consumer} {
		if k, ok := table.Find(name); ok {
			return a.aboutKey(k), nil
		}
	}
	for _, r := range lang.References() {
		if r.Block == name {
			return a.aboutBlock(r), nil
		}
	}
	return "", fmt.Errorf("there is no block, config key, hazard or lint rule %q; \"queueform explain\" lists the blocks and codes", name)
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
	for _, r := range lang.References() {
		names = append(names, r.Block+"\t"+r.Summary)
	}
	for _, k := range slices.Concat(catalog.Topic, catalog.Group, catalog.Producer, catalog.Consumer) {
		names = append(names, k.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func codes() string {
	var b strings.Builder
	for _, r := range lang.References() {
		fmt.Fprintf(&b, "%s\n", r.Block)
	}
	for _, h := range guard.Hazards() {
		fmt.Fprintf(&b, "%s  %s\n", h.Code, h.Summary)
	}
	for _, r := range lint.Rules() {
		fmt.Fprintf(&b, "%s  %s\n", r.Code, r.Summary)
	}
	return b.String()
}

func (a *app) aboutCode(code, summary, doc string) string {
	return fmt.Sprintf("%s: %s\n\n%s\n", code, summary, a.prose(doc))
}

func (a *app) aboutBlock(r lang.Reference) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", a.prose(r.Block+": "+r.Summary))
	widest := 0
	for _, item := range r.Arguments {
		widest = max(widest, len(item.Name))
	}
	for _, item := range r.Arguments {
		room := max(a.Width-widest-4, 20)
		says := wordwrap.WrapString(item.Says, uint(room))
		fmt.Fprintf(&b, "  %-*s  %s\n", widest, item.Name, strings.ReplaceAll(says, "\n", "\n"+strings.Repeat(" ", widest+4)))
	}
	for _, block := range r.Blocks {
		fmt.Fprintf(&b, "  %s { ... }\n", block)
	}
	return b.String()
}

func (a *app) aboutKey(k catalog.Key) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", k.Name, k.Type)
	if !k.Null && k.Default != "" {
		fmt.Fprintf(&b, ", %s unless set", k.Spell(k.Default))
	}
	if k.Since != "" {
		fmt.Fprintf(&b, ", Kafka %s+", k.Since)
	}
	fmt.Fprintf(&b, "\n\n%s\n", a.prose(strings.ReplaceAll(k.Doc, "\n", "\n\n")))
	return b.String()
}

// prose fills paragraphs, which blank lines part, to the width of the output.
func (a *app) prose(text string) string {
	var paragraphs []string
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		paragraphs = append(paragraphs, wordwrap.WrapString(strings.Join(strings.Fields(paragraph), " "), uint(a.Width)))
	}
	return strings.Join(paragraphs, "\n\n")
}
