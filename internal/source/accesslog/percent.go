package accesslog

import (
	"fmt"
	"strings"
)

// percentPieces takes apart the formats whose variables begin with a percent
// sign: Envoy's %NAME(ARGS)%, HAProxy's %ST and %[expression], Apache's %>s
// and %{NAME}i.
func percentPieces(text string) ([]piece, error) {
	switch {
	case isEnvoyFormat(text):
		return envoyPieces(text)
	case isHAProxyFormat(text):
		return haproxyPieces(text)
	}
	return apachePieces(text)
}

// apacheDirective reduces `LogFormat "…" nickname` to what is between the
// quotes, without its backslashes.
func apacheDirective(text string) string {
	if text == "" || text[0] != '"' {
		return text
	}
	var out strings.Builder
	for i := 1; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
			if text[i] == 't' {
				out.WriteByte('\t')
				continue
			}
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

// headerName spells a header as nginx's variables do.
func headerName(s string) string {
	return strings.ToLower(strings.ReplaceAll(s, "-", "_"))
}

func apachePieces(text string) ([]piece, error) {
	var out []piece
	for i := 0; i < len(text); {
		if text[i] != '%' {
			j := i
			for j < len(text) && text[j] != '%' {
				j++
			}
			out = append(out, piece{literal: text[i:j]})
			i = j
			continue
		}
		i++
		for i < len(text) && (text[i] == '>' || text[i] == '<' || text[i] == '!' || text[i] == ',' || text[i]-'0' <= 9) {
			i++
		}
		arg := ""
		if i < len(text) && text[i] == '{' {
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return nil, fmt.Errorf("log format: a brace is not closed at character %d", i+1)
			}
			arg = text[i+1 : i+end]
			i += end + 1
		}
		if i == len(text) {
			return nil, fmt.Errorf("log format: a percent sign without a letter at the end")
		}
		c := text[i]
		if i++; c == '^' && i+1 < len(text) { // %^FB, %^ti
			i += 2
		}
		name := "_"
		switch c {
		case '%':
			out = append(out, piece{literal: "%"})
			continue
		case 'h', 'a':
			if name = "remote_addr"; arg == "c" {
				name = "peer_address"
			}
		case 'A':
			name = "server_addr"
		case 'r':
			name = "request"
		case 's':
			name = "status"
		case 'b', 'B':
			name = "body_bytes_sent"
		case 'O':
			name = "bytes_sent"
		case 'm':
			name = "request_method"
		case 'U':
			name = "uri"
		case 'q':
			name = "args"
		case 'H':
			name = "server_protocol"
		case 'v', 'V':
			name = "server_name"
		case 'p':
			if name = "server_port"; arg == "remote" {
				name = "remote_port"
			}
		case 'D':
			name = "request_time_us"
		case 'T':
			switch arg {
			case "ms":
				name = "request_time_ms"
			case "us":
				name = "request_time_us"
			default:
				name = "request_time"
			}
		case 'i':
			name = "http_" + headerName(arg)
		case 'o':
			name = "sent_http_" + headerName(arg)
		case 't':
			if arg == "" {
				out = append(out, piece{literal: "["}, piece{name: "time_local"}, piece{literal: "]"})
				continue
			}
			if !strings.HasSuffix(arg, "_frac") {
				name = "time"
			}
		}
		out = append(out, piece{name: name})
	}
	return out, nil
}

// haproxyVariables gives the meaning of HAProxy's variables.
var haproxyVariables = map[string]string{
	"ci": "remote_addr", "cp": "remote_port", "fi": "server_addr", "fp": "server_port", "tr": "start_time", "t": "start_time", "T": "start_time", "Tl": "start_time", "Ts": "start_time",
	"ST": "status", "B": "bytes_sent", "r": "request", "HM": "request_method", "HU": "request_uri", "HP": "uri", "HPO": "uri", "HQ": "args", "HV": "server_protocol", "Ta": "duration_ms", "Tt": "duration_ms",
}

func isHAProxyFormat(text string) bool {
	for _, v := range [...]string{"%ci", "%ST", "%HM", "%tr", "%HU", "%HP", "%[", "%{+", "%Ta", "%Tt"} {
		if strings.Contains(text, v) {
			return true
		}
	}
	return false
}

func haproxyPieces(text string) ([]piece, error) {
	var out []piece
	allQuoted := false
	for i := 0; i < len(text); {
		c := text[i]
		if c == '\\' && i+1 < len(text) { // spaces of the old unquoted syntax
			out = append(out, piece{literal: text[i+1 : i+2]})
			i += 2
			continue
		}
		if c != '%' {
			out = append(out, piece{literal: text[i : i+1]})
			i++
			continue
		}
		if i++; i < len(text) && text[i] == '%' {
			out = append(out, piece{literal: "%"})
			i++
			continue
		}
		quoted := allQuoted
		flags := ""
		if i < len(text) && text[i] == '{' {
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return nil, fmt.Errorf("log format: a brace is not closed at character %d", i+1)
			}
			flags = text[i+1 : i+end]
			i += end + 1
			if strings.Contains(flags, "+Q") {
				quoted = true
			} else if strings.Contains(flags, "-Q") {
				quoted = false
			}
		}
		name := "_"
		if i < len(text) && text[i] == '[' {
			end := strings.IndexByte(text[i:], ']')
			if end < 0 {
				return nil, fmt.Errorf("log format: a bracket is not closed at character %d", i+1)
			}
			name = sampleName(text[i+1 : i+end])
			i += end + 1
		} else {
			j := i
			for j < len(text) && (text[j]|0x20)-'a' < 26 {
				j++
			}
			if j == i {
				return nil, fmt.Errorf("log format: no variable name at character %d", i+1)
			}
			v := text[i:j]
			i = j
			if v == "o" { // sets flags for all that follows, writes nothing
				allQuoted = quoted
				for i < len(text) && text[i] == ' ' {
					i++
				}
				continue
			}
			if known, ok := haproxyVariables[v]; ok {
				name = known
			}
		}
		if quoted {
			out = append(out, piece{literal: `"`}, piece{name: name}, piece{literal: `"`})
		} else {
			out = append(out, piece{name: name})
		}
	}
	return out, nil
}

// sampleName reads the header's name out of an expression such as
// req.hdr(host) or capture.req.hdr(0); a capture's number names nothing.
func sampleName(expr string) string {
	prefix := "http_"
	if strings.HasPrefix(expr, "res.") {
		prefix = "sent_http_"
	}
	i := strings.Index(expr, "hdr(")
	if i < 0 {
		return "_"
	}
	arg, _, ok := strings.Cut(expr[i+4:], ")")
	arg, _, _ = strings.Cut(arg, ",")
	if !ok || arg == "" || arg[0]-'0' <= 9 {
		return "_"
	}
	return prefix + headerName(arg)
}

func isEnvoyFormat(text string) bool {
	for _, v := range [...]string{"%START_TIME", "%REQ(", "%REQUEST_HEADER(", "%RESPONSE_CODE%", "%PROTOCOL%"} {
		if strings.Contains(text, v) {
			return true
		}
	}
	return false
}

// envoyOperators gives the meaning of Envoy's command operators.
var envoyOperators = map[string]string{
	"START_TIME": "start_time", "PROTOCOL": "server_protocol", "RESPONSE_CODE": "status", "BYTES_SENT": "bytes_sent", "DURATION": "duration_ms",
	"DOWNSTREAM_REMOTE_ADDRESS": "remote_addr", "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": "remote_addr", "DOWNSTREAM_REMOTE_PORT": "remote_port", "DOWNSTREAM_LOCAL_ADDRESS": "server_addr",
}

func envoyPieces(text string) ([]piece, error) {
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), `\n`)
	var out []piece
	for i := 0; i < len(text); {
		if text[i] != '%' {
			j := i
			for j < len(text) && text[j] != '%' {
				j++
			}
			out = append(out, piece{literal: text[i:j]})
			i = j
			continue
		}
		j := i + 1
		for j < len(text) && (text[j] == '_' || text[j]-'0' <= 9 || text[j]-'A' < 26) {
			j++
		}
		name, arg := text[i+1:j], ""
		if j < len(text) && text[j] == '(' {
			end := strings.IndexByte(text[j:], ')')
			if end < 0 {
				return nil, fmt.Errorf("log format: a bracket is not closed at character %d", j+1)
			}
			arg = text[j+1 : j+end]
			j += end + 1
		}
		end := strings.IndexByte(text[j:], '%')
		if end < 0 || name == "" {
			return nil, fmt.Errorf("log format: no operator at character %d", i+1)
		}
		i = j + end + 1
		id := "_"
		if known, ok := envoyOperators[name]; ok {
			id = known
		}
		main, other, _ := strings.Cut(strings.ToLower(arg), "?")
		switch name {
		case "REQ", "REQUEST_HEADER":
			switch {
			case main == ":method":
				id = "request_method"
			case main == ":path" || other == ":path":
				id = "request_uri"
			case main == ":authority":
				id = "http_host"
			case main == ":scheme":
				id = "scheme"
			default:
				id = "http_" + headerName(main)
			}
		case "RESP", "RESPONSE_HEADER":
			id = "sent_http_" + headerName(main)
		}
		out = append(out, piece{name: id})
	}
	return out, nil
}
