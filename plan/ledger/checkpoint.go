package ledger

import (
	"context"
	"errors"
	"fmt"
)

// longestLog is how many records there may be before the log is cut off. A
// checkpoint has one for [objectsOfPart] objects.
const longestLog = 4_000

// Tidy makes a checkpoint and cuts the log off before it, where the log has
// grown long. Its error means that the log stays long, which hurts nobody now,
// unless it is a [*Lost].
func (h *Hold) Tidy(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.log.fold.records <= longestLog {
		return nil
	}
	begin, err := h.checkpoint(ctx)
	if err == nil {
		err = h.log.truncate(ctx, begin.offset)
	}
	switch {
	case is[*Lost](err):
		return err
	case err != nil:
		return fmt.Errorf("the ledger %s could not be shortened: %w", h.log.Name, err)
	}
	h.log.fold.records -= begin.records
	return nil
}

// checkpoint writes one, and returns where it begins. What is before may go,
// whatever becomes of the lock: the checkpoint is whole, and was read back.
func (h *Hold) checkpoint(ctx context.Context) (begins mark, err error) {
	if h.lost != nil {
		return mark{}, h.lost
	}
	begin := h.seq + 1
	h.log.fold.mark = mark{claim: h.claim, seq: begin}
	if err := h.write(ctx, checkpointBegin{}); err != nil {
		return mark{}, err
	}
	marked := h.log.fold.mark
	if marked.state == nil {
		return mark{}, errors.New("somebody else has just done so")
	}
	parts := split(marked.state)
	records := make([]Record, 0, len(parts)+1)
	for i := range parts {
		records = append(records, checkpointPart{Of: begin, Part: parts[i]})
	}
	records = append(records, checkpointEnd{Of: begin, Parts: len(parts)})
	if err := h.write(ctx, records...); err != nil {
		return mark{}, err
	}
	return marked, h.holds()
}
