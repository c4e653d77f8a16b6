package accesslog

import (
	"bytes"

	"xiezhi/internal/exchange"
)

// maxColumns bounds the columns of a line that are looked at.
const maxColumns = 128

// column is what one column of a line means: a field, a request header or a
// response header.
type column struct {
	field  field
	header []byte // lower-case name, when field is fNone
	answer bool   // a response header
}

// What only W3C logs have; they share the fields' array.
const (
	fDate = field(iota) + fieldCount
	fTimeOfDay
	fTaken // milliseconds, or seconds with a point
	fHostHeader
	columnCount
)

// w3cName gives the meaning of a name in a #Fields directive: W3C's own, IIS's
// and CloudFront's.
func w3cName(name []byte) column {
	switch string(name) {
	case "date":
		return column{field: fDate}
	case "time":
		return column{field: fTimeOfDay}
	case "c-ip":
		return column{field: fClient}
	case "c-port":
		return column{field: fClientPort}
	case "cs-method":
		return column{field: fMethod}
	case "cs-uri-stem":
		return column{field: fURI}
	case "cs-uri-query":
		return column{field: fArgs}
	case "cs-uri", "x-request-uri":
		return column{field: fRequestURI}
	case "sc-status":
		return column{field: fStatus}
	case "sc-bytes", "bytes":
		return column{field: fBytes}
	case "time-taken":
		return column{field: fTaken}
	case "s-ip":
		return column{field: fServerAddr}
	case "s-port":
		return column{field: fServerPort}
	case "cs-version", "cs-protocol-version":
		return column{field: fProto}
	case "cs-protocol":
		return column{field: fScheme}
	case "cs-host":
		return column{field: fHost}
	case "x-host-header":
		return column{field: fHostHeader}
	case "x-forwarded-for":
		return column{field: fForwardedFor}
	case "sc-content-type":
		return column{field: fContentType}
	}
	answer := bytes.HasPrefix(name, []byte("sc("))
	if n := len(name); n > 4 && name[n-1] == ')' && (answer || bytes.HasPrefix(name, []byte("cs("))) {
		h := name[3 : n-1]
		if !answer {
			switch string(h) {
			case "user-agent":
				return column{field: fUserAgent}
			case "referer":
				return column{field: fReferer}
			case "host":
				return column{field: fHost}
			case "cookie":
				return column{field: fCookie}
			case "x-forwarded-for":
				return column{field: fForwardedFor}
			}
		}
		return column{header: append([]byte(nil), h...), answer: answer}
	}
	return column{}
}

// directive reads a line that begins with '#'. #Fields sets the columns of the
// lines after it, #Date the day of lines that have a time of day alone.
func (p *parser) directive(line []byte) string {
	name, rest, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return whyDirective // a comment
	}
	m := &p.memory
	switch {
	case exchange.EqualFold(name, "#date"):
		if w, _ := word(rest); len(w) == 10 {
			m.date = append(m.date[:0], w...)
		}
	case exchange.EqualFold(name, "#fields"):
		m.columns = m.columns[:0]
		for len(m.columns) < maxColumns {
			rest = bytes.TrimLeft(rest, " \t")
			if len(rest) == 0 {
				break
			}
			i := bytes.IndexAny(rest, " \t")
			if i < 0 {
				i = len(rest)
			}
			m.columns = append(m.columns, w3cName(bytes.ToLower(rest[:min(i, 64)])))
			rest = rest[i:]
		}
	}
	return whyDirective
}

// What IIS (its default since 8.5 and before, all fields, Azure's web apps) and
// CloudFront write unless told otherwise, for files whose directives were cut
// off.
var (
	iisColumns        = w3cNames("date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(user-agent) cs(referer) sc-status sc-substatus sc-win32-status time-taken")
	iisAllColumns     = w3cNames("date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs-version cs(user-agent) cs(cookie) cs(referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken")
	azureColumns      = w3cNames("date time s-sitename cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(user-agent) cs(cookie) cs(referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken")
	iis7Columns       = w3cNames("date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(user-agent) sc-status sc-substatus sc-win32-status time-taken")
	cloudFrontColumns = w3cNames("date time x-edge-location sc-bytes c-ip cs-method cs(host) cs-uri-stem sc-status cs(referer) cs(user-agent) cs-uri-query cs(cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end")
)

func w3cNames(names string) (c []column) {
	for _, n := range bytes.Fields([]byte(names)) {
		c = append(c, w3cName(n))
	}
	return c
}

// w3c parses a line of a W3C extended log: by the directive in force, else by
// the columns that IIS and CloudFront write by default.
func (p *parser) w3c(line []byte, x *exchange.Exchange) string {
	tabs := bytes.IndexByte(line[:min(len(line), 24)], '\t') >= 0
	if len(p.memory.columns) > 0 {
		if why := p.row(line, x, p.memory.columns, tabs, false); why != whyFormat {
			return why
		}
	}
	if len(line) < 32 || line[4] != '-' || line[7] != '-' {
		return whyFormat
	}
	if tabs {
		return p.row(line, x, cloudFrontColumns, true, true)
	}
	if line[10] != ' ' {
		return whyFormat
	}
	for _, columns := range [...][]column{iisColumns, iis7Columns, azureColumns, iisAllColumns} {
		if why := p.row(line, x, columns, false, true); why != whyFormat {
			return why
		}
		x.Request.Header, x.Response.Header = x.Request.Header[:0], x.Response.Header[:0]
	}
	return whyFormat
}

// row takes a line apart into columns. A guessed layout has to prove itself:
// method, path, status and address have to look like that, and columns beyond
// it may follow.
func (p *parser) row(line []byte, x *exchange.Exchange, columns []column, tabs, guessed bool) string {
	var v [columnCount][]byte
	p.fields = fields{}
	n := 0
	for rest, more := line, true; more && n < maxColumns; n++ {
		var w []byte
		if w, rest, more = cell(rest, tabs); len(w) == 0 {
			n--
			continue
		}
		if n >= len(columns) {
			continue
		}
		c := &columns[n]
		switch {
		case len(w) == 1 && w[0] == '-':
		case c.header != nil:
			h := &x.Request.Header
			if c.answer {
				h = &x.Response.Header
			}
			if len(*h) < maxHeaders {
				*h = append(*h, exchange.Field{Name: c.header, Value: p.headerText(w, tabs)})
			}
		case c.field == fUserAgent || c.field == fCookie || c.field == fReferer && tabs:
			v[c.field] = p.headerText(w, tabs)
		case v[c.field] == nil:
			v[c.field] = w
		}
	}
	switch {
	case n < len(columns) && (!guessed || !tabs || n < 12), !guessed && n > len(columns):
		return whyFormat
	case len(v[fMethod]) == 0 || len(v[fURI]) == 0 && len(v[fRequestURI]) == 0 || !isToken(v[fMethod]):
		return whyFormat
	case len(v[fStatus]) > 0 && len(v[fStatus]) != 3:
		return whyFormat // CloudFront's 000 for a client that went away is three digits too
	case guessed && (!isMethod(v[fMethod]) || len(v[fStatus]) != 3 || v[fURI][0] != '/' || !address(v[fClient]).IsValid()):
		return whyFormat
	}
	if p.fields[fHost] = v[fHostHeader]; v[fHostHeader] == nil {
		p.fields[fHost] = v[fHost]
	}
	copy(p.fields[:fHost], v[:fHost])
	copy(p.fields[fHost+1:], v[fHost+1:fieldCount])
	switch {
	case v[fTaken] == nil:
	case bytes.IndexByte(v[fTaken], '.') >= 0:
		p.fields[fElapsed] = v[fTaken]
	default:
		p.fields[fElapsedMs] = v[fTaken]
	}
	// Dates and times of W3C logs are in UTC.
	date := v[fDate]
	if date == nil {
		date = p.memory.date
	}
	if len(date) > 0 && v[fTimeOfDay] != nil {
		start := len(p.text)
		p.text = append(append(append(append(p.text, date...), 'T'), v[fTimeOfDay]...), 'Z')
		p.fields[fTimeISO] = p.text[start:len(p.text):len(p.text)]
	}
	if string(v[fServerPort]) == "443" {
		x.Secure = true
	}
	return p.fromFields(x)
}

// cell gives the next column. W3C quotes what holds spaces and doubles quotes
// inside.
func cell(s []byte, tabs bool) (w, rest []byte, more bool) {
	sep := byte(' ')
	if tabs {
		sep = '\t'
	}
	if len(s) > 0 && s[0] == '"' {
		for i := 1; i < len(s); i++ {
			if s[i] != '"' {
				continue
			}
			if i+1 < len(s) && s[i+1] == '"' {
				i++
				continue
			}
			if i+1 == len(s) {
				return s[1:i], nil, false
			}
			if s[i+1] == sep {
				return s[1:i], s[i+2:], true
			}
			break
		}
	}
	i := bytes.IndexByte(s, sep)
	if i < 0 {
		return s, nil, false
	}
	return s[:i], s[i+1:], true
}

// headerText undoes how header values are written: IIS puts + for a space,
// CloudFront percent-encodes, for some years twice.
func (p *parser) headerText(w []byte, percent bool) []byte {
	if !percent {
		if bytes.IndexByte(w, '+') < 0 {
			return w
		}
		start := len(p.text)
		for _, c := range w {
			if c == '+' {
				c = ' '
			}
			p.text = append(p.text, c)
		}
		return p.text[start:len(p.text):len(p.text)]
	}
	for range 2 {
		if bytes.IndexByte(w, '%') < 0 {
			break
		}
		start := len(p.text)
		for i := 0; i < len(w); i++ {
			if w[i] == '%' && i+2 < len(w) {
				hi, ok1 := hexDigit(w[i+1])
				lo, ok2 := hexDigit(w[i+2])
				if ok1 && ok2 {
					p.text = append(p.text, hi<<4|lo)
					i += 2
					continue
				}
			}
			p.text = append(p.text, w[i])
		}
		w = p.text[start:len(p.text):len(p.text)]
	}
	return w
}
