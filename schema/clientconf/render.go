package clientconf

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// Format is a form in which clients read their settings.
type Format string

// The formats.
const (
	Properties Format = "properties" // of Java, which resolves references by its config providers
	Librdkafka Format = "librdkafka" // JSON with librdkafka's names; a reference is ${NAME}, which envsubst replaces
	Env        Format = "env"        // KAFKA_LINGER_MS=5, for a POSIX shell, which resolves references
	JSON       Format = "json"       // with the names, and the references, of Java
)

// Formats are all of them, in the order in which messages name them.
func Formats() []Format { return []Format{Properties, Librdkafka, Env, JSON} }

// Options of a rendering.
type Options struct {
	Format  Format
	Reveal  bool // secrets instead of references to them, where they are known
	Sources bool // where each value comes from: as comments, in JSON beside the value
}

// Render writes the settings, and what there is to say about them, a sentence a
// note. It fails on an unknown format, and where a secret to be revealed has no
// value.
func (c *Client) Render(o Options) (text string, notes []string, err error) {
	form, ok := forms[o.Format]
	if !ok {
		return "", nil, fmt.Errorf("there is no format %q: it is one of %s", o.Format, list(Formats()))
	}
	all, notes := c.java()
	if o.Format == Librdkafka {
		all, notes = c.librdkafka()
	}
	notes = slices.Concat(c.notes, notes)
	for i := range all {
		if all[i].text, err = all[i].text.shown(o.Reveal); err != nil {
			return "", nil, err
		}
	}
	return form(all, o.Sources), notes, nil
}

func list(formats []Format) string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

var forms = map[Format]func(all []value, sources bool) string{
	Properties: properties,
	Librdkafka: func(all []value, sources bool) string { return object(all, braces, asIs, sources) },
	Env:        environment,
	JSON: func(all []value, sources bool) string {
		return object(provided(all), envReference, fileReference, sources)
	},
}

func byName(a, b value) int { return strings.Compare(a.name, b.name) }

func asIs(text string) string { return text }

func braces(variable string) string { return "${" + variable + "}" }

// properties are lines as java.util.Properties reads them.
func properties(all []value, sources bool) string {
	var b strings.Builder
	for _, v := range provided(all) {
		if sources {
			fmt.Fprintf(&b, "# %s\n", v.from)
		}
		text := escape(v.text.spell(asIs, envReference, fileReference))
		if strings.HasPrefix(text, " ") {
			text = `\` + text
		}
		fmt.Fprintf(&b, "%s=%s\n", strings.NewReplacer(" ", `\ `, "=", `\=`, ":", `\:`, "#", `\#`, "!", `\!`).Replace(escape(v.name)), text)
	}
	return b.String()
}

// escape writes what a line of properties cannot hold as it is.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case ' ' <= r && r <= '~':
			b.WriteRune(r)
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
	}
	return b.String()
}

// environment is lines as a POSIX shell reads them.
func environment(all []value, sources bool) string {
	var b strings.Builder
	for _, v := range all {
		if sources {
			fmt.Fprintf(&b, "# %s\n", v.from)
		}
		fmt.Fprintf(&b, "KAFKA_%s=%s\n", variableName(v.name), shell(v.text))
	}
	return b.String()
}

// shell is a value between single quotes or, where the shell has something to
// resolve, double ones.
func shell(text parts) string {
	if !text.refers(isVariable) && !text.refers(isFile) {
		return single(text.spell(asIs, nil, nil))
	}
	double := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`")
	return `"` + text.spell(double.Replace, braces, func(file string) string { return "$(cat " + single(file) + ")" }) + `"`
}

func single(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// object is JSON: names and values or, with sources, names and both.
func object(all []value, variable, file func(string) string, sources bool) string {
	type sourced struct {
		Value  string `json:"value"`
		Source string `json:"source"`
	}
	values := map[string]any{}
	for _, v := range all {
		text := v.text.spell(asIs, variable, file)
		values[v.name] = text
		if sources {
			values[v.name] = sourced{text, v.from}
		}
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(values); err != nil {
		panic(fmt.Sprintf("settings as JSON: %v", err)) // strings always encode
	}
	return b.String()
}
