package signature

import (
	"bytes"
	"strings"
)

// A stack trace is a defect only when the program itself let it out. The same
// text stands in documentation, in a user's question and in a ticket. So a
// trace inside JSON counts by the key it stands under, a trace in a page or a
// plain text by the status or by where it stands.

// plainHead is how far into a plain 2xx text a trace of the program's own may
// begin; prose that quotes one has an introduction.
const plainHead = 256

// errorKeys are JSON keys under which programs put their own messages.
var errorKeys = []string{"message", "msg", "error", "err", "errmsg", "errormsg", "errormessage", "error_message", "error_description", "exception", "exceptionmessage",
	"trace", "stack", "stacktrace", "stack_trace", "traceback", "detail", "details", "debug", "debuginfo", "cause", "reason", "info", "result", "data", "resultmsg", "retmsg",
	"errors", "innerexception", "developermessage", "devmessage", "log", "output", "errorinfo", "respmsg", "returnmsg", "rtnmsg", "desc", "sqlmessage", "sql", "file", "line", "code"}

// userKeys are JSON keys under which people write.
var userKeys = []string{"content", "comment", "comments", "text", "body", "title", "note", "remark", "post", "article", "answer", "question", "html", "markdown", "summary",
	"subject", "description", "reply", "review", "feedback", "keyword", "query", "q", "name", "nickname", "bio", "snippet", "excerpt", "example", "abstract"}

func genuine(r *Response, body []byte, at int) bool {
	failed := r.Status >= 400
	switch first := firstByte(body); {
	case first == '{' || first == '[':
		key := enclosingKey(body[:at])
		switch {
		case isKey(key, userKeys):
			return false
		case isKey(key, errorKeys):
			return true
		}
		return failed
	case first == '<':
		if failed {
			return r.Status >= 500 || !quoted(body)
		}
		return errorTitle(body) && !quoted(body)
	}
	return failed || at < plainHead
}

func firstByte(b []byte) byte {
	for _, c := range b[:min(len(b), 64)] {
		if c > ' ' && c < 0x80 {
			return c
		}
	}
	return 0
}

// keyReach is how far back the key of a long string value is looked for.
const keyReach = 32 << 10

// enclosingKey gives the JSON key whose string value the end of b stands in.
// An array of strings belongs to the array's key.
func enclosingKey(b []byte) []byte {
	low := max(0, len(b)-keyReach)
	i := len(b) - 1
	// The opening quote of the value: an unescaped quote after ':', '[' or ','.
	for ; i >= low; i-- {
		if b[i] != '"' || backslashes(b, i)%2 == 1 {
			continue
		}
		j := before(b, i)
		if j < 0 {
			return nil
		}
		switch b[j] {
		case ':':
			return keyBefore(b, j)
		case '[', ',', '{':
			// The first or a later element of an array, or a key itself.
			for k := j; k >= low; k-- {
				if b[k] == '[' {
					if c := before(b, k); c >= 0 && b[c] == ':' {
						return keyBefore(b, c)
					}
					return nil
				}
				if b[k] == '{' {
					return nil
				}
			}
			return nil
		}
	}
	return nil
}

func backslashes(b []byte, i int) (n int) {
	for i--; i >= 0 && b[i] == '\\'; i-- {
		n++
	}
	return n
}

// before gives the offset of the last byte before i that is not white space.
func before(b []byte, i int) int {
	for i--; i >= 0; i-- {
		if c := b[i]; c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return i
		}
	}
	return -1
}

// keyBefore gives the key that stands before the colon at i.
func keyBefore(b []byte, i int) []byte {
	end := before(b, i)
	if end < 0 || b[end] != '"' {
		return nil
	}
	start := bytes.LastIndexByte(b[max(0, end-64):end], '"')
	if start < 0 {
		return nil
	}
	return b[max(0, end-64)+start+1 : end]
}

func isKey(key []byte, keys []string) bool {
	for _, k := range keys {
		if len(k) == len(key) && equalFold(key, k) {
			return true
		}
	}
	return false
}

// errorTitle reports whether an HTML page calls itself an error.
func errorTitle(body []byte) bool {
	head := body[:min(len(body), 4<<10)]
	start := indexFold(head, "<title")
	if start < 0 {
		return false
	}
	end := indexFold(head[start:], "</title")
	if end < 0 {
		end = len(head) - start
	}
	title := head[start : start+end]
	for _, word := range [...]string{"error", "exception", "traceback", "whoops", "错误", "异常", "出错", "debug"} {
		if containsFold(title, word) {
			return true
		}
	}
	return false
}

// quoted reports whether a page shows its code as an example.
func quoted(body []byte) bool {
	head := body[:min(len(body), maxBody)]
	for _, mark := range [...]string{"<code", `class="highlight`, "language-", "<article", "hljs", "prettyprint", "<blockquote"} {
		if indexFold(head, mark) >= 0 {
			return true
		}
	}
	return false
}

func indexFold(b []byte, sub string) int {
	for i := 0; ; {
		// Both cases of the first byte; '<' and quotes have only one.
		j := bytes.IndexAny(b[i:], sub[:1]+strings.ToUpper(sub[:1]))
		if j < 0 || i+j+len(sub) > len(b) {
			return -1
		}
		i += j
		if equalFold(b[i:i+len(sub)], sub) {
			return i
		}
		i++
	}
}
