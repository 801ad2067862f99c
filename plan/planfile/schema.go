package planfile

import _ "embed"

// Schema is the JSON Schema (draft 2020-12) of the document.
//
//go:embed plan.schema.json
var Schema []byte
