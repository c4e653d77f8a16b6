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
	has := func(s string) bool { return bytes.Contains(t, []byte(s)) }
	switch {
	case has("json"):
		if len(head) > 0 && head[0] == '<' { // the error page of a gateway
			return sniff(head, body)
		}
		if has("grpc") || has("connect+") { // JSON in frames
			return BodyProtobuf
		}
		return BodyJSON
	case has("multipart/"):
		return BodyMultipart
	case has("x-www-form-urlencoded"):
		switch {
		case jsonHead(head):
			return BodyJSON
		case len(head) > 0 && head[0] == '<' && sniff(head, body) == BodyXML:
			return BodyXML
		}
		return BodyForm
	case has("html"):
		if jsonHead(head) { // many programs leave the type at its default
			return BodyJSON
		}
		return BodyHTML
	case has("msgpack"), has("messagepack"):
		return BodyMessagePack
	case has("grpc"), has("proto"):
		if jsonHead(head) {
			return BodyJSON
		}
		return BodyProtobuf
	case has("image/svg"):
		return BodyXML
	case has("image/"), has("audio/"), has("video/"), has("font/"):
		return BodyImage
	case has("javascript"), has("ecmascript"), has("text/css"):
		if len(body) < 1<<20 && (jsonp(head) || jsonHead(head)) {
			return BodyJSON
		}
		return BodyScript
	case has("pdf"), has("zip"), has("msword"), has("officedocument"), has("opendocument"), has("ms-excel"), has("ms-powerpoint"),
		has("rar"), has("x-tar"), has("gzip"), has("7z"), has("sqlite"), has("csv"), has("tab-separated"):
		return BodyFile
	case has("xml"):
		return BodyXML
	case has("text/"), len(t) == 0, has("octet-stream"), has("download"):
		return sniff(head, body)
	}
	if jsonHead(head) {
		return BodyJSON
	}
	return sniff(head, body)
}

// jsonHead reports whether a text begins as JSON does and hardly anything else.
func jsonHead(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF"))
	if len(head) == 0 {
		return false
	}
	rest := trimSpace(head[1:])
	switch head[0] {
	case '{':
		return len(rest) == 0 || rest[0] == '"' || rest[0] == '}'
	case '[':
		if len(rest) == 0 || rest[0] == '{' || rest[0] == '"' || rest[0] == '[' || rest[0] == ']' {
			return true
		}
		for i, c := range rest { // [1,2] and not [2024-01-02 10:11:12]
			if c-'0' > 9 && (i > 0 || c != '-') {
				return i > 0 && (c == ',' || c == ']' || c == '.')
			}
		}
		return true
	case ')', 'w', 'f':
		for _, p := range [...]string{")]}'", "while(1);", "for(;;);"} {
			if bytes.HasPrefix(head, []byte(p)) {
				return true
			}
		}
	}
	return false
}

// sniff tells the kind by the bytes alone. JSON that stands in no declared
// type may begin with any brace: what it cannot be read as is scanned as text.
func sniff(head, body []byte) BodyKind {
	switch {
	case jsonHead(head), len(head) > 0 && head[0] == '{':
		return BodyJSON
	case fileMagic(body) != FileNone:
		if fileMagic(body) == FileImage {
			return BodyImage
		}
		return BodyFile
	case len(head) > 0 && head[0] == '<':
		if k := sniffMarkup(head, body); k != BodyNone {
			return k
		}
	case jsonp(head) && callEnd(body):
		return BodyJSON
	}
	for _, c := range body[:min(len(body), 512)] {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != 0x1b && c != '\f' {
			return BodyBinary
		}
	}
	return BodyText
}

func sniffMarkup(head, body []byte) BodyKind {
	var buf [64]byte
	h := lower(buf[:0], head)
	for _, s := range [...]string{"<!doctype html", "<html", "<head", "<body", "<script", "<table", "<div"} {
		if bytes.HasPrefix(h, []byte(s)) {
			return BodyHTML
		}
	}
	if bytes.HasPrefix(h, []byte("<?xml")) || bytes.HasPrefix(h, []byte("<soap")) || bytes.Contains(h, []byte(":envelope")) {
		return BodyXML
	}
	// an element of any name, if the text ends with it
	n := 1
	for n < len(head) && (head[n] >= 0x80 || alphanumeric(head[n]) || head[n] == ':' || head[n] == '_' || head[n] == '-' || head[n] == '.') {
		n++
	}
	if n > 1 && n < len(head) {
		end := trimSpace(body[max(0, len(body)-80):])
		if bytes.HasSuffix(end, []byte(">")) && bytes.HasSuffix(trimSpace(end[:len(end)-1]), append([]byte("</"), head[1:n]...)) {
			return BodyXML
		}
	}
	return BodyNone
}

// jsonp reports whether a script is a call with one object or array.
func jsonp(head []byte) bool {
	head = bytes.TrimPrefix(bytes.TrimPrefix(head, []byte("/**/")), []byte(";"))
	i := bytes.IndexByte(head, '(')
	if i <= 0 || bytes.ContainsAny(head[:i], " =;\n{[<\"',") {
		return false
	}
	rest := trimSpace(head[i+1:])
	return len(rest) > 0 && (rest[0] == '{' || rest[0] == '[')
}

// callEnd reports whether a text ends as a call does.
func callEnd(body []byte) bool {
	end := trimSpace(body[max(0, len(body)-8):])
	end = trimSpace(bytes.TrimSuffix(end, []byte(";")))
	return bytes.HasSuffix(end, []byte(")"))
}
