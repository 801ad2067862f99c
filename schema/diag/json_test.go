package diag_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema/diag"
)

func writeJSON(t *testing.T, source string, diags ...*hcl.Diagnostic) string {
	t.Helper()
	var b strings.Builder
	if err := diag.WriteJSON(&b, diag.Files{"a.hcl": {Text: []byte(source)}}, diags); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriteJSON(t *testing.T) {
	coded := diag.Coded("QL101", problem("Too many", at("a.hcl", 2, 5, 6, 6)))
	coded.Detail = `Write "<1>".`
	got := writeJSON(t, "a = 1\nb = 2 # two\n", warning("Odd", nil), coded)
	const want = `{
  "format_version": 1,
  "valid": false,
  "error_count": 1,
  "warning_count": 1,
  "diagnostics": [
    {
      "severity": "warning",
      "summary": "Odd",
      "detail": ""
    },
    {
      "severity": "error",
      "code": "QL101",
      "summary": "Too many",
      "detail": "Write \"<1>\".",
      "range": {
        "file": "a.hcl",
        "start": {
          "line": 2,
          "column": 5,
          "byte": 10
        },
        "end": {
          "line": 2,
          "column": 6,
          "byte": 11
        }
      },
      "snippet": {
        "line": 2,
        "before": "b = ",
        "marked": "2",
        "after": " # two"
      }
    }
  ]
}
`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWriteJSONNothing(t *testing.T) {
	const want = `{
  "format_version": 1,
  "valid": true,
  "error_count": 0,
  "warning_count": 0,
  "diagnostics": []
}
`
	if d := cmp.Diff(want, writeJSON(t, "")); d != "" {
		t.Error(d)
	}
}

// Warnings alone leave a topology valid; what has no severity does not.
func TestWriteJSONValid(t *testing.T) {
	for name, test := range map[string]struct {
		diags hcl.Diagnostics
		want  bool
	}{
		"warning":     {hcl.Diagnostics{warning("Odd", nil)}, true},
		"error":       {hcl.Diagnostics{problem("Wrong", nil)}, false},
		"no severity": {hcl.Diagnostics{{Summary: "Wrong"}}, false},
	} {
		var got struct{ Valid bool }
		if err := json.Unmarshal([]byte(writeJSON(t, "", test.diags...)), &got); err != nil {
			t.Fatal(err)
		}
		if got.Valid != test.want {
			t.Errorf("%s: valid is %v", name, got.Valid)
		}
	}
}

// A line of megabytes is cut, between characters.
func TestWriteJSONLongLine(t *testing.T) {
	left, right := strings.Repeat("€", 1<<20), strings.Repeat("£€", 1<<20)
	r := &hcl.Range{
		Filename: "a.hcl",
		Start:    hcl.Pos{Line: 1, Column: 2 + 1<<20, Byte: 1 + len(left)},
		End:      hcl.Pos{Line: 1, Column: 7 + 1<<20, Byte: 6 + len(left)},
	}
	var got struct {
		Diagnostics []struct {
			Snippet struct{ Before, Marked, After string }
		}
	}
	if err := json.Unmarshal([]byte(writeJSON(t, "-"+left+"WRONG"+right+"-", problem("Wrong", r))), &got); err != nil {
		t.Fatal(err)
	}
	s := got.Diagnostics[0].Snippet
	if s.Marked != "WRONG" || s.Before != left[:1023] || s.After != right[:1025] {
		t.Errorf("before %d bytes, then %q, then %d", len(s.Before), s.Marked, len(s.After))
	}
}
