package cli

import (
	"fmt"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"github.com/queueform/queueform/schema/diag"
)

func (a *app) validateCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "validate",
		Short: "Check the files, without a cluster",
		Long: `Loads and lints the topology. All problems are reported in one run.

Exit codes: 0 valid; 1 errors.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			l, diags := a.load()
			var err error
			switch format {
			case "text":
				err = diag.WriteText(a.Out, l.Files, diags, diag.TextOptions{Color: a.Color, Width: a.Width})
			case "json":
				err = diag.WriteJSON(a.Out, l.Files, diags)
			default:
				return fmt.Errorf("--format is text or json, not %q", format)
			}
			switch {
			case err != nil:
				return err
			case diags.HasErrors():
				return &exit{code: exitError}
			case format == "text":
				t := l.Topology
				_, err = fmt.Fprintf(a.Out, "%s is valid: %s in %s.\n", t.Name,
					english.Plural(len(t.Resources)+len(t.Removals), "object", ""), english.Plural(len(l.Files), "file", ""))
			}
			return err
		},
	}
	a.topologyFlags(c)
	c.Flags().StringVar(&format, "format", "text", "`FORMAT`: text or json")
	return c
}
