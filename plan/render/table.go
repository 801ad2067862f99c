package render

import (
	"strings"

	"github.com/queueform/queueform/schema/diag"
)

// table is rows under a title, their first column to the left and the others
// to the right. It is as wide as it needs to be, up to the width of the text:
// then names that find no room have a line of their own.
type table struct {
	head []string
	rows []row
}

type row struct {
	cells []string
	paint diag.Painter // of the first cell
	below string       // a line of prose
}

const (
	tableIndent = "  "
	tableGap    = "  "
	proseIndent = "      "
)

func (t *text) table(tb table) {
	widths := make([]int, len(tb.head))
	rest := len(tableIndent)
	for i := range tb.head {
		widths[i] = diag.Columns(tb.head[i])
		for _, r := range tb.rows {
			widths[i] = max(widths[i], diag.Columns(r.cells[i]))
		}
		if i > 0 {
			rest += len(tableGap) + widths[i]
		}
	}
	widths[0] = min(widths[0], t.Width-rest)
	t.line("%s%s", t.paint.Bold(padded(tb.head[0], widths[0]+len(tableIndent))), aligned(tb.head[1:], widths[1:]))
	for _, r := range tb.rows {
		name := snipped(r.cells[0], t.Width-len(tableIndent))
		if diag.Columns(name) > widths[0] {
			t.line("%s%s", tableIndent, r.paint(name))
			name = ""
		}
		t.line("%s%s%s", tableIndent, r.paint(padded(name, widths[0])), aligned(r.cells[1:], widths[1:]))
		if r.below != "" {
			t.within(proseIndent, r.below)
		}
	}
}

// within prints prose as wrapped does, and cuts words that are longer than a line.
func (t *text) within(indent, prose string) {
	room := t.Width - len(indent)
	for _, line := range t.broken(prose, room) {
		t.line("%s%s", indent, snipped(line, room))
	}
}

func padded(cell string, width int) string {
	return cell + strings.Repeat(" ", max(0, width-diag.Columns(cell)))
}

func aligned(cells []string, widths []int) string {
	var b strings.Builder
	for i, cell := range cells {
		b.WriteString(tableGap + strings.Repeat(" ", widths[i]-diag.Columns(cell)) + cell)
	}
	return b.String()
}

// snipped is text in so many columns.
func snipped(text string, width int) string {
	const dots = "..."
	if diag.Columns(text) <= width {
		return text
	}
	used := len(dots)
	for i, r := range text {
		if used += diag.Columns(string(r)); used > width {
			return text[:i] + dots
		}
	}
	return text
}
