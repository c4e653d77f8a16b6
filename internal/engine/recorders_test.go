package engine_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
	livesource "xiezhi/internal/source/live"
)

// The session as tools record it that keep messages and no packets, and as the
// loopback interface shows it.

// messages calls f with each exchange of HAR lines as raw messages.
func messages(t *testing.T, harl []byte, f func(x *exchange.Exchange, request, response []byte)) {
	t.Helper()
	var d exchange.HARDecoder
	var x exchange.Exchange
	for line := range bytes.Lines(harl) {
		if err := d.Decode(bytes.TrimSpace(line), &x); err != nil {
			t.Fatal(err)
		}
		side := func(first string, m *exchange.Message) []byte {
			b := []byte(first + "\r\n")
			for _, h := range m.Header {
				b = fmt.Appendf(b, "%s: %s\r\n", h.Name, h.Value)
			}
			return append(append(b, "\r\n"...), m.Body...)
		}
		f(&x, side(fmt.Sprintf("%s %s HTTP/1.1", x.Method, x.Target), &x.Request), side(fmt.Sprintf("HTTP/1.1 %d %s", x.Status, x.Reason), &x.Response))
	}
}

// goreplayed writes the session as GoReplay does.
func goreplayed(t *testing.T, harl []byte) source.Input {
	var out bytes.Buffer
	n := 0
	messages(t, harl, func(x *exchange.Exchange, request, response []byte) {
		n++
		fmt.Fprintf(&out, "1 %040x %d 0\n%s\n🐵🙈🙉\n", n, x.Start, request)
		fmt.Fprintf(&out, "2 %040x %d %d\n%s\n🐵🙈🙉\n", n, x.End, x.End-x.Start, response)
	})
	return input("session.gor", out.Bytes())
}

// burped writes the session as Burp's "save items" does.
func burped(t *testing.T, harl []byte) source.Input {
	var out bytes.Buffer
	out.WriteString("<?xml version=\"1.0\"?>\n<items burpVersion=\"2024.1\" exportTime=\"Thu Nov 26 10:00:00 UTC 2026\">\n")
	messages(t, harl, func(x *exchange.Exchange, request, response []byte) {
		fmt.Fprintf(&out, "<item><time>%s</time><url><![CDATA[http://%s%s]]></url><host ip=\"127.0.0.1\">%[2]s</host><port>80</port><protocol>http</protocol>"+
			"<method>%[4]s</method><path><![CDATA[%[3]s]]></path><extension>null</extension><request base64=\"true\">%[5]s</request><status>%[6]d</status>"+
			"<responselength>%[7]d</responselength><mimetype>JSON</mimetype><response base64=\"true\">%[8]s</response><comment></comment></item>\n",
			time.Unix(0, x.Start).UTC().Format("Mon Jan 02 15:04:05 MST 2006"), x.Host, x.Target, x.Method,
			base64.StdEncoding.EncodeToString(request), x.Status, len(response), base64.StdEncoding.EncodeToString(response))
	})
	out.WriteString("</items>\n")
	return input("session.xml", out.Bytes())
}

// onLoopback plays the session once more and reads it from the loopback
// interface. It gives nil, and says why, where that is not permitted.
func onLoopback(t *testing.T) *report.Report {
	t.Helper()
	app := httptest.NewServer(shop())
	defer app.Close()
	_, port, err := net.SplitHostPort(app.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := livesource.Open(livesource.Config{Interface: "lo", Filter: "tcp port " + port, Now: time.Now})
	if err != nil {
		t.Logf("left out: packets of the loopback interface: %v", err)
		return nil
	}
	return live(t, []source.Source{s}, func() {
		time.Sleep(100 * time.Millisecond) // until packets are let in
		play(t, "http", app.Listener.Addr().String(), func(ip netip.Addr) http.RoundTripper { return from(ip) })
		time.Sleep(200 * time.Millisecond)
	})
}
