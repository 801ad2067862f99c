package brokers

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

const (
	leasePattern = "queueform-kafka-*"
	leaseFile    = "lease"
)

// leaseDir makes a directory for a cluster's data, held by the returned open
// file, and removes those whose processes were killed before they could.
func leaseDir() (string, *os.File, error) {
	sweep()
	dir, err := os.MkdirTemp("", leasePattern)
	if err != nil {
		return "", nil, err
	}
	lease, err := os.Create(filepath.Join(dir, leaseFile))
	if err == nil {
		err = hold(lease)
	}
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return dir, lease, nil
}

func hold(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// sweep is best effort: what it cannot remove now, the next start will.
func sweep() {
	leases, _ := filepath.Glob(filepath.Join(os.TempDir(), leasePattern, leaseFile))
	for _, name := range leases {
		lease, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if hold(lease) == nil {
			_ = os.RemoveAll(filepath.Dir(name))
		}
		_ = lease.Close()
	}
}
