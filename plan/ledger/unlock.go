package ledger

import (
	"context"
	"errors"
	"fmt"
)

// Unlock ends somebody's claim by its id. The next in the queue waits until the
// requests of that holder have ended, as after a lease that ran out. It is not
// an error if the claim has ended already.
func Unlock(ctx context.Context, t Topic, claim string, by Holder) error {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	l := newLog(t)
	begun, err := l.open(ctx)
	if err != nil || !begun || l.state.live(claim) == nil {
		return err
	}
	return l.put(ctx, Break{Target: claim, By: by}, func() bool { return l.state.live(claim) == nil })
}

// Damage is what is wrong with a ledger that [Rebuild] would begin anew. Its
// error is why that would not.
func Damage(ctx context.Context, t Topic) (*Damaged, error) {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	return newLog(t).damage(ctx)
}

func (l *log) damage(ctx context.Context) (*Damaged, error) {
	_, err := l.open(ctx)
	damaged, is := errors.AsType[*Damaged](err)
	switch {
	case is:
		return damaged, l.persist(ctx, func() error { return l.suits(ctx) })
	case err == nil:
		return nil, fmt.Errorf("the ledger %s is not damaged", l.Name)
	}
	return nil, err
}

// Rebuild begins a damaged ledger anew. All that it knew is gone: nothing is
// owned, nothing is locked, and who works still has lost the lock. A topic that
// is no ledger, or would lose it again, is left alone.
func Rebuild(ctx context.Context, t Topic) error {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	damaged := newLog(t)
	if _, err := damaged.damage(ctx); err != nil {
		return err
	}
	value, err := encode(&Entry{Record: Format{Ledger: newID(), Anew: true}})
	if err != nil {
		return err
	}
	offset, err := damaged.append(ctx, [][]byte{value})
	if err == nil {
		err = damaged.truncate(ctx, offset)
	}
	if err != nil {
		return fmt.Errorf("the ledger %s could not be rebuilt: %w", t.Name, err)
	}
	begun, err := newLog(t).open(ctx)
	if err == nil && !begun {
		err = errors.New("the ledger was emptied meanwhile")
	}
	return err
}
