package lint

import (
	"strconv"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

// requestSize is a producer's setting: how large a batch it may send.
var requestSize = catalog.Key{Name: "max.request.size", Type: catalog.Int, Unit: catalog.Bytes}

// requestAboveMessage compares what both sides declare: either has a default of
// its own otherwise.
func requestAboveMessage(t *schema.Topology) []finding {
	var found []finding
	for p := range schema.All[*schema.Producer](t) {
		text, err := requestSize.Parse(p.Client[requestSize.Name].Value)
		if err != nil {
			continue
		}
		size, _ := strconv.ParseInt(text, 10, 64) // it was just spelt
		for _, addr := range p.Queues {
			q, ok := t.Find(addr).(*schema.Queue)
			if !ok {
				continue
			}
			if most, ok := number(q, messageBytes); ok && size > most {
				found = append(found, value(&p.Decl, "client."+requestSize.Name, "%s takes %s of %s: what is larger is refused when it is sent. Lower the one, or raise the other.",
					addr, messageBytes, spelt(q, messageBytes))...)
			}
		}
	}
	return found
}
