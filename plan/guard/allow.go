package guard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/schema"
)

// Allow lets one hazard of one object, or of one block's instances, pass.
type Allow struct {
	Code string
	Addr *schema.Addr // nil: wherever it is found; only for hazards that lose nothing
}

// ParseAllow reads the value of one --allow flag: CODE:ADDRESS, or several
// separated by commas.
func ParseAllow(text string) ([]Allow, error) {
	var all []Allow
	for _, item := range split(text) {
		a, err := parseOne(strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

func parseOne(item string) (Allow, error) {
	code, address, named := strings.Cut(item, ":")
	h, known := Find(code)
	switch {
	case item == "":
		return Allow{}, fmt.Errorf("--allow is empty: write CODE:ADDRESS, like QF102:queue.orders")
	case !known:
		return Allow{}, fmt.Errorf("--allow %s: there is no hazard %q; \"queueform explain\" lists them", item, code)
	case !named && h.Loses:
		return Allow{}, fmt.Errorf("--allow %s: this hazard loses messages, so name the object: %s:ADDRESS", item, code)
	case !named:
		return Allow{Code: code}, nil
	}
	a, err := schema.ParseAddr(address)
	if err != nil {
		return Allow{}, fmt.Errorf("--allow %s: %w", item, err)
	}
	return Allow{Code: code, Addr: &a}, nil
}

// split cuts at the commas outside brackets and quotes.
func split(text string) []string {
	var items []string
	begin, depth, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == ',' && depth == 0:
			items, begin = append(items, text[begin:i]), i+1
		}
	}
	return append(items, text[begin:])
}

func (a Allow) permits(f Finding) bool { return a.Permits(f.Code, f.Addr) }

// Permits says whether it lets a hazard of an object pass.
func (a Allow) Permits(code string, addr schema.Addr) bool {
	return a.Code == code && (a.Addr == nil || a.Addr.Covers(addr))
}

func (a Allow) String() string {
	if a.Addr == nil {
		return a.Code
	}
	return a.Code + ":" + a.Addr.String()
}

// Unplanned are the allowances for what the plan does not change.
func Unplanned(allowed []Allow, p *plan.Plan) []Allow {
	return slices.DeleteFunc(slices.Clone(allowed), func(a Allow) bool {
		return a.Addr == nil || slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return a.Addr.Covers(c.Addr) })
	})
}

// Unused are the allowances that no finding needs: a slip of the pen, or a
// danger that has passed.
func Unused(allowed []Allow, found []Finding) []Allow {
	return slices.DeleteFunc(slices.Clone(allowed), func(a Allow) bool { return slices.ContainsFunc(found, a.permits) })
}

// Flag is what to add to the command line to let a finding pass, quoted for a shell.
func (f Finding) Flag() string {
	value := f.Code + ":" + f.Addr.String()
	if strings.ContainsFunc(value, special) {
		value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return "--allow " + value
}

// special says whether a shell may take the character for more than itself.
func special(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("._-:,/@%+=", r)
}
