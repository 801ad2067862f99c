// Package proxy stands between a client and the brokers of a cluster, for tests
// of what a network may do to a request, or a kill to who has sent it.
//
// Learn [Proxy], [Rules] and [Fate]. It reads Kafka's frames: each request and
// each answer meets a rule before it is handed on, and what the brokers say of
// their addresses is replaced by its own, so that the client never gets past it.
// TLS is out of scope.
package proxy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Fate is what becomes of a request or an answer.
type Fate int

// The fates. After all but [Pass] the client hears nothing more on that connection.
const (
	Pass  Fate = iota // it is handed on
	Lose              // it is not, and the connection is closed in good order
	Reset             // it is not, and the connection is reset
	Cut               // half of it is handed on, and the connection is closed
	Hang              // it is not, and the connection stays open
)

// Request is one that a client has sent.
type Request struct {
	Key    int16        // of its kind, [kmsg.Key]
	Body   kmsg.Request // nil where the kind is not known
	answer kmsg.Response
}

// Rules decide. They are called from many goroutines, and may block; nil rules
// pass all.
type Rules struct {
	Request func(*Request) Fate // before the broker has it
	Answer  func(*Request) Fate // once the broker has answered it
}

// Proxy stands before all brokers of one cluster.
type Proxy struct {
	rules     Rules
	listeners []net.Listener
	addresses map[string]net.Addr // ours, by the broker's
	work      sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	clients map[net.Conn]struct{}
}

// Start listens on loopback, at one address for each broker. The caller must
// [Proxy.Close] it.
func Start(brokers []string, rules Rules) (*Proxy, error) {
	p := &Proxy{rules: rules, addresses: map[string]net.Addr{}, clients: map[net.Conn]struct{}{}}
	for _, broker := range brokers {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			p.Close()
			return nil, err
		}
		p.listeners = append(p.listeners, l)
		p.addresses[broker] = l.Addr()
	}
	for i, l := range p.listeners {
		p.work.Go(func() { p.listen(l, brokers[i]) })
	}
	return p, nil
}

// Bootstrap is the proxy's addresses, in the order of the brokers'.
func (p *Proxy) Bootstrap() []string {
	all := make([]string, len(p.listeners))
	for i, l := range p.listeners {
		all[i] = l.Addr().String()
	}
	return all
}

// Close ends all connections. When it returns, the brokers have answered all
// that was handed on to them.
func (p *Proxy) Close() {
	for _, l := range p.listeners {
		_ = l.Close()
	}
	p.mu.Lock()
	p.closed = true
	for c := range p.clients {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.work.Wait()
}

func (p *Proxy) listen(l net.Listener, broker string) {
	for {
		client, err := l.Accept()
		if err != nil {
			return // closed
		}
		if p.enter(client) {
			p.work.Go(func() { p.serve(client, broker) })
		}
	}
}

// enter notes a connection, unless the proxy is closed.
func (p *Proxy) enter(client net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = client.Close()
		return false
	}
	p.clients[client] = struct{}{}
	return true
}

func (p *Proxy) leave(client net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.clients, client)
	_ = client.Close()
}

// serve hands on what goes to and fro on one connection. A client that has
// gone is outlived until the broker has answered.
func (p *Proxy) serve(client net.Conn, broker string) {
	defer p.leave(client)
	upstream, err := net.Dial("tcp", broker)
	if err != nil {
		return
	}
	defer upstream.Close()
	sent := make(chan *Request, 1_000)
	var answers sync.WaitGroup
	answers.Go(func() { p.answers(client, upstream, sent) })
	p.requests(client, upstream, sent)
	close(sent)
	answers.Wait()
}

// requests hands on what the client sends.
func (p *Proxy) requests(client, upstream net.Conn, sent chan<- *Request) {
	for {
		frame, err := read(client)
		if err != nil {
			return
		}
		r := parse(frame)
		if fate := p.rules.request(r); fate != Pass {
			end(client, upstream, frame, fate)
			_, _ = io.Copy(io.Discard, client) // where it stays open, until the client has had enough
			return
		}
		sent <- r
		if _, err := upstream.Write(frame); err != nil {
			_ = client.Close()
			return
		}
	}
}

// answers hands on what the broker answers, which it does in order.
func (p *Proxy) answers(client, upstream net.Conn, sent <-chan *Request) {
	gone := false
	for r := range sent {
		frame, err := read(upstream)
		if err != nil {
			_ = client.Close()
			break
		}
		if gone {
			continue
		}
		if fate := p.rules.answer(r); fate != Pass {
			end(client, client, frame, fate)
			gone = true
		} else if _, err := client.Write(p.own(r, frame)); err != nil {
			gone = true
		}
	}
	for range sent { // the broker has gone
	}
}

func (r *Rules) request(q *Request) Fate {
	if r.Request == nil {
		return Pass
	}
	return r.Request(q)
}

func (r *Rules) answer(q *Request) Fate {
	if r.Answer == nil {
		return Pass
	}
	return r.Answer(q)
}

// end lets a connection end as fate has it. Of a frame that is cut half goes on.
func end(client, to net.Conn, frame []byte, fate Fate) {
	switch fate {
	case Hang:
		return
	case Cut:
		_, _ = to.Write(frame[:len(frame)/2])
	case Reset:
		if tcp, ok := client.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	case Pass, Lose:
	}
	_ = client.Close()
}

const (
	sizeBytes = 4
	mostBytes = 100 << 20
)

// read reads one frame, its size included.
func read(from io.Reader) ([]byte, error) {
	head := make([]byte, sizeBytes)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head)
	if size > mostBytes {
		return nil, fmt.Errorf("a frame of %d bytes", size)
	}
	frame := slices.Concat(head, make([]byte, size))
	_, err := io.ReadFull(from, frame[sizeBytes:])
	return frame, err
}

// parse reads a request: its head is a kind, a version, a number, the client's
// name and, in newer versions, tags.
func parse(frame []byte) *Request {
	r := &Request{Key: -1}
	const name = sizeBytes + 8 // where the length of the client's name is
	if len(frame) < name+2 {
		return r
	}
	r.Key = int16(binary.BigEndian.Uint16(frame[sizeBytes:]))
	body := kmsg.RequestForKey(r.Key)
	if body == nil {
		return r
	}
	body.SetVersion(int16(binary.BigEndian.Uint16(frame[sizeBytes+2:])))
	text := frame[name+2+max(0, int(int16(binary.BigEndian.Uint16(frame[name:])))):]
	if body.IsFlexible() {
		text = untagged(text)
	}
	if body.ReadFrom(text) == nil {
		r.Body, r.answer = body, body.ResponseKind()
	}
	return r
}

// untagged is what follows the tags, of which clients send none.
func untagged(text []byte) []byte { return text[min(1, len(text)):] }

// own is an answer with our addresses in place of the brokers'.
func (p *Proxy) own(r *Request, frame []byte) []byte {
	if r.answer == nil {
		return frame
	}
	head := sizeBytes + 4 // the number of the request
	if r.answer.IsFlexible() && r.Key != int16(kmsg.ApiVersions) {
		head++ // no tags
	}
	if err := p.readdress(r.answer, frame[head:]); err != nil {
		return frame
	}
	changed := r.answer.AppendTo(frame[:head:head])
	binary.BigEndian.PutUint32(changed, uint32(len(changed)-sizeBytes))
	return changed
}

// errSame says that an answer holds no addresses.
var errSame = errors.New("nothing to change")

// readdress replaces the addresses in an answer.
func (p *Proxy) readdress(answer kmsg.Response, text []byte) error {
	switch a := answer.(type) {
	case *kmsg.MetadataResponse:
		if err := a.ReadFrom(text); err != nil {
			return err
		}
		for i := range a.Brokers {
			a.Brokers[i].Host, a.Brokers[i].Port = p.address(a.Brokers[i].Host, a.Brokers[i].Port)
		}
	case *kmsg.FindCoordinatorResponse:
		if err := a.ReadFrom(text); err != nil {
			return err
		}
		a.Host, a.Port = p.address(a.Host, a.Port)
		for i := range a.Coordinators {
			a.Coordinators[i].Host, a.Coordinators[i].Port = p.address(a.Coordinators[i].Host, a.Coordinators[i].Port)
		}
	case *kmsg.DescribeClusterResponse:
		if err := a.ReadFrom(text); err != nil {
			return err
		}
		for i := range a.Brokers {
			a.Brokers[i].Host, a.Brokers[i].Port = p.address(a.Brokers[i].Host, a.Brokers[i].Port)
		}
	default:
		return errSame
	}
	return nil
}

// address is ours for a broker's.
func (p *Proxy) address(host string, port int32) (string, int32) {
	ours, ok := p.addresses[net.JoinHostPort(host, strconv.Itoa(int(port)))].(*net.TCPAddr)
	if !ok {
		return host, port
	}
	return ours.IP.String(), int32(ours.Port)
}
