package filter

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// kind is what a node asks.
type kind uint8

const (
	isAnd kind = iota
	isOr
	isNot
	isProto      // the protocol by itself
	isHost       // an address or a network
	isPort       // one or a range
	isVLAN       // number in from, or any
	isLongEnough // len >= from
	isShortEnough
)

// node is a part of the expression.
type node struct {
	kind     kind
	a, b     *node
	q        qualifiers
	addr     netip.Prefix
	from, to uint32
	any      bool
	at       token
}

// tagged reports whether a vlan occurs in n.
func (n *node) tagged() bool {
	return n != nil && (n.kind == isVLAN || n.a.tagged() || n.b.tagged())
}

// qualifiers are the words in front of a value.
type qualifiers struct {
	proto string // "", ip, ip6, arp, rarp, tcp, udp, sctp
	dir   string // "", src, dst, both
	typ   string // "", host, net, port, portrange
}

type token struct {
	text string
	at   int // 0-based byte
}

// scan splits an expression into words and signs.
func scan(s string) ([]token, error) {
	var out []token
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '(' || c == ')':
			out = append(out, token{s[i : i+1], i})
			i++
		case c == '!' && (i+1 == len(s) || s[i+1] != '='):
			out = append(out, token{"not", i})
			i++
		case strings.HasPrefix(s[i:], "&&"):
			out = append(out, token{"and", i})
			i += 2
		case strings.HasPrefix(s[i:], "||"):
			out = append(out, token{"or", i})
			i += 2
		case wordByte(c):
			j := i
			for j < len(s) && wordByte(s[j]) {
				j++
			}
			out = append(out, token{s[i:j], i})
			i = j
		default:
			return nil, &Error{i + 1, s[i : i+1], "byte comparisons and this sign are not part of the filters known here"}
		}
	}
	return out, nil
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == ':' || c == '/' || c == '-' || c == '_' || c == '%'
}

type parser struct {
	toks  []token
	p     int
	depth int
	last  qualifiers // of the value before, for values without
	has   bool
}

func parse(s string) (*node, error) {
	if len(s) > maxExpression {
		return nil, &Error{maxExpression, s[:8], fmt.Sprintf("the filter has more than %d bytes", maxExpression)}
	}
	toks, err := scan(s)
	if err != nil || len(toks) == 0 {
		return nil, err
	}
	p := &parser{toks: toks}
	n, err := p.expression()
	if err != nil {
		return nil, err
	}
	if t, ok := p.peek(); ok {
		return nil, p.fail(t, "expected and, or, or the end")
	}
	return n, nil
}

func (p *parser) peek() (token, bool) {
	if p.p < len(p.toks) {
		return p.toks[p.p], true
	}
	return token{}, false
}

func (p *parser) is(words ...string) bool {
	t, ok := p.peek()
	if !ok {
		return false
	}
	for _, w := range words {
		if t.text == w {
			return true
		}
	}
	return false
}

func (p *parser) fail(t token, what string) error {
	if t.text == "" {
		return &Error{What: what}
	}
	return &Error{t.at + 1, t.text, what}
}

// expression is terms joined by and and or, which bind alike.
func (p *parser) expression() (*node, error) {
	if p.depth++; p.depth > maxDepth {
		t, _ := p.peek()
		return nil, p.fail(t, fmt.Sprintf("more than %d levels", maxDepth))
	}
	defer func() { p.depth-- }()
	left, err := p.term()
	for err == nil && p.is("and", "or") {
		k := isAnd
		if p.toks[p.p].text == "or" {
			k = isOr
		}
		p.p++
		var right *node
		if right, err = p.term(); err == nil {
			left = &node{kind: k, a: left, b: right}
		}
	}
	return left, err
}

func (p *parser) term() (*node, error) {
	t, ok := p.peek()
	switch {
	case !ok:
		return nil, p.fail(t, "something is missing")
	case t.text == "not":
		if p.depth++; p.depth > maxDepth {
			return nil, p.fail(t, fmt.Sprintf("more than %d levels", maxDepth))
		}
		defer func() { p.depth-- }()
		p.p++
		n, err := p.term()
		if err != nil {
			return nil, err
		}
		return &node{kind: isNot, a: n}, nil
	case t.text == "(":
		return p.group()
	}
	return p.primitive()
}

func (p *parser) group() (*node, error) {
	open := p.toks[p.p]
	p.p++
	n, err := p.expression()
	if err != nil {
		return nil, err
	}
	if !p.is(")") {
		t, ok := p.peek()
		if !ok {
			t = open
		}
		return nil, p.fail(t, "a parenthesis is not closed")
	}
	p.p++
	return n, nil
}

// primitive is qualifiers and a value, or a word that stands alone.
func (p *parser) primitive() (*node, error) {
	start := p.toks[p.p]
	var q qualifiers
	switch start.text {
	case "vlan":
		return p.vlan()
	case "less", "greater":
		return p.length()
	case "icmp", "icmp6":
		p.p++
		p.has = false
		return &node{kind: isProto, q: qualifiers{proto: start.text}, at: start}, nil
	case "ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp":
		q.proto = start.text
		p.p++
	}
	if p.is("src", "dst") {
		q.dir = p.toks[p.p].text
		p.p++
		if p.is("or", "and") && p.p+1 < len(p.toks) && p.toks[p.p+1].text == "dst" && q.dir == "src" {
			if p.toks[p.p].text == "and" {
				q.dir = "both"
			} else {
				q.dir = ""
			}
			p.p += 2
		}
	}
	if p.is("host", "net", "port", "portrange") {
		q.typ = p.toks[p.p].text
		p.p++
	}
	if q == (qualifiers{}) { // a value that shares the words before
		if !valueLike(start.text) {
			return nil, p.fail(start, "this word is not known here; known are host, net, port, portrange, src, dst, ip, ip6, arp, tcp, udp, sctp, icmp, icmp6, vlan, less, greater, and, or, not")
		}
		if p.has {
			q = p.last
		}
	} else if t, ok := p.peek(); q.proto != "" && q.dir == "" && q.typ == "" && (!ok || !valueLike(t.text) && t.text != "(") {
		p.has = false
		return &node{kind: isProto, q: q, at: start}, nil
	}
	p.last, p.has = q, true
	if p.is("(") {
		return p.group() // host (10.0.0.1 or 10.0.0.2)
	}
	return p.value(q, start)
}

// valueLike reports whether a word can be a value.
func valueLike(s string) bool {
	return s != "" && (s[0] >= '0' && s[0] <= '9' || strings.Contains(s, ":") || s == "http" || s == "https")
}

func (p *parser) value(q qualifiers, start token) (*node, error) {
	t, ok := p.peek()
	if !ok || t.text == ")" || t.text == "and" || t.text == "or" {
		return nil, p.fail(t, "a value is missing")
	}
	p.p++
	n := &node{q: q, at: start}
	switch q.typ {
	case "port", "portrange":
		switch q.proto {
		case "", "tcp", "udp", "sctp":
		default:
			return nil, p.fail(t, q.proto+" has no ports")
		}
		n.kind = isPort
		first, last, ranged := strings.Cut(t.text, "-")
		if ranged != (q.typ == "portrange") && ranged {
			return nil, p.fail(t, "a range of ports is written with portrange")
		}
		if !ranged {
			last = first
		}
		var ok1, ok2 bool
		n.from, ok1 = port(first)
		n.to, ok2 = port(last)
		if !ok1 || !ok2 {
			return nil, p.fail(t, "a port is a number up to 65535")
		}
		if n.from > n.to {
			n.from, n.to = n.to, n.from
		}
		return n, nil
	}
	switch q.proto {
	case "", "ip", "ip6", "arp", "rarp":
	default:
		return nil, p.fail(t, q.proto+" has no addresses; write "+q.proto+" and host")
	}
	n.kind = isHost
	mask := ""
	if q.typ == "net" && p.is("mask") {
		p.p++
		m, ok := p.peek()
		if !ok {
			return nil, p.fail(m, "a mask is missing")
		}
		p.p++
		mask = m.text
	}
	var what string
	if n.addr, what = address(t.text, mask, q.typ); what != "" {
		return nil, p.fail(t, what)
	}
	switch {
	case q.proto == "ip6" && n.addr.Addr().Is4(), q.proto != "" && q.proto != "ip6" && n.addr.Addr().Is6():
		return nil, p.fail(t, q.proto+" has no such addresses")
	}
	return n, nil
}

func port(s string) (uint32, bool) {
	switch s {
	case "http":
		return 80, true
	case "https":
		return 443, true
	}
	v, err := strconv.ParseUint(s, 10, 16)
	return uint32(v), err == nil
}

// address reads a host or a network; a network may leave out trailing parts.
func address(s, mask, typ string) (netip.Prefix, string) {
	text, bits, ranged := strings.Cut(s, "/")
	parts := strings.Count(text, ".") + 1
	full := text
	if !strings.Contains(text, ":") && typ == "net" && parts < 4 {
		full += strings.Repeat(".0", 4-parts)
	}
	a, err := netip.ParseAddr(full)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, "this is no address; names are not looked up"
	}
	n := a.BitLen()
	if a.Is4() && typ == "net" && parts < 4 {
		n = 8 * parts
	}
	switch {
	case mask != "":
		m, err := netip.ParseAddr(mask)
		if err != nil || !m.Is4() || !a.Is4() || ranged {
			return netip.Prefix{}, "a mask is written as 255.255.0.0 behind an IPv4 network"
		}
		v := be32(m.AsSlice())
		for n = 0; n < 32 && v>>(31-n)&1 != 0; n++ {
		}
		if n < 32 && v<<n != 0 {
			return netip.Prefix{}, "a mask with holes is not known here"
		}
	case ranged && typ == "host":
		return netip.Prefix{}, "a host has no mask; write net"
	case ranged:
		v, err := strconv.ParseUint(bits, 10, 8)
		if err != nil || int(v) > a.BitLen() {
			return netip.Prefix{}, "the length behind the slash does not fit"
		}
		n = int(v)
	}
	p := netip.PrefixFrom(a, n)
	if p.Masked().Addr() != a {
		return netip.Prefix{}, "bits are set behind the network's length"
	}
	return p, ""
}

func (p *parser) vlan() (*node, error) {
	n := &node{kind: isVLAN, any: true, at: p.toks[p.p]}
	p.p++
	p.has = false
	if t, ok := p.peek(); ok && t.text[0] >= '0' && t.text[0] <= '9' {
		v, err := strconv.ParseUint(t.text, 10, 16)
		if err != nil || v > 4095 {
			return nil, p.fail(t, "a VLAN is a number up to 4095")
		}
		n.from, n.any = uint32(v), false
		p.p++
	}
	return n, nil
}

func (p *parser) length() (*node, error) {
	n := &node{kind: isShortEnough, at: p.toks[p.p]}
	if n.at.text == "greater" {
		n.kind = isLongEnough
	}
	p.p++
	p.has = false
	t, ok := p.peek()
	if !ok {
		return nil, p.fail(t, "a length is missing")
	}
	v, err := strconv.ParseUint(t.text, 10, 32)
	if err != nil || v > math.MaxInt32 {
		return nil, p.fail(t, "a length is a number")
	}
	p.p++
	n.from = uint32(v)
	return n, nil
}
