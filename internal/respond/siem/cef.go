package siem

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// cefHead escapes a field of a CEF header: pipes and backslashes. Line breaks
// would end the record, so they become spaces.
func cefHead(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`).Replace(flat(s, " "))
}

// cefValue escapes the value of an extension: backslashes, equal signs, line
// breaks.
func cefValue(s string) string {
	return strings.NewReplacer(`\`, `\\`, "=", `\=`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`).Replace(valid(s, maxValue))
}

const maxValue = 1023 // what CEF says of its longer fields

// valid makes a text valid UTF-8 without controls other than line breaks, cut at
// the border of a rune.
func valid(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?'
		case r != '\n' && r != '\r' && (r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029'):
			return ' '
		}
		return r
	}, s)
	if len(s) > most {
		s = s[:most]
		for len(s) > 0 && !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
	}
	return s
}

func flat(s, with string) string {
	return strings.NewReplacer("\r\n", with, "\n", with, "\r", with).Replace(valid(s, maxValue))
}

// cef writes an event in ArcSight's Common Event Format.
func cef(e *Event, version string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CEF:0|Xiezhi|Xiezhi|%s|%s|%s|%d|", cefHead(version), cefHead(e.Of+":"+e.Kind), cefHead(e.Name), []int{0, 2, 4, 6, 8, 10}[e.Severity])
	first := true
	add := func(key, value string) {
		if value == "" {
			return
		}
		if !first {
			b.WriteByte(' ')
		}
		first = false
		b.WriteString(key + "=" + cefValue(value))
	}
	add("externalId", e.UID)
	add("act", strings.ToLower(changeNames[e.Change]))
	add("start", strconv.FormatInt(e.First.UnixMilli(), 10))
	add("end", strconv.FormatInt(e.At.UnixMilli(), 10))
	add("rt", strconv.FormatInt(e.At.UnixMilli(), 10))
	add("cat", e.Of+"/"+e.Kind)
	add("cnt", strconv.FormatUint(e.Requests, 10))
	if len(e.IPs) > 0 {
		key := "src"
		if strings.Contains(e.IPs[0], ":") {
			key = "c6a2"
		}
		if add(key, e.IPs[0]); key == "c6a2" {
			add("c6a2Label", "Source IPv6 Address")
		}
	}
	if len(e.APIs) > 0 {
		add("dhost", e.APIs[0].Host)
		add("request", e.APIs[0].Template)
		add("requestMethod", e.APIs[0].Method)
	}
	add("outcome", e.Status)
	add("msg", e.Reason)
	custom := [][2]string{{"campaign", e.Campaign}, {"evidence", strings.Join(e.plainEvidence(), "; ")}, {"link", e.Link}, {"sites", strings.Join(e.Sites, ",")}, {"scenario", e.Scenario}, {"advice", e.Advice}}
	for i, c := range custom {
		if c[1] != "" {
			add(fmt.Sprintf("cs%d", i+1), c[1])
			add(fmt.Sprintf("cs%dLabel", i+1), c[0])
		}
	}
	for i, c := range []struct {
		name string
		n    uint64
	}{{"succeeded", e.Succeeded}, {"blocked", e.Blocked}, {"subjects_exposed", e.Exposed}} {
		add(fmt.Sprintf("cn%d", i+1), strconv.FormatUint(c.n, 10))
		add(fmt.Sprintf("cn%dLabel", i+1), c.name)
	}
	if e.Confidence > 0 {
		add("cfp1", strconv.FormatFloat(e.Confidence, 'f', 2, 64))
		add("cfp1Label", "confidence")
	}
	return b.String()
}

// syslog wraps a message as RFC 5424 has it: facility local0, the severity by
// the event's, and the message as UTF-8 in one line.
func syslog(e *Event, host, text string) string {
	severity := []int{6, 6, 5, 4, 3, 2}[e.Severity]
	return fmt.Sprintf("<%d>1 %s %s xiezhi - %s - \xef\xbb\xbf%s", 16*8+severity, e.At.UTC().Format("2006-01-02T15:04:05.000Z"), token(host, 255), token(e.Of, 32), flatLine(text))
}

// token writes a field of a syslog header: printable ASCII without spaces.
func token(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), most)]
}

func flatLine(s string) string { return strings.NewReplacer("\r", " ", "\n", " ").Replace(s) }
