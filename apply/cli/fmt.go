package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/queueform/queueform/schema/diag"
	"github.com/queueform/queueform/schema/edit"
	"github.com/queueform/queueform/schema/lang"
)

func (a *app) fmtCommand() *cobra.Command {
	f := formatter{app: a, files: diag.Files{}}
	c := &cobra.Command{
		Use:   "fmt [FILE...]",
		Short: "Rewrite the files in canonical HCL",
		Long: `Rewrites the topology's HCL files, or those named, in canonical form, and prints
the names of those that changed. Comments are kept, and so is what the files
mean. JSON files and files with errors are left alone.

Exit codes: 0 nothing to do, or done; 1 error; 2 not canonical (--check).`,
		RunE: func(_ *cobra.Command, files []string) error {
			if len(files) == 0 {
				var err error
				if files, err = hclFiles(a.dir); err != nil {
					return err
				}
			}
			return f.all(files)
		},
	}
	c.Flags().BoolVar(&f.check, "check", false, "change nothing; exit 2 if a file is not canonical")
	c.Flags().BoolVar(&f.diff, "diff", false, "print the differences")
	return c
}

// hclFiles lists the files of a topology, of which there is one at least.
func hclFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if name := e.Name(); !e.IsDir() && !strings.HasPrefix(name, ".") && (strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".hcl.json")) {
			files = append(files, filepath.Join(dir, name))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no file that ends in .hcl or .hcl.json: name the topology's directory with -C", dir)
	}
	return files, nil
}

// formatter is one run of fmt.
type formatter struct {
	*app
	check, diff bool
	changed     bool
	files       diag.Files // those with errors, to show where
	diags       hcl.Diagnostics
}

// all formats every file that can be, and tells of the others.
func (f *formatter) all(files []string) error {
	var failed []error
	for _, file := range files {
		if strings.HasSuffix(file, ".json") {
			continue
		}
		if err := f.one(file); err != nil {
			failed = append(failed, err)
		}
	}
	f.tell(f.files, f.diags)
	switch {
	case len(failed) > 0:
		return errors.Join(failed...)
	case f.diags.HasErrors():
		return &exit{code: exitError}
	case f.check && f.changed:
		return &exit{code: exitFound}
	}
	return nil
}

// one rewrites a file, unless only the answer is wanted.
func (f *formatter) one(file string) error {
	before, trouble := lang.ReadFile(file)
	if trouble != nil {
		f.diags = append(f.diags, trouble)
		return nil
	}
	after, diags := edit.Format(before, file)
	if diags.HasErrors() {
		f.files[file] = lang.Guarded(before, diags)
		f.diags = append(f.diags, diags...)
		return nil
	}
	if bytes.Equal(before, after) {
		return nil
	}
	f.changed = true
	if !f.check {
		if err := replace(file, after); err != nil {
			return fmt.Errorf("format %s: %w", file, err)
		}
	}
	shown := file + "\n"
	if f.diff {
		shown = udiff.Unified(file, file, string(before), string(after))
	}
	_, err := io.WriteString(f.Out, shown)
	return err
}
