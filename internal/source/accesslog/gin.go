package accesslog

import (
	"bytes"

	"xiezhi/internal/exchange"
)

// gin parses the lines of Go's Gin framework, which leaves out the protocol:
//
//	[GIN] 2022/10/10 - 13:55:36 | 200 |  123.456µs |  192.0.2.1 | GET  "/path"
func (p *parser) gin(line []byte, x *exchange.Exchange) string {
	rest, ok := bytes.CutPrefix(line, []byte("[GIN] "))
	if !ok {
		if bytes.HasPrefix(line, []byte("[GIN-debug]")) {
			return whyMessage
		}
		return whyFormat
	}
	var cells [5][]byte
	for i := range cells {
		if cells[i], rest, ok = bytes.Cut(rest, []byte("|")); !ok && i < len(cells)-1 {
			return whyFormat
		}
		cells[i] = trimSpaces(cells[i])
	}
	day, hour, ok := bytes.Cut(cells[0], []byte(" - "))
	status, ok2 := digits(cells[1])
	method, target := word(cells[4])
	target = trimSpaces(target)
	if !ok || !ok2 || len(cells[1]) != 3 || !isToken(method) || len(target) < 3 || target[0] != '"' {
		return whyFormat
	}
	path, _, ok := quoted(target)
	if !ok || len(path) == 0 {
		return whyFormat
	}
	start := len(p.text)
	p.text = append(append(append(p.text, day...), ' '), hour...)
	ns, ok := p.clock.any(p.text[start:])
	if !ok {
		return whyTime
	}
	x.End, x.Status, x.Client = ns, status, address(cells[3])
	x.Method, x.Target = method, p.plain(path)
	p.settle(x, duration(cells[2], 1e9))
	return ""
}
