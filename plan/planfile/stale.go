package planfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/schema"
)

// The reasons for which a saved plan is not applied, beside differences of a
// single object.
var (
	ErrApplied = errors.New("the plan was applied already: there is nothing left to do")
	ErrFiles   = errors.New("the files or their variables have changed since the plan was made: plan again, or give the same --var and --var-file")
	errCluster = errors.New("the cluster has changed since the plan was made: plan again")
)

// Stale says why a saved plan cannot be applied, given what would be planned
// now; nil: it can. Both are bound. The error names what differs, then and now.
func (d *Document) Stale(now *Document) error {
	switch {
	case d.Cluster.ID != now.Cluster.ID:
		return fmt.Errorf("the plan was made for cluster %s, and this is %s", d.Cluster.ID, now.Cluster.ID)
	case d.Digest != now.Digest:
		return ErrFiles
	case len(d.Changes) > 0 && len(now.Changes)+len(now.Errors)+len(now.Unseen)+len(now.Blocked) == 0:
		return ErrApplied
	}
	if err := d.compare(now); err != nil {
		return fmt.Errorf("%w (%w)", errCluster, err)
	}
	if !same(d.Steps, now.Steps) {
		return errCluster
	}
	return nil
}

type changeKey struct {
	address schema.Addr
	action  plan.Action
}

// compare finds the first change that is not the same in both.
func (d *Document) compare(now *Document) error {
	others := make(map[changeKey]*Change, len(now.Changes))
	for i := range now.Changes {
		c := &now.Changes[i]
		others[changeKey{c.Address, c.Action}] = c
	}
	for i := range d.Changes {
		c := &d.Changes[i]
		key := changeKey{c.Address, c.Action}
		other := others[key]
		if other == nil {
			return fmt.Errorf("%s: there is no reason to %s it any more", c.Address, c.Action)
		}
		if err := c.compare(other); err != nil {
			return err
		}
		delete(others, key)
	}
	for key := range others {
		return fmt.Errorf("%s: there is a reason to %s it now", key.address, key.action)
	}
	return nil
}

// compare finds the first field that differs.
func (c *Change) compare(now *Change) error {
	for i, f := range c.Fields {
		if i >= len(now.Fields) || now.Fields[i].Path != f.Path {
			return fmt.Errorf("%s: there is no reason to change %s any more", c.Address, f.Path)
		}
		if other := now.Fields[i]; !same(f.Before, other.Before) {
			return fmt.Errorf("%s: %s was %v then and is %v now", c.Address, f.Path, f.Before, other.Before)
		}
	}
	if more := len(c.Fields); more < len(now.Fields) {
		return fmt.Errorf("%s: there is a reason to change %s now", c.Address, now.Fields[more].Path)
	}
	return nil
}

// same compares what may have been through JSON with what has not.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
