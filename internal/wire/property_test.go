package wire

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// dialogue is what two ends say, in turns.
type dialogue struct {
	turns  []turn
	client string
}

type turn struct {
	from int
	text string
}

func genBody(t *rapid.T) string {
	n := rapid.SampledFrom([]int{0, 1, 2, 15, 16, 100, 1447, 1448, 1449, 5000}).Draw(t, "size")
	alphabet := rapid.SampledFrom([]string{"x", "\r\n", "0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "{\"a\":\"中\"}"}).Draw(t, "alphabet")
	return strings.Repeat(alphabet, n/len(alphabet)+1)[:n]
}

// genMessage writes a head with a framing and the body in it.
func genMessage(t *rapid.T, start string, body string, canClose bool) (text string, closes bool) {
	eol := rapid.SampledFrom([]string{"\r\n", "\r\n", "\n"}).Draw(t, "eol")
	var b strings.Builder
	b.WriteString(start + eol)
	for i := range rapid.IntRange(0, 5).Draw(t, "fields") {
		fmt.Fprintf(&b, "X-%d:%s%s%s", i, rapid.SampledFrom([]string{"", " ", "\t "}).Draw(t, "gap"),
			rapid.SampledFrom([]string{"v", "a b", "é", "", "x:y"}).Draw(t, "value"), eol)
	}
	framing := rapid.SampledFrom([]string{"length", "chunked", "close"}).Draw(t, "framing")
	if framing == "close" && !canClose {
		framing = "length"
	}
	switch framing {
	case "length":
		fmt.Fprintf(&b, "Content-Length: %d%s%s%s", len(body), eol, eol, body)
	case "close":
		b.WriteString(eol + body)
		closes = true
	case "chunked":
		b.WriteString("Transfer-Encoding: chunked" + eol + eol)
		for rest := body; len(rest) > 0; {
			n := min(len(rest), rapid.IntRange(1, 3000).Draw(t, "chunk"))
			fmt.Fprintf(&b, "%x%s\r\n%s\r\n", n, rapid.SampledFrom([]string{"", ";e", ";a=b"}).Draw(t, "ext"), rest[:n])
			rest = rest[n:]
		}
		b.WriteString("0\r\n")
		if rapid.Bool().Draw(t, "trailer") {
			b.WriteString("X-Sum: 1\r\n")
		}
		b.WriteString("\r\n")
	}
	return b.String(), closes
}

func genDialogue(t *rapid.T, i int) dialogue {
	d := dialogue{client: fmt.Sprintf("10.0.0.%d:%d", i+1, 40000+i)}
	for range rapid.IntRange(1, 4).Draw(t, "rounds") {
		piped := rapid.IntRange(1, 3).Draw(t, "piped")
		var ask, answer strings.Builder
		last := false
		for range piped {
			method := rapid.SampledFrom([]string{"GET", "POST", "HEAD", "PUT", "M-SEARCH"}).Draw(t, "method")
			start := fmt.Sprintf("%s /p/%d?q=%s HTTP/1.1\r\nHost: h%d.example", method, i, rapid.StringMatching(`[a-z0-9]{0,8}`).Draw(t, "q"), i)
			body := ""
			if method == "POST" || method == "PUT" {
				body = genBody(t)
			}
			text, _ := genMessage(t, start, body, false)
			ask.WriteString(text)
			if last {
				continue // its answer would come after the end
			}
			if rapid.IntRange(0, 4).Draw(t, "interim") == 0 {
				answer.WriteString("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
			}
			status := rapid.SampledFrom([]int{200, 200, 404, 204, 304, 500}).Draw(t, "status")
			start = fmt.Sprintf("HTTP/1.1 %d Some Reason", status)
			switch {
			case status == 204 || status == 304:
				answer.WriteString(start + "\r\nX-A: b\r\n\r\n")
			case method == "HEAD":
				answer.WriteString(start + "\r\nContent-Length: 77\r\n\r\n")
			default:
				text, closes := genMessage(t, start, genBody(t), true)
				answer.WriteString(text)
				last = closes
			}
		}
		d.turns = append(d.turns, turn{0, ask.String()}, turn{1, answer.String()})
		if last {
			break
		}
	}
	return d
}

// play puts a dialogue on the wire.
func (d dialogue) play(mss int) *talk {
	k := newTalk(d.client, "10.9.0.1:8080").open()
	for _, t := range d.turns {
		k.send(t.from, t.text, mss)
	}
	return k.close()
}

// read is the oracle: net/http over the two concatenated streams.
func (d dialogue) read(t *rapid.T) (want []string) {
	var side [2]bytes.Buffer
	for _, turn := range d.turns {
		side[turn.from].WriteString(turn.text)
	}
	asks, answers := bufio.NewReader(&side[0]), bufio.NewReader(&side[1])
	for {
		req, err := http.ReadRequest(asks)
		if errors.Is(err, io.EOF) {
			return want
		}
		if err != nil {
			t.Fatalf("oracle: %v", err)
		}
		reqBody, err := io.ReadAll(req.Body)
		if err != nil {
			t.Fatalf("oracle: %v", err)
		}
		status, respBody := 0, []byte(nil)
		for {
			resp, err := http.ReadResponse(answers, req)
			if err != nil {
				break
			}
			respBody, err = io.ReadAll(resp.Body)
			if e := resp.Body.Close(); err != nil || e != nil {
				t.Fatalf("oracle: %v %v", err, e)
			}
			if status = resp.StatusCode; status >= 200 {
				break
			}
		}
		want = append(want, fmt.Sprintf("%s %s %s %d %q %q", req.Method, req.RequestURI, req.Host, status, reqBody, respBody))
	}
}

func brief(g got) string {
	return fmt.Sprintf("%s %s %s %d %q %q", g.Method, g.Target, g.Host, g.Status, g.Req, g.Resp)
}

func mix(talks []*talk, t *rapid.T) []frame {
	var all []frame
	at := make([]int, len(talks))
	for {
		var ready []int
		for i, k := range talks {
			if at[i] < len(k.out) {
				ready = append(ready, i)
			}
		}
		if len(ready) == 0 {
			break
		}
		i := ready[0]
		if len(ready) > 1 {
			i = rapid.SampledFrom(ready).Draw(t, "turn")
		}
		for range 3 {
			if at[i] < len(talks[i].out) {
				f := talks[i].out[at[i]]
				f.ts = epoch + int64(len(all))*1000
				all = append(all, f)
				at[i]++
			}
		}
	}
	return all
}

func sorted(g []got) []got {
	slices.SortFunc(g, func(a, b got) int { return cmp.Compare(a.ID, b.ID) })
	return g
}

// TestSameExchanges: whatever the capture does to a conversation short of
// losing bytes, the exchanges are those that net/http reads from it.
func TestSameExchanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 3).Draw(t, "connections")
		var ds []dialogue
		for i := range n {
			ds = append(ds, genDialogue(t, i))
		}
		mss := rapid.SampledFrom([]int{1448, 1448, 536, 100, 7, 1}).Draw(t, "mss")
		total := 0
		for _, d := range ds {
			for _, turn := range d.turns {
				total += len(turn.text)
			}
		}
		if total > 20000 {
			mss = max(mss, 100)
		}
		var talks []*talk
		for _, d := range ds {
			talks = append(talks, d.play(mss))
		}
		frames := mix(talks, t)
		base, _ := decode(t, Config{}, LinkRaw, frames)

		have := map[string][]string{}
		for _, g := range base {
			have[g.Client] = append(have[g.Client], brief(g))
			if g.ReqCut != 0 || g.RespCut != 0 {
				t.Fatalf("cut: %+v", g)
			}
		}
		for _, d := range ds {
			if want := d.read(t); !slices.Equal(want, have[d.client]) {
				t.Fatalf("%s at mss %d\nwant %q\nhave %q\n%+v", d.client, mss, want, have[d.client], d.turns)
			}
		}

		// The handshakes stay in place: bytes before the first SYN would
		// belong to an earlier connection.
		var start int
		for i, f := range frames {
			if f.data[33]&flagSYN != 0 {
				start = i + 1
			}
		}
		bent := slices.Clone(frames)
		for range rapid.IntRange(0, 30).Draw(t, "duplicates") {
			i := rapid.IntRange(0, len(bent)-1).Draw(t, "which")
			j := min(len(bent), i+rapid.IntRange(1, 8).Draw(t, "later"))
			if i >= start || bent[i].data[33]&flagSYN == 0 {
				bent = slices.Insert(bent, j, bent[i])
			}
		}
		again, _ := decode(t, Config{}, LinkRaw, bent)
		if !slices.Equal(sorted(base), sorted(again)) {
			t.Fatalf("duplicated packets changed the exchanges\nwant %+v\nhave %+v", base, again)
		}
		start = 0
		for i, f := range bent {
			if f.data[33]&flagSYN != 0 {
				start = i + 1
			}
		}
		for range rapid.IntRange(0, 40).Draw(t, "swaps") {
			if start >= len(bent)-1 {
				break
			}
			i := rapid.IntRange(start, len(bent)-1).Draw(t, "i")
			j := min(len(bent)-1, i+rapid.IntRange(1, 6).Draw(t, "by"))
			bent[i], bent[j] = bent[j], bent[i]
		}
		moved, _ := decode(t, Config{}, LinkRaw, bent)
		if !slices.Equal(base, sorted(moved)) {
			t.Fatalf("reordered packets changed the exchanges\nwant %+v\nhave %+v", base, moved)
		}
	})
}

// TestEverySegmentation cuts one rich conversation at every byte boundary.
func TestEverySegmentation(t *testing.T) {
	ask := "POST /a HTTP/1.1\r\nHost: x\r\nX-Fold: a\r\n  b\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n" +
		"\r\nGET /b HTTP/1.1\nHost: x\n\n"
	answer := "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 404 Not Found\r\n\r\nuntil the end"
	want, _ := decode(t, Config{}, LinkRaw, plainTalk().open().ask(ask).answer(answer).close().out)
	if len(want) != 2 || want[0].Req != "abc" || want[0].Resp != "hello" || want[1].Status != 404 || want[1].Resp != "until the end" ||
		!strings.Contains(want[0].ReqHead, "X-Fold: a    b\n") {
		t.Fatalf("%+v", want)
	}
	check := func(k *talk) {
		t.Helper()
		have, _ := decode(t, Config{}, LinkRaw, k.close().out)
		if len(have) != 2 {
			t.Fatalf("%d exchanges", len(have))
		}
		for i := range have {
			have[i].ID, have[i].Start, have[i].End = want[i].ID, want[i].Start, want[i].End
			if have[i] != want[i] {
				t.Fatalf("want %+v\nhave %+v", want[i], have[i])
			}
		}
	}
	for i := 1; i < len(ask); i++ {
		check(plainTalk().open().ask(ask[:i]).ask(ask[i:]).answer(answer))
	}
	for i := 1; i < len(answer); i++ {
		check(plainTalk().open().ask(ask).answer(answer[:i]).answer(answer[i:]))
	}
	check(plainTalk().open().send(0, ask, 1).send(1, answer, 1))
}
