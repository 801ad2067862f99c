package diag

import "github.com/fatih/color"

// Palette is how text for a terminal is marked, the same everywhere.
type Palette struct{ Red, Yellow, Green, Bold, Faint Painter }

// Painter marks its operands, which it prints as fmt.Sprint does.
type Painter func(...any) string

// NewPalette is one of ANSI colours or, off, one that leaves text as it is.
func NewPalette(on bool) Palette {
	paint := func(attributes ...color.Attribute) Painter {
		c := color.New(attributes...)
		if on {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return c.SprintFunc()
	}
	return Palette{
		Red: paint(color.FgRed, color.Bold), Yellow: paint(color.FgYellow, color.Bold), Green: paint(color.FgGreen, color.Bold),
		Bold: paint(color.Bold), Faint: paint(color.Faint),
	}
}
