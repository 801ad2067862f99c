package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/aymanbagabas/go-udiff"
	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/queueform/queueform/schema/edit"
)

func (a *app) fmtCommand() *cobra.Command {
	var check, diff bool
	c := &cobra.Command{
		Use:   "fmt [FILE...]",
		Short: "Rewrite the files in canonical HCL",
		Long: `Rewrites the topology's HCL files, or those named, in canonical form. Comments
are kept, and so is what the files mean. JSON files are left alone.

Exit codes: 0 nothing to do, or done; 1 error; 2 not canonical (--check).`,
		RunE: func(_ *cobra.Command, files []string) error {
			if len(files) == 0 {
				var err error
				if files, err = filepath.Glob(filepath.Join(a.dir, "*.hcl")); err != nil {
					return err
				}
				slices.Sort(files)
			}
			changed := false
			for _, file := range files {
				one, err := a.format(file, check, diff)
				if err != nil {
					return err
				}
				changed = changed || one
			}
			if check && changed {
				return &exit{code: exitFound}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&check, "check", false, "change nothing; exit 2 if a file is not canonical")
	c.Flags().BoolVar(&diff, "diff", false, "print the differences")
	return c
}

// format rewrites one file, unless only the answer is wanted.
func (a *app) format(file string, check, diff bool) (changed bool, err error) {
	before, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	after, diags := edit.Format(before, file)
	if diags.HasErrors() {
		a.tell(map[string]*hcl.File{file: {Bytes: before}}, diags)
		return false, &exit{code: exitError}
	}
	if bytes.Equal(before, after) {
		return false, nil
	}
	if diff {
		fmt.Fprint(a.Out, udiff.Unified(file, file, string(before), string(after)))
	} else {
		fmt.Fprintln(a.Out, file)
	}
	if check {
		return true, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return false, err
	}
	return true, os.WriteFile(file, after, info.Mode().Perm())
}
