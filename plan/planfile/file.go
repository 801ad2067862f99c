package planfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// The reasons for which a plan file is refused.
var (
	ErrCut    = errors.New("the plan file is cut short: make it again with queueform plan --out")
	ErrEdited = errors.New("the plan file is not as queueform wrote it: make it again with queueform plan --out")
	ErrNewer  = errors.New("the plan file was written by a newer queueform: apply it with that version")
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

// Decode reads what Encode wrote, however its white space was changed since.
// It fails with [ErrCut], [ErrEdited] or [ErrNewer], and with the reader's own
// errors.
func Decode(r io.Reader) (*Document, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var version struct {
		FormatVersion int `json:"format_version"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	switch err := decoder.Decode(&version); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, ErrCut
	case err == nil && version.FormatVersion > FormatVersion:
		return nil, ErrNewer
	case err != nil:
		return nil, fmt.Errorf("%w (%w)", ErrEdited, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w (something stands after its end)", ErrEdited)
	}
	return unsealed(text)
}

// unsealed is the document that, encoded, is the text to the letter: its
// checksum too.
func unsealed(text []byte) (*Document, error) {
	d := new(Document)
	if err := json.Unmarshal(text, d); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrEdited, err)
	}
	var written bytes.Buffer
	if err := Encode(&written, d); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrEdited, err)
	}
	if !bytes.Equal(compact(text), compact(written.Bytes())) {
		return nil, ErrEdited
	}
	if !d.sound() {
		return nil, ErrEdited
	}
	return d, nil
}

// sound says whether each step is of an object that the changes are of.
func (d *Document) sound() bool {
	return !slices.ContainsFunc(d.Steps, func(s Step) bool {
		about := s.About()
		foreign := func(i int) bool { return i < 0 || i >= len(d.Changes) || d.Changes[i].id() != about.Object }
		return len(about.Changes) == 0 || slices.ContainsFunc(about.Changes, foreign)
	})
}

// compact is JSON text without white space.
func compact(text []byte) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		panic(fmt.Sprintf("planfile: text that was decoded is not JSON: %v", err))
	}
	return b.Bytes()
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
