package devcluster

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kfake"
)

// minutes listen to kfake for data that it could not write: it tells nobody
// else.
type minutes struct{ first atomic.Pointer[error] }

// Logf takes what kfake says.
func (m *minutes) Logf(level kfake.LogLevel, format string, args ...any) {
	if level > kfake.LogLevelWarn || !strings.HasPrefix(format, "persist ") && !strings.HasPrefix(format, "save ") {
		return
	}
	err := fmt.Errorf("the embedded cluster could not keep its data: "+format, args...)
	m.first.CompareAndSwap(nil, &err)
}

// trouble is the first data that was not written, nil if there is none.
func (m *minutes) trouble() error {
	if err := m.first.Load(); err != nil {
		return *err
	}
	return nil
}
