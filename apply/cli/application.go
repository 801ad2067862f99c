package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/lang"
)

// application finds a producer or a group, of one of the kinds, by its address
// or, where no other has it, by its label alone.
func application(t *schema.Topology, name string, kinds ...schema.Kind) (schema.Resource, error) {
	var labelled []schema.Resource
	known := applications(t, kinds...)
	for _, r := range known {
		switch addr := r.Declared().Addr; name {
		case addr.String():
			return r, nil
		case unkinded(addr):
			labelled = append(labelled, r)
		}
	}
	switch len(labelled) {
	case 0:
		return nil, unknownApplication(t, name, known, kinds)
	case 1:
		return labelled[0], nil
	}
	return nil, fmt.Errorf("%s is more than one: say which of %s", name, addressList(labelled))
}

// openAs loads the topology, finds a producer or a group, and prepares the
// connection as its principal, where that is a user of these files.
func (a *app) openAs(ctx context.Context, name string, kind schema.Kind) (*session, schema.Resource, error) {
	s, err := a.newSession()
	if err != nil {
		return nil, nil, err
	}
	if s.topology, s.files, err = a.loaded(); err != nil {
		return nil, nil, err
	}
	r, err := application(s.topology, name, kind)
	if err != nil {
		return nil, nil, err
	}
	s.login = s.topology.UserOf(principal(r))
	if err := s.connect(ctx); err != nil {
		s.close()
		return nil, nil, err
	}
	return s, r, nil
}

// principal is who a producer or a group connects as.
func principal(r schema.Resource) string {
	switch r := r.(type) {
	case *schema.Producer:
		return r.Principal
	case *schema.Group:
		return r.Principal
	}
	return ""
}

// applications are the resources of the kinds, in address order.
func applications(t *schema.Topology, kinds ...schema.Kind) []schema.Resource {
	return slices.DeleteFunc(slices.Clone(t.Resources), func(r schema.Resource) bool {
		addr := r.Declared().Addr
		return addr.Role != "" || !slices.Contains(kinds, addr.Kind)
	})
}

// unkinded is an address by its label: orders["eu"].
func unkinded(addr schema.Addr) string {
	return strings.TrimPrefix(addr.String(), string(addr.Kind)+".")
}

func addressList(all []schema.Resource) string {
	texts := make([]string, len(all))
	for i, r := range all {
		texts[i] = r.Declared().Addr.String()
	}
	return strings.Join(texts, ", ")
}

func unknownApplication(t *schema.Topology, name string, known []schema.Resource, kinds []schema.Kind) error {
	if addr, err := schema.ParseAddr(name); err == nil && t.Find(addr) != nil {
		return fmt.Errorf("%s is not a %s", name, strings.Join(kindNames(kinds), " or a "))
	}
	var names []string
	for _, r := range known {
		addr := r.Declared().Addr
		names = append(names, addr.String(), unkinded(addr))
	}
	switch near := lang.Closest(name, names); {
	case near != "":
		return fmt.Errorf("there is no %s in %s: did you mean %s?", name, t.Name, near)
	case len(known) == 0:
		return fmt.Errorf("there is no %s in %s, which declares no %s", name, t.Name, strings.Join(kindNames(kinds), " and no "))
	}
	return fmt.Errorf("there is no %s in %s: there are %s", name, t.Name, addressList(known))
}

func kindNames(kinds []schema.Kind) []string {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = string(kind)
	}
	return names
}

// completeApplication offers the addresses of the kinds for the first argument.
func (a *app) completeApplication(kinds ...schema.Kind) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		loaded, _ := a.load()
		if len(args) > 0 || loaded.Topology == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, r := range applications(loaded.Topology, kinds...) {
			names = append(names, r.Declared().Addr.String())
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
