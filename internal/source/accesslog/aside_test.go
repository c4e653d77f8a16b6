package accesslog

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
)

// asides takes exchanges, and what is none.
type asides struct {
	wants bool
	got   []string
}

func (a *asides) Accept(x *exchange.Exchange) error {
	a.got = append(a.got, fmt.Sprintf("%s %s %d", x.Method, x.Target, x.Aside))
	return nil
}

func (a *asides) Wants() bool { return a.wants }

func (a *asides) Witness(x *exchange.Exchange) error {
	a.got = append(a.got, fmt.Sprintf("aside %d %s %q %q %s %d %d %d", x.Aside, x.Method, x.Target, x.Host, x.Client.Addr(), x.Status, x.End/1e9, len(x.ID)))
	return nil
}

const asideLog = `192.0.2.1 - - [10/Oct/2022:13:55:36 +0000] "GET /a HTTP/1.1" 200 5 "-" "-"
192.0.2.2 - - [10/Oct/2022:13:55:37 +0000] "\x16\x03\x01 x" 400 5 "-" "-"
192.0.2.2 - - [10/Oct/2022:13:55:38 +0000] "lv|x" 400 5 "-" "-"
2022/10/10 13:55:39 [error] 7#7: *1 user "a" was not found in "/etc/pw", client: 192.0.2.3, server: _, request: "GET /in HTTP/1.1", host: "shop.example"
2022/10/10 13:55:40 [error] 7#7: *1 limiting requests, excess: 5.4 by zone "z", client: ::1, server: , request: "POST /x HTTP/1.1", host: "h"
2022/10/10 13:55:41 [error] 7#7: *1 user "a": password mismatch, client: 192.0.2.3, server: _, request: "GET / HTTP/1.1", host: "h"
2022/10/10 13:55:41 [error] 7#7: *1 open() "/x" failed (2: No such file or directory), client: 192.0.2.3, server: _, request: "GET /x HTTP/1.1", host: "h"
[Mon Oct 10 13:55:42.000001 2022] [auth_basic:error] [pid 1:tid 2] [client 192.0.2.4:61234] AH01617: user a: authentication failure for "/admin": Password Mismatch
2022-10-10 13:55:43.774649 [NOTICE] [12] [192.0.2.9:45164:HTTP2-41#_AdminVHost] [STDERR] [WebAdmin Console] Failed Login Attempt - username:a ip:6.6.6.6 ip:192.0.2.5 url:
2022/10/10 13:55:41 [error] 7#7: *1 limiting requests, excess: 5, client: nobody, server: _, request: "GET / HTTP/1.1"
`

func TestAsides(t *testing.T) {
	for _, wants := range []bool{false, true} {
		sink, ledger := &asides{wants: wants}, &source.Ledger{}
		s, err := New([]source.Input{{Name: "l", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(asideLog)), nil }}}, Config{})
		if err == nil {
			err = s.Run(context.Background(), sink, ledger)
		}
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"GET /a 0"}
		if wants {
			want = append(want,
				`aside 1  "\x16\x03\x01 x" "" 192.0.2.2 400 1665410137 32`,
				`aside 1  "lv|x" "" 192.0.2.2 400 1665410138 32`,
				`aside 2 GET "/in" "shop.example" 192.0.2.3 0 1665410139 32`,
				`aside 3 POST "/x" "h" ::1 0 1665410140 32`,
				`aside 2 GET "/" "h" 192.0.2.3 0 1665410141 32`,
				`aside 2  "/admin" "" 192.0.2.4 0 1665410142 32`,
				`aside 4  "" "" 192.0.2.5 0 1665410143 32`)
		}
		if got, w := strings.Join(sink.got, "\n"), strings.Join(want, "\n"); got != w {
			t.Errorf("wants %v:\n%s\nwant\n%s", wants, got, w)
		}
		// it is lost all the same
		if n := ledger.Totals(); n.Accepted != 1 || len(n.Dropped) == 0 {
			t.Errorf("%+v", n)
		}
	}
}
