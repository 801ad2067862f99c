package lang

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

type userBlock struct {
	Label           string         `hcl:"name,label"`
	LabelRange      hcl.Range      `hcl:"name,label_range"`
	ForEach         *hcl.Attribute `hcl:"for_each,optional"`
	Name            *hcl.Attribute `hcl:"name,optional"`
	Mechanisms      *hcl.Attribute `hcl:"mechanisms,optional"`
	Iterations      *hcl.Attribute `hcl:"iterations,optional"`
	Password        *hcl.Attribute `hcl:"password,optional"`
	PasswordVersion *hcl.Attribute `hcl:"password_version,optional"`
	Description     *hcl.Attribute `hcl:"description,optional"`
	Labels          *hcl.Attribute `hcl:"labels,optional"`
	DefRange        hcl.Range      `hcl:",def_range"`
	Body            hcl.Body       `hcl:",body"`
}

func (b *userBlock) addr() schema.Addr { return schema.Addr{Kind: schema.KindUser, Label: b.Label} }

// open is what may be shown of the block: all but its password.
func (b *userBlock) open() []hcl.Range {
	return append(written(b.ForEach, b.Name, b.Mechanisms, b.Iterations, b.PasswordVersion, b.Description, b.Labels), b.LabelRange)
}

func (b *userBlock) attrs() map[string]hcl.Range {
	attrs := map[string]hcl.Range{"name": b.LabelRange}
	note(attrs, "name", b.Name)
	note(attrs, "mechanisms", b.Mechanisms)
	note(attrs, "iterations", b.Iterations)
	note(attrs, "password", b.Password)
	note(attrs, "password_version", b.PasswordVersion)
	return attrs
}

// users evaluates one block.
func (l *loader) users(b *userBlock, all []instance) []schema.Resource {
	attrs := b.attrs()
	return l.made(all, func(s *scope, i instance) schema.Resource {
		u := &schema.User{Decl: s.decl(i, b.DefRange, attrs, b.Description, b.Labels), Iterations: schema.DefaultIterations, PasswordVersion: 1}
		var named bool
		u.Name, named = s.labelled(b.Name, b.Label, b.LabelRange, s.loginName)
		u.Mechanisms = s.mechanisms(b.Mechanisms)
		if n, ok := s.whole(b.Iterations, schema.LeastIterations, schema.MostIterations); ok {
			u.Iterations = int(n)
		}
		u.Password = s.password(b.Password, b.DefRange)
		if n, ok := s.whole(b.PasswordVersion, 1, math.MaxInt32); ok {
			u.PasswordVersion = int(n)
		}
		s.mark(i)
		if !named {
			return nil
		}
		return u
	})
}

// loginName refuses besides what brokers keep and never let in: their SCRAM
// messages are of ASCII, though RFC 5802 allows for more.
func (s *scope) loginName(name string, at hcl.Range) {
	if strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) {
		s.refuse(at, "A name that cannot log in", "Where somebody logs in by SCRAM, Kafka takes names of ASCII characters alone. Write %s without others.", quoted(name))
		return
	}
	s.userName(name, at)
}

// userName refuses what is a principal, or no name at all.
func (s *scope) userName(name string, at hcl.Range) {
	if bare, ok := strings.CutPrefix(name, schema.UserPrincipal); ok {
		s.refuse(at, "A principal for a name", "A user's name has no type before it. Write %s.", quoted(bare))
		return
	}
	s.plain(name, at)
}

// mechanisms are those of SCRAM: users of others are not Kafka's to keep.
func (s *scope) mechanisms(a *hcl.Attribute) []schema.Mechanism {
	names, ok := s.words(a)
	if !ok {
		return []schema.Mechanism{schema.ScramSHA512}
	}
	known := spelt([]schema.Mechanism{schema.ScramSHA256, schema.ScramSHA512})
	var all []schema.Mechanism
	for i, name := range names {
		if !slices.Contains(known, name) {
			s.refuse(itemRange(a.Expr, i), "Not a SCRAM mechanism", "Kafka keeps users of %s, not of %s.%s", strings.Join(known, " and "), quoted(name), didYouMean(name, known))
		}
		all = append(all, schema.Mechanism(name))
	}
	if len(all) == 0 {
		s.refuse(a.Expr.Range(), "No mechanisms", "Without one the user could not log in. A user goes by a delete block.")
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// password is there, though its value may not be before it is needed.
func (s *scope) password(a *hcl.Attribute, block hcl.Range) schema.Secret {
	var secret schema.Secret
	if s.failing(func() { secret = s.secret(a) }) {
		return secret
	}
	if a != nil {
		block = a.Expr.Range()
	}
	if !secret.IsSet() {
		s.refuse(block, "No password", `A user logs in by one. Take it from the environment: password = env("CHECKOUT_PASSWORD").`)
		return secret
	}
	return schema.NewSecret(func() (string, error) {
		text, err := secret.Reveal()
		if err == nil && text == "" {
			err = fmt.Errorf("%s: the password is empty", diag.Place(block))
		}
		return text, err
	}).In(secret.Variable())
}
