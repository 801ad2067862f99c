//go:build unix && !linux

package brokers

import "syscall"

// dieWithParent is for Linux alone: elsewhere a process outlives us if we are killed.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
