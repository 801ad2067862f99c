package health

import (
	"maps"
	"slices"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// User is one who logs in.
type User struct {
	Address    schema.Addr        `json:"address"`
	Name       string             `json:"name"`
	Mechanisms []schema.Mechanism `json:"mechanisms"` // by which it can log in now; null: not known
	UsedBy     []schema.Addr      `json:"used_by"`    // the producers and groups that connect as it
}

// Quota is what one entity may use of one thing.
type Quota struct {
	Address  schema.Addr     `json:"address"`
	Entity   string          `json:"entity"`
	Key      schema.LimitKey `json:"key"`
	Limit    *float64        `json:"limit"`    // that holds now; null: none, or not known
	Known    bool            `json:"known"`    // whether it is
	Declared float64         `json:"declared"` // what the files say
}

func (c *checkup) access() {
	for u := range schema.All[*schema.User](c.topology) {
		d := User{Address: u.Addr, Name: u.Name, UsedBy: c.usedBy(u.Principal())}
		if seen := c.Snapshot.Users[u.Name]; seen.State != live.Unseen {
			d.Mechanisms = slices.AppendSeq([]schema.Mechanism{}, maps.Keys(seen.Value))
			slices.Sort(d.Mechanisms)
		}
		c.document.Users = append(c.document.Users, d)
	}
	for _, a := range c.topology.Allotments() {
		q := Quota{Address: a.By, Entity: a.Entity.String(), Key: a.Key, Declared: a.Value, Known: c.Snapshot.Quotas.State == live.Present}
		if value, set := c.Snapshot.Quotas.Value[a.Entity][a.Key]; set && q.Known {
			q.Limit = &value
		}
		c.document.Quotas = append(c.document.Quotas, q)
	}
}

// usedBy are the producers and groups of a principal.
func (c *checkup) usedBy(principal string) []schema.Addr {
	all := []schema.Addr{}
	for _, r := range c.topology.Resources {
		switch r := r.(type) {
		case *schema.Producer:
			if r.Principal == principal {
				all = append(all, r.Addr)
			}
		case *schema.Group:
			if r.Principal == principal {
				all = append(all, r.Addr)
			}
		}
	}
	return all
}
