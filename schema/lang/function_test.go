package lang_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queueform/queueform/schema/lang"
)

func TestFunctions(t *testing.T) {
	for expression, want := range map[string]string{
		`[abs(-1), ceil(1.2), floor(1.8), log(8, 2), max(1, 2), min(1, 2), parseint("ff", 16), pow(2, 3), signum(-5)]`:                                     `[1,2,1,3,2,1,255,8,-1]`,
		`[chomp("a\n"), format("%03d", 7), indent(1, "a\nb"), join("-", ["a", "b"]), lower("A"), upper("a")]`:                                              `["a","007","a\n b","a-b","a","A"]`,
		`[regex("[0-9]+", "a12"), replace("aa", "a", "b"), strrev("ab"), substr("abc", 1, 1), title("a b")]`:                                               `["12","bb","ba","b","A B"]`,
		`[trim("-a-", "-"), trimprefix("ab", "a"), trimsuffix("ab", "b"), trimspace(" a ")]`:                                                               `["a","b","a","a"]`,
		`[startswith("abc", "ab"), startswith("abc", "b"), endswith("abc", "bc"), endswith("abc", "b")]`:                                                   `[true,false,true,false]`,
		`[formatlist("%s!", ["a"]), regexall("[a-z]", "a1b"), split(",", "a,b"), chunklist([1, 2, 3], 2)]`:                                                 `[["a!"],["a","b"],["a","b"],[[1,2],[3]]]`,
		`[coalesce(null, "a"), coalescelist([], ["a"]), compact(["", "a"]), concat([1], [2]), contains(["a"], "a")]`:                                       `["a",["a"],["a"],[1,2],true]`,
		`[distinct([1, 1]), element([1, 2], 3), flatten([[1], [2]]), keys({ a = 1 }), length([1]), values({ a = 1 })]`:                                     `[[1],2,[1,2],["a"],1,[1]]`,
		`[lookup({ a = 1 }, "b", 2), merge({ a = 1 }, { b = 2 }), reverse([1, 2]), slice([1, 2, 3], 1, 2), sort(["b", "a"])]`:                              `[2,{"a":1,"b":2},[2,1],[2],["a","b"]]`,
		`[setintersection(["a"], ["a", "b"]), setproduct(["a"], ["b"]), setsubtract(["a", "b"], ["a"]), setunion(["a"], ["b"]), zipmap(["a"], [1])]`:       `[["a"],[["a","b"]],["b"],["a","b"],{"a":1}]`,
		`[csvdecode("a\n1"), jsondecode("[1]"), jsonencode({ a = 1 }), formatdate("YYYY", "2026-01-02T03:04:05Z"), timeadd("2026-01-02T03:04:05Z", "1h")]`: `[[{"a":"1"}],[1],"{\"a\":1}","2026","2026-01-02T04:04:05Z"]`,
		`[tobool("true"), tolist(toset(["a"])), tomap({ a = 1 }), tonumber("1"), toset(["a", "a"]), tostring(1)]`:                                          `[true,["a"],{"a":1},1,["a"],"1"]`,
		`[can(1 + "x"), try(1 + "x", "y"), can(env("NOT_SET")), try(file("none"), "no file")]`:                                                             `[false,"y",false,"no file"]`,
		`[range(3), range(1, 3), range(3, 1), range(0, 1, 0.5), range(3, 0, -2), range(0)]`:                                                                `[[0,1,2],[1,2],[3,2],[0,0.5],[3,1],[]]`,
		`length(range(2000))`: `2000`,
		`[duration("1.5h"), duration("-1"), bytes("2MiB"), bytes("10kB")]`: `[5400000,-1,2097152,10000]`,
	} {
		if got := described(t, "", "jsonencode("+expression+")", lang.Options{}); got != want {
			t.Errorf("%s is\n%s, want\n%s", expression, got, want)
		}
	}
}

// file reads what is in the topology's directory, and links do not lead out of it.
func TestFile(t *testing.T) {
	outside := directory(t, map[string]string{"passwords.txt": "hunter2"})
	dir := directory(t, map[string]string{
		"text.txt": "a text",
		"t.hcl":    "topology \"t\" {}\nqueue \"q\" {\n  description = file(\"text.txt\")\n  key = try(file(\"link.txt\"), file(\"" + outside + "/passwords.txt\"), \"refused\")\n}\n",
	})
	if err := os.Symlink(filepath.Join(outside, "passwords.txt"), filepath.Join(dir, "link.txt")); err != nil {
		t.Fatal(err)
	}
	loaded, diags := lang.Load(dir, lang.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if q := loaded.Topology.Resources[0]; q.Declared().Description != "a text" {
		t.Errorf("described as %q", q.Declared().Description)
	}
}

// A short text that asks for more than any memory or patience holds is refused.
func TestBoundedFunctions(t *testing.T) {
	for expression, want := range map[string]string{
		`format("%9999999999d", 1)`:                                           "more than 16777216 bytes of text",
		`format("%.9999999999f", 1)`:                                          "more than 16777216 bytes of text",
		`formatlist("%999999d", range(1000))`:                                 "more than 16777216 bytes of text",
		`indent(9999999999, "a\nb")`:                                          "more than 16777216 bytes of text",
		`indent(-5, "a\nb")`:                                                  `"indent" has no result`,
		`join(join("-", range(50000)), range(50000))`:                         "more than 16777216 bytes of text",
		`replace(join("", range(50000)), "1", join("", range(50000)))`:        "more than 16777216 bytes of text",
		`replace(join("", range(50000)), "/./", join("", range(50000)))`:      "more than 16777216 bytes of text",
		`setproduct(range(1000), range(1000))`:                                "more than 100000 elements",
		`setproduct(["a", "b"], range(10000), range(10000), range(10000))`:    "more than 100000 elements",
		`distinct(range(10000))`:                                              "more than 2000 elements to compare",
		`range(100001)`:                                                       "more than 100000 numbers",
		`jsondecode(join("", formatlist("[%s", [for i in range(600) : ""])))`: "more than 500 brackets",
		`log(0, 0)`: `"log" has no result`,
	} {
		_, diags := lang.Load(directory(t, map[string]string{"t.hcl": "topology \"t\" {}\nqueue \"q\" {\n  description = jsonencode(" + expression + ")\n}\n"}), lang.Options{})
		if len(diags) != 1 || !strings.Contains(diags[0].Detail, want) {
			t.Errorf("%s: %v, want %s", expression, diags, want)
		}
	}
}
