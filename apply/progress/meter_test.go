package progress_test

import (
	"strings"
	"testing"
	"time"

	"github.com/queueform/queueform/apply/progress"
)

// A meter moves on a terminal alone, and says how fast where there was time to tell.
func TestMeter(t *testing.T) {
	for name, test := range map[string]struct {
		terminal bool
		took     time.Duration
		want     string
	}{
		"pipe":     {false, 2 * time.Second, "sent 3,000 messages, 2.0 MiB in 2s: 1,500 messages/s, 1.0 MiB/s\n"},
		"terminal": {true, 2 * time.Second, "\rsent 1 message, 1.0 MiB in 1s: 1 messages/s, 1.0 MiB/s\x1b[K\rsent 3,000 messages, 2.0 MiB in 2s: 1,500 messages/s, 1.0 MiB/s\x1b[K\n"},
		"short":    {false, time.Millisecond, "sent 3,000 messages, 2.0 MiB\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			m := progress.NewMeter("sent", &out, test.terminal, 80)
			m.Passed(1, 1<<20, time.Second)
			m.Passed(2, 1<<20, time.Second) // at once: nobody could read it
			m.End(3000, 2<<20, test.took)
			if out.String() != test.want {
				t.Errorf("%q, want %q", out.String(), test.want)
			}
		})
	}
}
