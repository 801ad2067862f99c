package lang_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queueform/queueform/schema/lang"
)

const utf8Mark = "\xef\xbb\xbf"

// Whatever a directory holds, it ends in a clear message.
func TestBadFiles(t *testing.T) {
	const topology = "topology \"t\" {}\n"
	huge := topology + "queue \"q\" {\n  description = \"" + strings.Repeat("x", 10<<20) + "\"\n}\n"
	for name, test := range map[string]struct {
		file, text string
		want       string // in the first diagnostic; empty: there is none
	}{
		"empty file":         {"a.hcl", "", "a.hcl:1,1-1: No topology block; One file must name the topology"},
		"empty JSON":         {"a.hcl.json", "", "a.hcl.json:1,1-1: "},
		"JSON without block": {"a.hcl.json", "{}", "a.hcl.json:1,1-1: No topology block"},
		"JSON array":         {"a.hcl.json", "[1]", "a.hcl.json:1,2-3: Incorrect JSON value type"},
		"JSON misspelt":      {"a.hcl.json", `{"topology": {"t": {}}, "queu": {}}`, `a.hcl.json:1,25-31: Extraneous JSON object property; No argument or block type is named "queu". Did you mean "queue"?`},
		"JSON attribute":     {"a.hcl.json", "{\"topology\": {\"t\": {}}, \"queue\": {\"q\":\n{\"topik\": \"x\"}}}", `a.hcl.json:2,2-9: Extraneous JSON object property; No argument or block type is named "topik". Did you mean "topic"?`},
		"JSON reference":     {"a.hcl.json", "{\"topology\": {\"t\": {}}, \"queue\": {\"q\":\n{\"dead_letter\": \"queue.qq\"}}}", `There is no queue.qq; It is not declared. Did you mean "q"?`},
		"JSON profile":       {"a.hcl.json", "{\"topology\": {\"t\": {}}, \"profile\": {\"durable\": {}}, \"queue\": {\"q\":\n{\"profile\": \"profile.durabel\"}}}", `There is no profile.durabel; It is not declared. Did you mean "durable"?`},
		"JSON key":           {"a.hcl.json", "{\"topology\": {\"t\": {}}, \"queue\": {\"q\":\n{\"config\": {\"retention.m\": 1}}}}", `a.hcl.json:2,13-26: Unknown config key; Kafka has no topic config "retention.m". Did you mean "retention.ms"?`},
		"JSON template":      {"a.hcl.json", "{\"topology\": {\"t\": {}}, \"queue\": {\"q\":\n{\"topic\": \"${uper(1)}\"}}}", `Call to unknown function; There is no function "uper". Did you mean "upper"?`},
		"JSON secret key":    {"a.hcl.json", `{"topology": {"t": {}}, "queue": {"q": {"labels": [{"a": "b"}, {"${env(\"SECRET\")}": "x"}]}}}`, "a.hcl.json:1,65-85: A secret would be shown here"},
		"binary garbage":     {"a.hcl", "\x7fELF\x02\x01\x01\x00\x00", "a.hcl:1,8-8: Not a text file; HCL is UTF-8 text, and byte 7 is not."},
		"not UTF-8":          {"a.hcl", topology + "# ö \xf6\n", "a.hcl:2,5-5: Not a text file"},
		"UTF-16":             {"a.hcl", "\xff\xfet\x00o\x00", "a.hcl:1,1-1: Not a text file"},
		"random characters":  {"a.hcl", strings.Repeat("}{)($%&!§\n", 1000), "a.hcl:1,5-6: Invalid character"},
		"byte order mark":    {"a.hcl", utf8Mark + topology, ""},
		"mark in JSON":       {"a.hcl.json", utf8Mark + `{"topology": {"t": {}}}`, ""},
		"CRLF":               {"a.hcl", "topology \"t\" {\r\n  description = \"x\"\r\n}\r\n# comment\r\n", ""},
		"10 MB":              {"a.hcl", huge, ""},
		"17 MB":              {"a.hcl", huge + strings.Repeat("# comment\n", 1<<20), "a.hcl has 20 MiB; at most 16 are read"},
		"deep brackets":      {"a.hcl", topology + "locals {\n  a = " + strings.Repeat("[", 1<<20) + "\n}\n", "a.hcl:3,506-506: Nested too deeply"},
		"deep parentheses":   {"a.hcl", topology + "locals {\n  a = " + strings.Repeat("(", 1000) + "1" + strings.Repeat(")", 1000) + "\n}\n", "Nested too deeply"},
		"deep templates":     {"a.hcl", topology + "locals {\n  a = " + strings.Repeat(`"${`, 1000) + "1" + strings.Repeat(`}"`, 1000) + "\n}\n", "Nested too deeply"},
		"deep negation":      {"a.hcl", topology + "locals {\n  a = " + strings.Repeat("!", 1<<20) + "true\n}\n", "Nested too deeply"},
		"deep conditions":    {"a.hcl", topology + "locals {\n  a = " + strings.Repeat("true ? 1 : ", 1<<16) + "1\n}\n", "Nested too deeply"},
		"deep directives":    {"a.hcl", topology + "locals {\n  a = \"" + strings.Repeat("%{ if true }", 1<<16) + "\"\n}\n", "Nested too deeply"},
		"deep blocks":        {"a.hcl", strings.Repeat("a {\n", 1<<16), "Nested too deeply"},
		"deep JSON":          {"a.hcl.json", strings.Repeat(`{"a":[`, 1<<20), "Nested too deeply"},
		"huge number":        {"a.hcl", topology + "locals {\n  a = \"1e99999 ${1E-99999999}\"\n}\n", "a.hcl:3,18-18: Number out of range"},
		"huge JSON number":   {"a.hcl.json", `{"topology": {"t": {}}, "locals": {"a": 1.5e+100000}}`, "a.hcl.json:1,44-44: Number out of range"},
		"huge in a template": {"a.hcl.json", `{"topology": {"t": {}}, "locals": {"a": "\"${1e99999}"}}`, "a.hcl.json:1,47-47: Number out of range"},
		"no huge number":     {"a.hcl", topology + "locals {\n  hash = \"1e99999\" # 1e99999\n  e99999 = 1e9999\n}\n", ""},
		"no huge in JSON":    {"a.hcl.json", `{"topology": {"t": {}}, "locals": {"a": ["${1}", "1e99999"]}}`, ""},
		"deep enough":        {"a.hcl", topology + "locals {\n  a = " + strings.Repeat("[", 400) + strings.Repeat("]", 400) + "\n}\n", ""},
		"many conditions":    {"a.hcl", topology + "locals {\n" + "  a = true ? -1 : !false ? [-1, -1] : 2\n" + "  b = [" + strings.Repeat("true ? -1 : 1, ", 1000) + "]\n}\n", ""},
		"many directives":    {"a.hcl", topology + "locals {\n  a = \"" + strings.Repeat("%{ if true }x%{ else }y%{ endif }", 1000) + "\"\n}\n", ""},
		"long conditions":    {"a.hcl", topology + "locals {\n  a = (" + strings.Repeat("true ? f(1, 1) :\n", 1<<12) + "1)\n}\n", "Nested too deeply"},
		"minified JSON":      {"a.hcl.json", `{"topology": {"t": {}}, "locals": {"a": ["` + strings.Repeat(`a-b-c?\"!!! %", "`, 1000) + `"]}}`, ""},
		"deep JSON template": {"a.hcl.json", `{"topology": {"t": {}}, "locals": {"a": "${` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}"}}`, "a.hcl.json:1,41-41: Nested too deeply"},
		"a long comment":     {"a.hcl", topology + "# " + strings.Repeat("(-", 1000) + "\n", ""},
		"a long text":        {"a.hcl", topology + "locals {\n  a = \"" + strings.Repeat("[{(", 1000) + "\"\n}\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, diags := lang.Load(directory(t, map[string]string{test.file: test.text}), lang.Options{Env: env})
			switch {
			case test.want == "" && len(diags) > 0, test.want != "" && len(diags) == 0:
				t.Errorf("%v, want %q", diags, test.want)
			case len(diags) > 0 && !strings.Contains(diags[0].Error(), test.want):
				t.Errorf("%s\nwant %s", diags[0].Error(), test.want)
			case len(diags) > 25:
				t.Errorf("%d diagnostics", len(diags))
			}
			if diags.HasErrors() && diags[0].Subject != nil && diags[0].Subject.Start.Line == 0 {
				t.Errorf("no line: %+v", diags[0])
			}
		})
	}
}

// Problems of the directory itself, or of what only looks like a file.
func TestBadDirectories(t *testing.T) {
	const topology = "topology \"t\" {}\n"
	for name, test := range map[string]struct {
		files map[string]string
		link  string // what a.hcl is a link to
		want  string
	}{
		"empty":            {nil, "", "No HCL files; "},
		"hidden files":     {map[string]string{".a.hcl": "x", "a.hcl~": "x"}, "", "No HCL files; "},
		"loop of links":    {map[string]string{"t.hcl": topology}, "a.hcl", "a.hcl: too many levels of symbolic links"},
		"dangling link":    {map[string]string{"t.hcl": topology}, "none.hcl", "a.hcl: no such file or directory"},
		"link to itself":   {map[string]string{"t.hcl": topology}, ".", "a.hcl: not a regular file"},
		"link to a device": {map[string]string{"t.hcl": topology}, os.DevNull, "a.hcl: not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := directory(t, test.files)
			if test.link != "" {
				if err := os.Symlink(test.link, filepath.Join(dir, "a.hcl")); err != nil {
					t.Fatal(err)
				}
			}
			_, diags := lang.Load(dir, lang.Options{})
			if len(diags) != 1 || !strings.Contains(diags[0].Error(), test.want) {
				t.Errorf("%v, want %s", diags, test.want)
			}
		})
	}
	_, diags := lang.Load(filepath.Join(t.TempDir(), "none"), lang.Options{})
	if len(diags) != 1 || diags[0].Summary != "Directory cannot be read" {
		t.Errorf("%v", diags)
	}
}

// What one file lacks does not hide what is wrong in the others.
func TestAllProblemsAtOnce(t *testing.T) {
	_, diags := lang.Load(directory(t, map[string]string{
		"a.hcl":      "queue \"a\" {\n  partitions = 0\n}\n",
		"b.hcl":      "queue \"b\" {\n",
		"c.hcl":      "\x00",
		"d.hcl.json": `{"queue": {"d": {"partitions": -1}}}`,
		"e.hcl":      "variable \"x\" {}\nqueue \"e\" {\n  key = local.none\n}\n",
	}), lang.Options{})
	var summaries []string
	for _, d := range diags {
		summaries = append(summaries, d.Summary)
	}
	want := "Number out of range; Unclosed configuration block; Not a text file; Number out of range; Variable without a value"
	if got := strings.Join(summaries, "; "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
