package devcluster

import (
	"io"
	"net"
	"sync"
)

// doors are the listeners of the brokers, and the connections made through them.
type doors struct {
	mu   sync.Mutex
	open map[io.Closer]struct{}
	shut bool
}

func (d *doors) listen(network, address string) (net.Listener, error) {
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	d.keep(l)
	return &door{l, d}, nil
}

// close closes them all, for good.
func (d *doors) close() {
	d.mu.Lock()
	open := d.open
	d.open, d.shut = nil, true
	d.mu.Unlock()
	for c := range open {
		_ = c.Close() // who was on the other side learns it
	}
}

// keep says whether the doors are still open.
func (d *doors) keep(c io.Closer) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return false
	}
	if d.open == nil {
		d.open = map[io.Closer]struct{}{}
	}
	d.open[c] = struct{}{}
	return true
}

func (d *doors) forget(c io.Closer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, c)
}

type door struct {
	net.Listener
	doors *doors
}

func (d *door) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	guest := &guest{conn, d.doors}
	if !d.doors.keep(guest) {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	return guest, nil
}

type guest struct {
	net.Conn
	doors *doors
}

func (g *guest) Close() error {
	g.doors.forget(g)
	return g.Conn.Close()
}
