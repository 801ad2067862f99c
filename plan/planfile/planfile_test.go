package planfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

var orders = schema.Addr{Kind: schema.KindQueue, Label: "orders"}

func at(line int) hcl.Range {
	return hcl.Range{Filename: "shop.hcl", Start: hcl.Pos{Line: line, Column: 3}}
}

// everyStep is a step of each kind, all fields set, for the changes of full.
func everyStep() []plan.Step {
	head := func(phase plan.Phase, change int) plan.Head {
		name := []string{"shop.<new>", "shop.orders", "shop.old", "shop.moved"}[change]
		return plan.Head{Phase: phase, Object: schema.ID{Kind: schema.KindQueue, Name: name}, Changes: []int{change}, Records: 7}
	}
	after := head(plan.PhaseMove, 1)
	after.After = []schema.ID{{Kind: schema.KindQueue, Name: "shop.other"}}
	right := schema.Binding{Principal: "User:a b", Host: "*", Permission: schema.Deny, Operation: schema.Read, Resource: schema.ACLResource{Type: schema.GroupResource, Name: "<g>", Pattern: schema.Literal}}
	return []plan.Step{
		&plan.CreateTopic{Head: head(plan.PhaseCreate, 0), Partitions: -1, Factor: -1, Assign: [][]int32{{1, 2}, {2, 3}}, Configs: map[string]string{"retention.ms": "5"}},
		&plan.AlterConfigs{Head: head(plan.PhaseConfigs, 1), Set: map[string]string{"a": "<1>"}, Reset: []string{"b", "c"}},
		&plan.AddPartitions{Head: head(plan.PhasePartitions, 1), Total: 9, Assign: [][]int32{{3}}},
		&plan.Reassign{Head: after, Moves: []plan.Move{{Partition: 1, From: []int32{1}, To: []int32{1, 2}}}},
		&plan.AlterConfigs{Head: head(plan.PhaseSettle, 1), Set: map[string]string{"min.insync.replicas": "2"}},
		&plan.AlterUser{Head: head(plan.PhaseUsers, 1), Set: []schema.Mechanism{schema.ScramSHA512}, Iterations: 8192, Remove: []schema.Mechanism{schema.ScramSHA256}},
		&plan.CreateACL{Head: head(plan.PhaseGrant, 1), Binding: right},
		&plan.DeleteACL{Head: head(plan.PhaseRevoke, 1), Binding: right},
		&plan.AlterQuota{Head: head(plan.PhaseGrant, 1), Entity: schema.Entity{User: schema.Named("a b"), ClientID: schema.DefaultName()}, Set: schema.Limits{schema.ProducerByteRate: 0.5}, Remove: []schema.LimitKey{schema.ConsumerByteRate}},
		&plan.SeedOffsets{Head: head(plan.PhaseGroups, 1), Seeds: []plan.Seeding{{Topic: "a", TopicID: live.TopicID{1}, Start: schema.Latest, Partitions: []int32{1}}, {Topic: "b", At: live.Progress{0: 7}}}},
		&plan.DeleteGroup{Head: head(plan.PhaseDelete, 1)},
		&plan.Release{Head: head(plan.PhaseDelete, 3)},
		&plan.DeleteTopic{Head: head(plan.PhaseDelete, 2), ID: live.TopicID{15: 1}},
	}
}

// full is a document with something in every list.
func full() *Document {
	shard := schema.Addr{Kind: schema.KindQueue, Label: "shard", Key: "e,u", Keyed: true}
	old := schema.Addr{Role: schema.RoleDelete, Kind: schema.KindQueue, Key: "shop.old", Keyed: true}
	moved := schema.Addr{Role: schema.RoleForget, Kind: schema.KindQueue, Key: "shop.moved", Keyed: true}
	queue := func(name string) schema.ID { return schema.ID{Kind: schema.KindQueue, Name: name} }
	p := &plan.Plan{
		Topology: &schema.Topology{Name: "shop", Cluster: &schema.Cluster{Name: "prod"}},
		Cluster:  live.Cluster{ID: "abc"},
		Target:   []schema.Addr{orders},
		Changes: []plan.Change{
			{Addr: shard, Object: queue("shop.<new>"), Action: plan.Create, Source: at(1), NeededBy: &orders, Fields: []plan.Field{
				{Path: "partitions", After: 2, Source: at(2)},
				{Path: "placement", After: [][]int32{{1, 2}, {2, 3}}, Source: at(3)},
				{Path: "config.retention.ms", After: "86400000", Spelling: "24h", Source: at(4)},
			}},
			{Addr: orders, Object: queue("shop.orders"), Action: plan.Update, Source: at(5), Check: plan.Check{Why: "not\npermitted"}, Fields: []plan.Field{
				{Path: "config.retention.ms", Before: "604800000", After: "86400000", Inherited: plan.After, Source: at(6)},
				{Path: "config.segment.ms", Before: "604800000", After: nil, Inherited: plan.Before, Source: at(6)},
				{Path: "placement", Before: [][]int32{{1}}, After: [][]int32{{2}}, Source: at(7)},
			}},
			{Addr: old, Object: queue("shop.old"), Action: plan.Delete, Source: at(8), Check: plan.Check{Passed: true}, Fields: []plan.Field{{Path: "partitions", Before: 3, Source: at(8)}}, Facts: []plan.Fact{
				{Path: "topic_id"}, {Path: "topic_id", Value: "AAAAAAAAAAAAAAAAAAAAAQ"}, {Path: "partitions", Value: 12_345_678}, {Path: "replicas", Value: [][]int32{{1, 2}, {}}},
			}},
			{Addr: moved, Object: queue("shop.moved"), Action: plan.Forget, Source: at(9)},
		},
		Steps:     everyStep(),
		Moving:    []plan.Moving{{Addr: orders, Object: queue("shop.orders"), Partition: 3, Adding: []int32{4}}, {Addr: orders, Object: queue("shop.orders"), Partition: 4}},
		Unseen:    []plan.Unseen{{Addr: shard, Object: queue("x"), Why: "not permitted", Needs: "Describe on Topic x", Source: at(9)}},
		Blocked:   []plan.Blocked{{Addr: orders, Object: queue("shop.orders"), Path: "placement", Why: "too few", Source: at(7)}},
		Throttled: []schema.ID{queue("shop.orders")},
		Unclaimed: []plan.Unclaimed{{Owner: "broker 1", Key: "leader.replication.throttled.rate", Value: "77"}},
		Claims:    []plan.Claim{{Object: queue("shop.orders"), Adopts: true}, {Object: queue("shop.<new>")}},
		Orphans:   []schema.ID{queue("shop.left")},
		Vanished:  []schema.ID{queue("shop.gone")},
		Released:  []schema.ID{{Kind: schema.KindACL, Name: "User:a Read topic:x literal *"}},
		HalfDone:  []schema.ID{queue("shop.<new>")},
	}
	d := New(p, []guard.Finding{
		{Code: "QF102", Severity: guard.Blocks, Change: 1, Addr: orders, Summary: "gone", Radius: guard.Radius{
			Messages: new(int64(5)), Bytes: new(int64(6)), Groups: []guard.Reader{{Group: "billing", Unread: 4}},
		}},
		{Code: "QF301", Severity: guard.Warns, Change: 1, Addr: orders, Summary: "fewer", Radius: guard.Radius{Groups: []guard.Reader{}}},
		{Code: "QF101", Severity: guard.Blocks, Change: 2, Addr: old, Summary: "deleted"},
	}, hcl.Diagnostics{
		{Severity: hcl.DiagError, Summary: "wrong", Detail: "Why.", Subject: new(at(5))},
		{Severity: hcl.DiagError, Summary: "of no place"},
		{Severity: hcl.DiagWarning, Summary: "no error"},
	}, "1.2.3")
	d.Bind(p.Topology)
	return d
}

// empty is a document with nothing in any list.
func empty() *Document {
	return New(&plan.Plan{Topology: &schema.Topology{Name: "shop"}}, nil, nil, "")
}

func encoded(t *testing.T, d *Document) string {
	t.Helper()
	var b strings.Builder
	if err := Encode(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRoundTrip(t *testing.T) {
	for name, d := range map[string]*Document{"full": full(), "empty": empty()} {
		text := encoded(t, d)
		got, err := Decode(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(d, got, cmpopts.IgnoreFields(Document{}, "Checksum")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if again := encoded(t, got); again != text {
			t.Errorf("%s, encoded again: %s", name, cmp.Diff(text, again))
		}
	}
}

func TestNew(t *testing.T) {
	d := full()
	if diff := cmp.Diff(Summary{Create: 1, Update: 1, Delete: 1, Forget: 1}, d.Summary); diff != "" || d.Summary.Changes() != 4 {
		t.Error(diff)
	}
	c := d.Changes[1]
	if diff := cmp.Diff([]string{"7d", "1d"}, []string{c.Fields[0].BeforeSpelling, c.Fields[0].Spelling}); diff != "" {
		t.Errorf("spelling: %s", diff)
	}
	if c.Hazards[0].Flag != "--allow QF102:queue.orders" || c.Hazards[1].Flag != "" || !c.Blocking() || d.Changes[0].Blocking() {
		t.Errorf("hazards: %+v", c.Hazards)
	}
	none := Radius{Groups: []Reader{}}
	if diff := cmp.Diff([]Radius{none, {}}, []Radius{c.Hazards[1].BlastRadius, d.Changes[2].Hazards[0].BlastRadius}); diff != "" {
		t.Errorf("none and unknown: %s", diff)
	}
	if got := d.Changes[0].Source.String(); got != "shop.hcl:1:3" {
		t.Error(got)
	}
	if d.Digest != (&schema.Topology{Name: "shop"}).Digest() || empty().Digest != "" {
		t.Errorf("digest: %q", d.Digest)
	}
	if d.Cluster != (Cluster{Name: "prod", ID: "abc"}) || d.Changes[0].Fields[2].Spelling != "24h" {
		t.Errorf("%+v", d)
	}
}

func TestDecodeRefuses(t *testing.T) {
	whole := encoded(t, full())
	for name, test := range map[string]struct {
		text string
		why  error
	}{
		"nothing":                   {"", ErrCut},
		"the half":                  {whole[:len(whole)/2], ErrCut},
		"all but the end":           {strings.TrimSuffix(whole, "}\n"), ErrCut},
		"a value edited":            {strings.Replace(whole, `"total": 9`, `"total": 90`, 1), ErrEdited},
		"a hazard edited":           {strings.Replace(whole, `"blocks"`, `"warns"`, 1), ErrEdited},
		"a number edited":           {strings.Replace(whole, `"before": 3`, `"before": 3.0`, 1), ErrEdited},
		"a field added":             {strings.Replace(whole, `"format_version"`, `"more": 1, "format_version"`, 1), ErrEdited},
		"a field added to a step":   {strings.Replace(whole, `"total": 9`, `"total": 9, "more": 1`, 1), ErrEdited},
		"a field twice":             {strings.Replace(whole, `"total": 9`, `"total": 9, "total": 9`, 1), ErrEdited},
		"a field taken out":         {strings.Replace(whole, `"queueform_version": "1.2.3",`, ``, 1), ErrEdited},
		"a list made null":          {strings.Replace(whole, `"hazards": []`, `"hazards": null`, 1), ErrEdited},
		"a kind nobody knows":       {strings.Replace(whole, `"kind": "reassign"`, `"kind": "explode"`, 1), ErrEdited},
		"a phase nobody knows":      {strings.Replace(whole, `"phase": "move"`, `"phase": "fly"`, 1), ErrEdited},
		"an id that is none":        {strings.Replace(whole, `"topic_id": "AAAA`, `"topic_id": "AAA`, 1), ErrEdited},
		"a step of nothing":         {edited(t, func(d *Document) { d.Steps[0].About().Changes = nil }), ErrEdited},
		"a step of another change":  {edited(t, func(d *Document) { d.Steps[0].About().Changes = []int{1} }), ErrEdited},
		"a step of no change":       {edited(t, func(d *Document) { d.Steps[0].About().Changes = []int{3} }), ErrEdited},
		"no checksum":               {without(t, whole, "checksum"), ErrEdited},
		"something after it":        {whole + "x", ErrEdited},
		"a bracket after it":        {whole + "}", ErrEdited},
		"a document after it":       {whole + whole, ErrEdited},
		"not a plan":                {"queue \"orders\" {}", ErrEdited},
		"another document":          {"[]", ErrEdited},
		"null":                      {"null", ErrEdited},
		"newer":                     {strings.Replace(whole, `"format_version": 1`, `"format_version": 2`, 1), ErrNewer},
		"newer, with what is new":   {`{"format_version": 2, "steps": [{"kind": "explode"}]}`, ErrNewer},
		"older than there ever was": {strings.Replace(whole, `"format_version": 1`, `"format_version": 0`, 1), ErrEdited},
	} {
		t.Run(name, func(t *testing.T) {
			if test.text == whole {
				t.Fatal("nothing was edited")
			}
			if d, err := Decode(strings.NewReader(test.text)); !errors.Is(err, test.why) || d != nil {
				t.Errorf("%v, not %v", err, test.why)
			}
		})
	}
}

// edited is a document that somebody changed and sealed again.
func edited(t *testing.T, edit func(*Document)) string {
	t.Helper()
	d := full()
	edit(d)
	return encoded(t, d)
}

// without is the document without one of its own fields.
func without(t *testing.T, text, name string) string {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatal(err)
	}
	delete(fields, name)
	left, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(left)
}

// White space may be changed by whatever carries the file.
func TestDecodeTakesOtherWhiteSpace(t *testing.T) {
	for _, text := range []string{
		strings.ReplaceAll(encoded(t, full()), "\n", "\r\n"),
		string(compact([]byte(encoded(t, full())))),
		encoded(t, full()) + "\n\n",
	} {
		if _, err := Decode(strings.NewReader(text)); err != nil {
			t.Error(err)
		}
	}
}

func TestDecodeReportsTheReader(t *testing.T) {
	broken := errors.New("disk")
	if _, err := Decode(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestEncodeReportsTheWriter(t *testing.T) {
	r, w := io.Pipe()
	broken := errors.New("disk")
	r.CloseWithError(broken)
	if err := Encode(w, full()); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// Only what may be unknown is null, and no list is.
func TestNoNulls(t *testing.T) {
	mayBeNull := []string{"before", "after", "value", "messages", "bytes", "groups"}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case nil:
			if !slices.Contains(mayBeNull, path[strings.LastIndex(path, ".")+1:]) {
				t.Errorf("%s is null", path)
			}
		case []any:
			for i, item := range v {
				walk(fmt.Sprintf("%s[%d]", path, i), item)
			}
		case map[string]any:
			for key, value := range v {
				walk(path+"."+key, value)
			}
		}
	}
	for _, d := range []*Document{full(), empty()} {
		var v any
		if err := json.Unmarshal([]byte(encoded(t, d)), &v); err != nil {
			t.Fatal(err)
		}
		walk("", v)
	}
}

// A kind of step that package plan has is named here, has a round trip above,
// and has its fields in the schema.
func TestEveryKindOfStepIsListed(t *testing.T) {
	var listed, tried []string
	for _, k := range stepKinds {
		listed = append(listed, reflect.TypeOf(k.make()).Elem().Name())
		if !k.is(k.make()) {
			t.Errorf("%s makes another kind", k.name)
		}
	}
	for _, s := range everyStep() {
		tried = append(tried, reflect.TypeOf(s).Elem().Name())
	}
	slices.Sort(listed)
	slices.Sort(tried)
	declared := declaredSteps(t)
	if diff := cmp.Diff(declared, listed); diff != "" {
		t.Errorf("listed: %s", diff)
	}
	if diff := cmp.Diff(declared, slices.Compact(tried)); diff != "" {
		t.Errorf("tried: %s", diff)
	}
}

// declaredSteps are the types of package plan that embed a Head, sorted.
func declaredSteps(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var names []string
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if fields, ok := spec.Type.(*ast.StructType); ok && slices.ContainsFunc(fields.Fields.List, embedsHead) {
				names = append(names, spec.Name.Name)
			}
			return true
		})
	}
	slices.Sort(names)
	return names
}

func embedsHead(f *ast.Field) bool {
	name, ok := f.Type.(*ast.Ident)
	return ok && len(f.Names) == 0 && name.Name == "Head"
}

// definition is the part of a JSON Schema that the document needs.
type definition struct {
	Type                 any
	Description          string
	Properties           map[string]*definition
	Required             []string
	AdditionalProperties *json.RawMessage
	Items                *definition
	OneOf                []*definition
	Const                any
	Enum                 []string
	Ref                  string                 `json:"$ref"`
	Defs                 map[string]*definition `json:"$defs"`
}

// schemaText is the JSON Schema (draft 2020-12) of the document.
func schemaText(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("plan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Every field of the document is in the schema, and the other way round.
func TestSchema(t *testing.T) {
	var root definition
	if err := json.Unmarshal(schemaText(t), &root); err != nil {
		t.Fatal(err)
	}
	s := &schemaTest{T: t, root: &root, used: map[string]bool{}}
	s.object("document", &root, reflect.TypeFor[Document]())
	for name := range root.Defs {
		if !s.used[name] {
			t.Errorf("$defs/%s is of no use", name)
		}
	}
}

type schemaTest struct {
	*testing.T
	root *definition
	used map[string]bool
}

// object compares a struct's JSON fields with an object's properties.
func (s *schemaTest) object(path string, d *definition, of reflect.Type) {
	if d.Type != "object" || d.Description == "" || d.AdditionalProperties == nil || string(*d.AdditionalProperties) != "false" {
		s.Errorf("%s is not a closed object with a description", path)
	}
	fields, required := map[string]reflect.Type{}, []string{}
	for f := range jsonFields(of) {
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = f.Type
		if option == "" {
			required = append(required, name)
		}
	}
	if of.Implements(reflect.TypeFor[plan.Step]()) || reflect.PointerTo(of).Implements(reflect.TypeFor[plan.Step]()) {
		fields["kind"] = reflect.TypeFor[string]()
		required = append(required, "kind")
	}
	names := slices.Sorted(maps.Keys(fields))
	if diff := cmp.Diff(names, slices.Sorted(maps.Keys(d.Properties))); diff != "" {
		s.Errorf("%s: %s", path, diff)
	}
	slices.Sort(required)
	slices.Sort(d.Required)
	if diff := cmp.Diff(required, d.Required, cmpopts.EquateEmpty()); diff != "" {
		s.Errorf("%s, required: %s", path, diff)
	}
	for _, name := range names {
		if p := d.Properties[name]; p != nil {
			if p.Description == "" {
				s.Errorf("%s.%s has no description", path, name)
			}
			s.value(path+"."+name, p, fields[name])
		}
	}
}

// jsonFields are a struct's own fields and those of the structs it embeds.
func jsonFields(of reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for f := range of.Fields() {
			if f.Anonymous && f.Tag.Get("json") == "" {
				for inner := range jsonFields(f.Type) {
					if !yield(inner) {
						return
					}
				}
			} else if !yield(f) {
				return
			}
		}
	}
}

// value compares what a field holds with what the schema lets it hold.
func (s *schemaTest) value(path string, d *definition, of reflect.Type) {
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if d.Ref != "" {
		name := strings.TrimPrefix(d.Ref, "#/$defs/")
		s.used[name] = true
		if d = s.root.Defs[name]; d == nil {
			s.Fatalf("%s: there is no %s", path, name)
		}
	}
	switch {
	case of == reflect.TypeFor[Step]():
		s.steps(path, d)
	case of == reflect.TypeFor[Value]():
		if len(d.OneOf) == 0 {
			s.Errorf("%s is any value of the plan: oneOf", path)
		}
	case of.Implements(reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()), of.Kind() == reflect.String:
		s.typed(path, d, "string")
	case of.Kind() == reflect.Struct:
		s.object(path, d, of)
	case of.Kind() == reflect.Slice:
		s.typed(path, d, "array")
		if d.Items == nil {
			s.Fatalf("%s has no items", path)
		}
		s.value(path+"[]", d.Items, of.Elem())
	case of.Kind() == reflect.Map:
		s.typed(path, d, "object")
	case of.Kind() == reflect.Bool:
		s.typed(path, d, "boolean")
	default:
		s.typed(path, d, "integer")
	}
}

func (s *schemaTest) typed(path string, d *definition, want string) {
	types, many := d.Type.([]any)
	if d.Const == nil && d.Type != want && !(many && slices.Contains(types, any(want))) {
		s.Errorf("%s is of type %v, not %s", path, d.Type, want)
	}
}

// steps compares the kinds of steps, each with its own object.
func (s *schemaTest) steps(path string, d *definition) {
	if len(d.OneOf) != len(stepKinds) {
		s.Errorf("%s: %d kinds of steps, not %d", path, len(d.OneOf), len(stepKinds))
	}
	for i, k := range stepKinds[:min(len(d.OneOf), len(stepKinds))] {
		name := strings.TrimPrefix(d.OneOf[i].Ref, "#/$defs/")
		s.used[name] = true
		kind := s.root.Defs[name]
		if name != k.name || kind == nil || kind.Properties["kind"] == nil || kind.Properties["kind"].Const != k.name {
			s.Errorf("%s: %s is not the kind %s", path, name, k.name)
			continue
		}
		s.object(k.name, kind, reflect.TypeOf(k.make()).Elem())
	}
}

// The words that fields may hold are those of the packages they come from.
func TestSchemaWords(t *testing.T) {
	var root definition
	if err := json.Unmarshal(schemaText(t), &root); err != nil {
		t.Fatal(err)
	}
	var phases []string
	for p := plan.PhaseUsers; p <= plan.PhaseSettle; p++ {
		phases = append(phases, p.String())
	}
	for _, k := range stepKinds {
		if diff := cmp.Diff(phases, root.Defs[k.name].Properties["phase"].Enum); diff != "" {
			t.Errorf("%s: %s", k.name, diff)
		}
	}
	change, hazard, field := root.Defs["change"], root.Defs["hazard"], root.Defs["field"]
	for name, test := range map[string]struct{ got, want []string }{
		"action":    {change.Properties["action"].Enum, []string{string(plan.Create), string(plan.Update), string(plan.Delete), string(plan.Forget)}},
		"kind":      {change.Properties["kind"].Enum, []string{string(schema.KindQueue), string(schema.KindUser), string(schema.KindGroup), string(schema.KindACL), string(schema.KindQuota)}},
		"severity":  {hazard.Properties["severity"].Enum, []string{string(guard.Blocks), string(guard.Warns)}},
		"inherited": {field.Properties["inherited"].Enum, []string{string(plan.Before), string(plan.After)}},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// BenchmarkDocument writes a plan of 10,000 creations down.
func BenchmarkDocument(b *testing.B) {
	topology, s := &schema.Topology{Name: "shop"}, &live.Snapshot{Topics: map[string]live.Seen[live.Topic]{}, Moves: live.Is(0)}
	for i := range 10_000 {
		q := &schema.Queue{
			Decl:  schema.Decl{Addr: schema.Addr{Kind: schema.KindQueue, Label: fmt.Sprintf("q%05d", i)}, Written: schema.Written{Source: at(1)}},
			Topic: fmt.Sprintf("shop.q%05d", i), Partitions: 6, ReplicationFactor: 3,
			Config: map[string]schema.Setting{"retention.ms": {Value: "5", Spelling: "5ms"}, "cleanup.policy": {Value: "compact"}},
		}
		topology.Resources = append(topology.Resources, q)
		s.Topics[q.Topic] = live.None[live.Topic]()
	}
	p, _ := plan.Build(topology, s, plan.Options{})
	same := &plan.Plan{Topology: topology}
	for name, f := range map[string]func() error{
		"new, no changes": func() error { New(same, nil, nil, ""); return nil },
		"new":             func() error { New(p, nil, nil, ""); return nil },
		"encode":          func() error { return Encode(io.Discard, New(p, nil, nil, "")) },
		"plan": func() error {
			d := New(p, nil, nil, "")
			d.Bind(topology)
			_, _, err := d.Plan(Now{Topology: topology, Snapshot: s})
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
