package lint

import (
	"strings"

	"github.com/queueform/queueform/schema"
)

// starredPrefix finds names of resources that are written like a pattern of the shell.
func starredPrefix(t *schema.Topology) []finding {
	var found []finding
	for a := range schema.All[*schema.ACL](t) {
		stem, starred := strings.CutSuffix(a.Resource.Name, "*")
		if a.Resource.Pattern != schema.Prefixed || !starred {
			continue
		}
		instead := "Write " + schema.Quote(stem) + "."
		if stem == "" {
			instead = `For all names, leave pattern out: "*" is literal then, and means them.`
		}
		found = append(found, value(&a.Decl, "resource."+string(a.Resource.Type), "the * is taken literally, and names that begin with %s are hardly meant. %s", schema.Quote(a.Resource.Name), instead)...)
	}
	return found
}

// unknownUsers finds principals that are users of nobody, where the topology
// declares its users. Distinguished names are those of certificates.
func unknownUsers(t *schema.Topology) []finding {
	declared := map[string]bool{}
	for u := range schema.All[*schema.User](t) {
		declared[u.Principal()] = true
	}
	var found []finding
	for _, r := range t.Resources {
		principal := principalOf(r)
		name, user := strings.CutPrefix(principal, schema.UserPrincipal)
		if len(declared) == 0 || !user || name == "*" || strings.Contains(name, "=") || declared[principal] {
			continue
		}
		found = append(found, value(r.Declared(), "principal", "no user block declares %s, and others are. Is it misspelt? If it is somebody else's to declare, all is well.", schema.Quote(name))...)
	}
	return found
}

func principalOf(r schema.Resource) string {
	switch r := r.(type) {
	case *schema.Producer:
		return r.Principal
	case *schema.Group:
		return r.Principal
	case *schema.ACL:
		return r.Principal
	}
	return ""
}
