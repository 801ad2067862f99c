package lang_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queueform/queueform/schema/lang"
)

// Its own memory is a file that not even root reads from the start.
func TestUnreadableFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/proc/self/mem", filepath.Join(dir, "a.hcl")); err != nil {
		t.Fatal(err)
	}
	_, diags := lang.Load(dir, lang.Options{})
	if len(diags) != 1 || !strings.Contains(diags[0].Error(), "File cannot be read; "+dir+"/a.hcl: input/output error") {
		t.Errorf("%v", diags)
	}
}
