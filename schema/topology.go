package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
)

// Topology is all that one directory of HCL files declares, evaluated: the unit of ownership.
type Topology struct {
	Name        string
	Description string
	Owner       string
	Labels      map[string]string
	Cluster     *Cluster   // the chosen one; nil where there is none, or several and none was chosen
	Clusters    []string   // the names of all blocks to choose from, sorted
	Resources   []Resource // sorted by address
	Removals    []Removal  // sorted by address
}

// Removal names an object by its Kafka name, to be deleted or to be let go: the
// role of its address says which.
type Removal struct {
	Decl
	Object ID
}

// All walks the resources of one type, in address order.
func All[T Resource](t *Topology) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, r := range t.Resources {
			if typed, ok := r.(T); ok && !yield(typed) {
				return
			}
		}
	}
}

// Find is the resource at an address; nil: none is declared there.
func (t *Topology) Find(a Addr) Resource {
	i, found := slices.BinarySearchFunc(t.Resources, a, func(r Resource, a Addr) int { return r.Declared().Addr.Compare(a) })
	if !found {
		return nil
	}
	return t.Resources[i]
}

// TopicOf is the topic of the queue at an address, external or not; empty:
// none is declared there.
func (t *Topology) TopicOf(a Addr) string {
	switch q := t.Find(a).(type) {
	case *Queue:
		return q.Topic
	case *ExternalQueue:
		return q.Topic
	}
	return ""
}

// Digest identifies what the topology asks of a cluster: its evaluated values,
// without secrets, source ranges, or how the cluster is reached.
func (t *Topology) Digest() string {
	sum := sha256.New()
	line(sum, "topology", t.Name)
	for _, r := range t.Resources {
		line(sum, fmt.Sprintf("%T", r), r)
	}
	for _, d := range t.Removals {
		line(sum, string(d.Addr.Role), d.Object)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

func line(w io.Writer, what string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("digest of %s: %v", what, err)) // nouns are plain values
	}
	fmt.Fprintf(w, "%s %s\n", what, text)
}
