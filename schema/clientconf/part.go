package clientconf

import (
	"slices"
	"strings"

	"github.com/queueform/queueform/schema"
)

// parts are a value: text with references between.
type parts []part

// part is one of: text, a variable of the application's environment, a file.
type part struct {
	text     string
	variable string
	secret   schema.Secret // what the variable holds, where that is known
	quoted   bool          // text, or what the variable holds, is between the quotes of a JAAS entry
	file     string        // its content
}

func plain(text string) part { return part{text: text} }

// shown is p or, if they are to be revealed, p with its secrets in place of the
// variables, as far as they are known here. The error is of [schema.Secret.Reveal].
func (p parts) shown(reveal bool) (parts, error) {
	if !reveal {
		return p, nil
	}
	all := make(parts, len(p))
	for i, one := range p {
		if one.secret.IsSet() {
			text, err := one.secret.Reveal()
			if err != nil {
				return nil, err
			}
			one = part{text: text, quoted: one.quoted}
		}
		all[i] = one
	}
	return all, nil
}

// spell writes the value, with references as a form has them.
func (p parts) spell(text, variable, file func(string) string) string {
	var b strings.Builder
	for _, one := range p {
		switch {
		case one.variable != "":
			b.WriteString(variable(one.variable))
		case one.file != "":
			b.WriteString(file(one.file))
		case one.quoted:
			b.WriteString(text(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(one.text)))
		default:
			b.WriteString(text(one.text))
		}
	}
	return b.String()
}

// refers says whether the value has a reference of its kind.
func (p parts) refers(is func(part) bool) bool { return slices.ContainsFunc(p, is) }

func isVariable(p part) bool { return p.variable != "" }

func isFile(p part) bool { return p.file != "" }
