package observe

import "bytes"

// bodyKind tells what a body is, by its type and its first bytes.
func bodyKind(ct, body []byte) BodyKind {
	if len(body) == 0 {
		return BodyNone
	}
	var buf [64]byte
	t := lower(buf[:0], ct[:min(len(ct), 64)])
	if i := bytes.IndexByte(t, ';'); i >= 0 {
		t = t[:i]
	}
	t = trimSpace(t)
	head := trimSpace(body[:min(len(body), 64)])
	jsonLike := len(head) > 0 && (head[0] == '{' || head[0] == '[')
	has := func(s string) bool { return bytes.Contains(t, []byte(s)) }
	switch {
	case has("json"):
		return BodyJSON
	case has("multipart/"):
		return BodyMultipart
	case has("x-www-form-urlencoded"):
		if jsonLike {
			return BodyJSON
		}
		return BodyForm
	case has("html"):
		return BodyHTML
	case has("image/svg"):
		return BodyXML
	case has("image/"), has("audio/"), has("video/"), has("font/"):
		return BodyImage
	case has("javascript"), has("ecmascript"), has("text/css"):
		if len(body) < 1<<20 && jsonp(head) {
			return BodyJSON
		}
		return BodyScript
	case has("xml"):
		return BodyXML
	case has("pdf"), has("zip"), has("msword"), has("officedocument"), has("ms-excel"), has("ms-powerpoint"), has("rar"), has("x-tar"), has("gzip"):
		return BodyFile
	case has("text/"), len(t) == 0, has("octet-stream"), has("x-ndjson"):
		return sniff(head, body, jsonLike)
	}
	if jsonLike {
		return BodyJSON
	}
	return sniff(head, body, false)
}

func sniff(head, body []byte, jsonLike bool) BodyKind {
	switch {
	case jsonLike:
		return BodyJSON
	case bytes.HasPrefix(head, []byte("%PDF")), bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return BodyFile
	case len(head) > 0 && head[0] == '<':
		var buf [64]byte
		h := lower(buf[:0], head)
		if bytes.HasPrefix(h, []byte("<?xml")) || bytes.HasPrefix(h, []byte("<soap")) {
			return BodyXML
		}
		if bytes.HasPrefix(h, []byte("<!doctype html")) || bytes.HasPrefix(h, []byte("<html")) || bytes.HasPrefix(h, []byte("<head")) {
			return BodyHTML
		}
	}
	for _, c := range body[:min(len(body), 512)] {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != 0x1b && c != '\f' {
			return BodyBinary
		}
	}
	return BodyText
}

// jsonp reports whether a script is a call with one object or array.
func jsonp(head []byte) bool {
	i := bytes.IndexByte(head, '(')
	return i > 0 && i+1 < len(head) && (head[i+1] == '{' || head[i+1] == '[') && !bytes.ContainsAny(head[:i], " =;\n")
}
