package e2e_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What the ledger says is read here without queueform's help: by a consumer of
// another kind, and by rules written down a second time.

// lease is how long a claim lives after its last renewal.
const lease = 60 * time.Second

// entry is a record of the ledger.
type entry struct {
	offset  int64
	time    time.Time
	void    bool // its claim did not hold the lock that it takes
	Version int  `json:"queueform"`
	Kind    string
	Claim   string
	Seq     int
	Body    struct {
		Lock   string
		Holder struct {
			Topology string
			PID      int
		}
		Target  string
		Object  struct{ Kind, Name string }
		Topic   string // of an object the id, of a move the name
		Outcome string
	}
}

// claim is somebody's wish to have a lock.
type claim struct {
	id, lock, topology string
	pid, seq           int // the process, and the number of its last record
	until              time.Time
	works              []entry // what it did under the lock
}

// owned is what the ledger says of an object.
type owned struct {
	topology, id string
	half         bool
}

// records is the ledger from its first record to the last.
type records struct {
	*user
	all    []entry
	claims []*claim            // all that ever were
	queues map[string][]*claim // those alive, by lock
	owners map[string]owned
	moves  map[string]bool
}

// records reads the ledger of that name.
func (u *user) records(ledger string) *records {
	u.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(u.servers...), kgo.ConsumeTopics(ledger), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		u.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(u.Context(), ledger)
	if err != nil {
		u.Fatal(err)
	}
	end, _ := ends.Lookup(ledger, 0)
	r := &records{user: u, queues: map[string][]*claim{}, owners: map[string]owned{}, moves: map[string]bool{}}
	for next := int64(0); next < end.Offset; {
		fetches := client.PollFetches(u.Context())
		if err := fetches.Err(); err != nil {
			u.Fatal(err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			next = record.Offset + 1
			e := entry{offset: record.Offset, time: record.Timestamp}
			if err := json.Unmarshal(record.Value, &e); err != nil || e.Version != 1 {
				u.Fatalf("at offset %d: %s", e.offset, record.Value)
			}
			r.take(&e)
			r.all = append(r.all, e)
		})
	}
	return r
}

// take reads the next record.
func (r *records) take(e *entry) {
	for lock, queue := range r.queues {
		r.queues[lock] = slices.DeleteFunc(queue, func(c *claim) bool { return c.until.Before(e.time) })
	}
	mine := r.alive(e.Claim)
	if mine != nil {
		if e.Seq <= mine.seq {
			return // it has arrived twice
		}
		mine.seq = e.Seq
	}
	switch e.Kind {
	case "claim":
		c := &claim{seq: e.Seq, id: e.Claim, lock: e.Body.Lock, topology: e.Body.Holder.Topology, pid: e.Body.Holder.PID, until: e.time.Add(lease)}
		r.claims, r.queues[c.lock] = append(r.claims, c), append(r.queues[c.lock], c)
	case "renewal":
		if mine != nil {
			mine.until = e.time.Add(lease)
		}
	case "release":
		r.end(mine)
	case "break":
		r.end(r.alive(e.Body.Target))
	case "intent", "owned", "gone", "undone", "moving", "moved", "begun", "ended":
		if e.void = mine == nil || r.queues[mine.lock][0] != mine; !e.void {
			mine.works = append(mine.works, *e)
			r.work(mine, e)
		}
	}
}

func (r *records) alive(id string) *claim {
	for _, queue := range r.queues {
		if i := slices.IndexFunc(queue, func(c *claim) bool { return c.id == id }); i >= 0 {
			return queue[i]
		}
	}
	return nil
}

func (r *records) end(c *claim) {
	if c != nil {
		r.queues[c.lock] = slices.DeleteFunc(r.queues[c.lock], func(other *claim) bool { return c == other })
	}
}

// work is what a record says that its claim may say.
func (r *records) work(c *claim, e *entry) {
	name, topic := e.Body.Object.Name, e.Body.Topic
	if kind := e.Body.Object.Kind; kind != "queue" {
		name = kind + " " + name // which no topic is called
	}
	has, there := r.owners[name]
	another := topic != "" && has.id != "" && topic != has.id
	if there && has.topology != c.topology && !another && e.Body.Object.Name != "" {
		return // the first that speaks for an object has it
	}
	switch e.Kind {
	case "intent":
		r.owners[name] = owned{topology: c.topology, id: cmp.Or(topic, has.id), half: true}
	case "owned":
		r.owners[name] = owned{topology: c.topology, id: topic}
	case "gone":
		delete(r.owners, name)
	case "undone":
		if has.half = false; has.id != "" {
			r.owners[name] = has
		} else {
			delete(r.owners, name)
		}
	case "moving":
		r.moves[topic] = true
	case "moved":
		delete(r.moves, topic)
	}
}

// oneAtATime wants that all that was ever done under a lock was done by one
// claim after the other: their first and last records never interlace.
func (r *records) oneAtATime() {
	r.Helper()
	busy := map[string][]*claim{}
	for _, c := range r.claims {
		if len(c.works) > 0 {
			busy[c.lock] = append(busy[c.lock], c)
		}
	}
	for lock, claims := range busy {
		slices.SortFunc(claims, func(a, b *claim) int { return cmp.Compare(a.works[0].offset, b.works[0].offset) })
		for i, c := range claims[1:] {
			before := claims[i].works
			if last := before[len(before)-1]; last.offset > c.works[0].offset {
				r.Errorf("%s: the work of claim %s ends at %d, that of %s begins at %d", lock, claims[i].id, last.offset, c.id, c.works[0].offset)
			}
		}
	}
}

// novoid wants that nobody ever wrote anything without the lock for it.
func (r *records) novoid() {
	r.Helper()
	for _, e := range r.all {
		if e.void {
			r.Errorf("at offset %d: %s of claim %s is void", e.offset, e.Kind, e.Claim)
		}
	}
}

// unlocked wants that nobody has a lock, nor waits for one.
func (r *records) unlocked() {
	r.Helper()
	for lock, queue := range r.queues {
		for _, c := range queue {
			r.Errorf("%s is locked by claim %s", lock, c.id)
		}
	}
}

// atRest wants besides that no throttle nor half-done object is noted.
func (r *records) atRest() {
	r.Helper()
	r.unlocked()
	for topic := range r.moves {
		r.Errorf("a move of %s is noted", topic)
	}
	for name, o := range r.owners {
		if o.half {
			r.Errorf("%s is half-done", name)
		}
	}
}

// owns wants that the topology has these topics, as they live now, and no other.
func (r *records) owns(topology string, topics ...string) {
	r.Helper()
	lives, err := kadm.NewClient(r.client()).ListTopics(r.Context(), topics...)
	if err != nil {
		r.Fatal(err)
	}
	for name, o := range r.owners {
		if o.topology == topology && !strings.Contains(name, " ") && !slices.Contains(topics, name) {
			r.Errorf("%s has %s", topology, name)
		}
	}
	for _, name := range topics {
		id := lives[name].ID
		want := owned{topology: topology, id: base64.RawURLEncoding.EncodeToString(id[:])}
		if got := r.owners[name]; !lives.Has(name) || got != want {
			r.Errorf("%s is owned as %+v, want %+v", name, got, want)
		}
	}
}

// holds wants that the topology has these objects, each its kind and its name, and
// no other but topics.
func (r *records) holds(topology string, want ...string) {
	r.Helper()
	var got []string
	for name, o := range r.owners {
		if o.topology == topology && strings.Contains(name, " ") {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	if diff := gocmp.Diff(want, got); diff != "" {
		r.Errorf("%s has (-want +got):\n%s", topology, diff)
	}
}

// workers are the claims that applied something for the topology, in their order.
func (r *records) workers(topology string) []*claim {
	var all []*claim
	for _, c := range r.claims {
		if c.lock == "topology "+topology && len(c.works) > 0 {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *claim) int { return cmp.Compare(a.works[0].offset, b.works[0].offset) })
	return all
}

// outcome is how the apply of a claim ended; empty: nobody knows.
func (c *claim) outcome() string { return c.works[len(c.works)-1].Body.Outcome }

// String is the ledger for who looks into a failure.
func (r *records) String() string {
	var b strings.Builder
	for _, e := range r.all {
		fmt.Fprintf(&b, "%d %s %s %s %d %+v\n", e.offset, e.time.Format(time.StampMilli), e.Kind, e.Claim, e.Seq, e.Body)
	}
	return b.String()
}
