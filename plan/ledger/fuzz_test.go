package ledger

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzFold reads logs of which each line is a record. Whatever it is, two
// readers see the same, and what is kept of it can be kept in a checkpoint.
func FuzzFold(f *testing.F) {
	for _, r := range []Record{
		Claim{TopologyLock("shop"), holder("shop", "ann")},
		Renewal{true},
		Intent{Object: id("a")},
		Owned{Object: id("a")},
		Begun{Changes: Cut([]Change{{Name: "a"}})},
		Ended{Outcome: "done"},
		checkpointBegin{},
		checkpointPart{Of: 1},
		checkpointEnd{Of: 1, Parts: 1},
		Release{},
	} {
		text, err := encode(&Entry{Claim: "c", Seq: 2, Record: r})
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte("{\"queueform\":1,\"kind\":\"format\",\"body\":{}}\n" + `{"queueform":1,"kind":"claim","claim":"c","seq":1,"body":{"lock":"topology shop","holder":{"topology":"shop"}}}` + "\n" + string(text)))
		f.Add(append(text, "\n{\"queueform\":2}"...))
	}
	f.Fuzz(func(t *testing.T, log []byte) {
		one, two := read(log), read(log)
		if diff := cmp.Diff(one, two); diff != "" {
			t.Fatal(diff)
		}
		if one != nil && differ(one, join(split(one))) != "" {
			t.Fatal(differ(one, join(split(one))))
		}
	})
}

// read folds a log as far as it can be read.
func read(log []byte) *State {
	f := &fold{}
	for i, line := range bytes.Split(log, []byte("\n")) {
		e, err := decode(line, int64(i)*10_000)
		if is[*Newer](err) || f.take(int64(i), int64(i)*10_000, e) != "" {
			break
		}
	}
	return f.state
}
