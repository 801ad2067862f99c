package planfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/queueform/queueform/plan"
)

// The reasons for which a plan file is refused.
var (
	ErrDamaged = errors.New("the plan file is damaged: it was cut or edited; make it again with queueform plan --out")
	ErrNewer   = errors.New("the plan file was written by a newer queueform: apply it with that version")
)

// Encode writes the document as JSON, sealed with a checksum against edits.
func Encode(w io.Writer, d *Document) error {
	seal, err := d.checksum()
	if err != nil {
		return err
	}
	sealed := *d
	sealed.Checksum = seal
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(&sealed)
}

// Decode reads what Encode wrote. It fails with [ErrDamaged] or [ErrNewer].
func Decode(r io.Reader) (*Document, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var version struct {
		FormatVersion int `json:"format_version"`
	}
	if json.Unmarshal(text, &version) == nil && version.FormatVersion > FormatVersion {
		return nil, ErrNewer
	}
	d := new(Document)
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(d); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	if seal, err := d.checksum(); err != nil || seal != d.Checksum || decoder.More() {
		return nil, ErrDamaged
	}
	return d, nil
}

// checksum is over the document's own text, itself left out.
func (d *Document) checksum() (string, error) {
	bare := *d
	bare.Checksum = ""
	text, err := json.Marshal(&bare)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// Plan is what the document's steps carry out.
func (d *Document) Plan() []plan.Step {
	steps := make([]plan.Step, len(d.Steps))
	for i, s := range d.Steps {
		steps[i] = s.Step
	}
	return steps
}
