package diag

import (
	"strings"
	"unicode"

	"github.com/apparentlymart/go-textseg/v15/textseg"
	"golang.org/x/text/width"
)

// tab is how many columns apart tab stops are.
const tab = 4

// cell is what a terminal shows of one character, and the columns it takes.
type cell struct {
	text  string
	width int
}

// cells are the grapheme clusters of a text that begins at a column.
func cells(text string, column int) []cell {
	var all []cell
	for len(text) > 0 {
		advance, _, _ := textseg.ScanGraphemeClusters([]byte(text), true)
		c := newCell(text[:advance], column)
		all = append(all, c)
		column += c.width
		text = text[advance:]
	}
	return all
}

func newCell(cluster string, column int) cell {
	if cluster == "\t" {
		n := tab - column%tab
		return cell{text: strings.Repeat(" ", n), width: n}
	}
	c := cell{text: clean(cluster)}
	for _, char := range c.text {
		c.width = max(c.width, columns(char))
	}
	return c
}

// columns is how many a character takes by itself.
func columns(char rune) int {
	switch {
	case char == '\ufe0f': // makes an emoji of the character before it
		return 2
	case unicode.In(char, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	switch width.LookupRune(char).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	case width.Neutral, width.EastAsianAmbiguous, width.EastAsianNarrow, width.EastAsianHalfwidth:
	}
	return 1
}

// clean makes a text harmless to a terminal, and to who reads it: what would
// move the cursor or turn the direction of writing becomes visible.
func clean(text string) string {
	return strings.Map(func(char rune) rune {
		switch {
		case char == '\n' || char == '\t':
			return ' '
		case unicode.IsControl(char) || unicode.Is(unicode.Bidi_Control, char):
			return unicode.ReplacementChar
		}
		return char
	}, text)
}

const ellipsis = "…"

// window is the part of a line that fits in room columns, as much of the range
// in it as possible, and where the range is in that part. An empty range is
// underlined like one of a column.
func window(e excerpt, room int) (shown string, indent, length int) {
	before := cells(e.before, 0)
	marked := cells(e.marked, total(before))
	all := append(before, marked...)
	all = append(all, cells(e.after, total(all))...)
	from, to := len(before), len(before)+len(marked)
	low, high := 0, len(all)
	if e.cutLeft || e.cutRight || total(all) > room {
		low, high = fit(all, from, to, room-2)
	}
	var b strings.Builder
	if e.cutLeft || low > 0 {
		b.WriteString(ellipsis)
		indent = 1
	}
	for _, c := range all[low:high] {
		b.WriteString(c.text)
	}
	if e.cutRight || high < len(all) {
		b.WriteString(ellipsis)
	}
	return b.String(), indent + total(all[low:from]), max(1, total(all[from:min(to, high)]))
}

// fit chooses cells from low to high that take no more than room: first those
// of the range, then those around it.
func fit(all []cell, from, to, room int) (low, high int) {
	low, high = from, from
	takes := func(i int) bool {
		if i < 0 || i >= len(all) || all[i].width > room {
			return false
		}
		room -= all[i].width
		return true
	}
	for high < to && takes(high) {
		high++
	}
	for left, right := true, true; left || right; {
		if left = left && takes(low-1); left {
			low--
		}
		if right = right && takes(high); right {
			high++
		}
	}
	return low, high
}

func total(all []cell) int {
	n := 0
	for _, c := range all {
		n += c.width
	}
	return n
}
