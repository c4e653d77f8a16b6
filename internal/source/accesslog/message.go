package accesslog

import "bytes"

// isMessage knows the lines that servers write about themselves: nginx's and
// Apache's error logs, LiteSpeed's, HAProxy's and whatever begins with a time
// and names a level.
func isMessage(line []byte) bool {
	head := line[:min(len(line), 160)]
	dated := false
	switch {
	case len(head) < 20:
		return false
	case head[0]-'0' <= 9 && head[1]-'0' <= 9:
		dated = head[4] == '-' || head[4] == '/' || head[2] == '-' || head[2] == '/' || head[2] == ':'
	case head[0] == '[':
		if _, ok := weekday(head[1:4]); ok || head[1]-'0' <= 9 && head[2]-'0' <= 9 {
			dated = true
		}
	case bytes.HasPrefix(head, []byte("time=")) || bytes.HasPrefix(head, []byte("ts=")) || bytes.HasPrefix(head, []byte("level=")):
		dated = true
	case endpoint(firstWord(head)).Port() != 0:
		dated = bytes.Contains(head, []byte(" ["))
	}
	if !dated {
		return false
	}
	for i := 0; i+4 <= len(head); i++ {
		if i > 0 && !wordEnd(head[i-1]) {
			continue
		}
		j := i
		for j < len(head) && (head[j]|0x20)-'a' <= 25 {
			j++
		}
		if j == len(head) || wordEnd(head[j]) {
			if isLevel(head[i:j]) {
				return true
			}
		}
	}
	return false
}

func firstWord(s []byte) []byte { w, _ := word(s); return w }

func wordEnd(c byte) bool {
	switch c {
	case ' ', '[', ']', '=', ':', '"', '|', '\t', '<', '>', '(', ')':
		return true
	}
	return false
}

func isLevel(s []byte) bool {
	if len(s) > 9 {
		return false
	}
	var b [9]byte
	for i, c := range s {
		b[i] = c | 0x20
	}
	switch string(b[:len(s)]) {
	case "emerg", "alert", "crit", "critical", "fatal", "severe", "error", "err", "warn", "warning", "notice", "info", "debug", "trace", "fine", "dbg", "inf", "wrn", "ftl", "trc", "panic":
		return true
	}
	return false
}

func weekday(s []byte) (int, bool) {
	for i, d := range [...]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} {
		if string(s) == d {
			return i, true
		}
	}
	return 0, false
}
