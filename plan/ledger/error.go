package ledger

import (
	"fmt"

	"github.com/queueform/queueform/plan/live"
)

// Locked says that somebody else holds the lock.
type Locked struct {
	By Held
}

func (l *Locked) Error() string {
	return fmt.Sprintf("%s is locked by %s since %s", l.By.Lock, l.By.Holder, live.Moment(l.By.Since))
}

// Lost says that a Hold has ended although nobody released it: nothing more may
// be sent under it. What was sent is for the next apply to find out.
type Lost struct {
	Lock Lock
	Why  string
	By   *Held // who holds it now; nil: nobody
}

func (l *Lost) Error() string {
	text := fmt.Sprintf("the lock of %s is lost: %s", l.Lock, l.Why)
	if l.By != nil {
		text += fmt.Sprintf("; %s has it now", l.By.Holder)
	}
	return text
}

// Damaged says that the log cannot be trusted: its beginning is missing, or
// something in it cannot be read. Nothing is applied until it is rebuilt.
type Damaged struct {
	Topic string
	Why   string
}

func (d *Damaged) Error() string { return fmt.Sprintf("the ledger %s is damaged: %s", d.Topic, d.Why) }

// Foreign says that the topic is no ledger: somebody's messages are at its
// beginning. It is not rebuilt, which would delete them.
type Foreign struct {
	Topic string
}

func (f *Foreign) Error() string {
	return fmt.Sprintf("the topic %s is no ledger, since queueform did not write its beginning: name another in the cluster block, or delete it if nobody needs it", f.Topic)
}

// Newer says that a newer queueform writes this ledger.
type Newer struct {
	Topic   string
	Version int
}

func (n *Newer) Error() string {
	return fmt.Sprintf("the ledger %s has format %d, and this queueform knows %d: use a newer one", n.Topic, n.Version, FormatVersion)
}

// Denied says which right is missing.
type Denied struct {
	Needs string // "Read on Topic __queueform"
	Err   error
}

func (d *Denied) Error() string { return "the ledger is out of reach: this needs " + d.Needs }

// Unwrap gives the *kerr.Error.
func (d *Denied) Unwrap() error { return d.Err }

// Unsuitable says that the topic is set up so that it would lose the ledger.
type Unsuitable struct {
	Topic, Key, Value, Want string
}

func (u *Unsuitable) Error() string {
	return fmt.Sprintf("the ledger %s has %s = %q, which must be %q: set it so, or name another topic in the cluster block", u.Topic, u.Key, u.Value, u.Want)
}
