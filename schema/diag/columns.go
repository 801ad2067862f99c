package diag

// Columns is how many columns of a terminal a text takes.
func Columns(text string) int {
	n := 0
	for _, c := range cells(text, 0) {
		n += c.width
	}
	return n
}
