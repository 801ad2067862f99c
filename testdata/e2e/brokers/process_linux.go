package brokers

import "syscall"

// dieWithParent has the kernel kill a process when we end, however we end.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
