package pcap

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// zeekRow is one line of Zeek's http.log. Zeek's rules that differ from ours
// are undone in zeekView.
type zeekRow struct {
	Port    string `json:"id.orig_p"`
	Method  string `json:"method"`
	Host    string `json:"host"`
	URI     string `json:"uri"`
	Status  string `json:"status_code"`
	ReqLen  string `json:"request_body_len"`
	RespLen string `json:"response_body_len"`
}

func (r zeekRow) String() string {
	return fmt.Sprintf("%s %s %s %q %s %s/%s", r.Port, r.Method, r.Host, r.URI, r.Status, r.ReqLen, r.RespLen)
}

// zeekView renders an exchange as Zeek would log it: the URI unescaped, "-"
// for what is absent, body lengths after content decoding.
func zeekView(x *taken) zeekRow {
	_, port, _ := strings.Cut(x.Client[strings.LastIndexByte(x.Client, ']')+1:], ":")
	v := zeekRow{Port: port, Method: x.Method, Host: x.Host, URI: x.Target, Status: strconv.Itoa(x.Status),
		ReqLen: strconv.Itoa(int(x.ReqSize)), RespLen: strconv.Itoa(zeekLength(x))}
	if u, err := url.PathUnescape(x.Target); err == nil {
		v.URI = u
	}
	v.URI = strings.ReplaceAll(v.URI, "\xfc", `\xfc`) // Zeek escapes bytes that are not UTF-8
	if strings.Contains(strings.ToLower(x.ReqHead), "content-type: multipart/") && !strings.HasSuffix(x.ReqBody, "\r\n") {
		// Zeek counts a line end behind a last part that has none.
		v.ReqLen = strconv.Itoa(int(x.ReqSize) + 2)
	}
	if v.Host == "" {
		v.Host = "-"
	}
	if v.URI == "" {
		v.URI = "(empty)"
	}
	return v
}

func zeekLength(x *taken) int {
	head := strings.ToLower(x.RespHead)
	var r io.Reader
	switch {
	case strings.Contains(head, "content-encoding: gzip"), strings.Contains(head, "content-encoding: x-gzip"):
		z, err := gzip.NewReader(strings.NewReader(x.RespBody))
		if err != nil {
			return int(x.RespSize)
		}
		r = z
	case strings.Contains(head, "content-encoding: deflate"):
		r = flate.NewReader(strings.NewReader(x.RespBody))
	default:
		return int(x.RespSize)
	}
	var out bytes.Buffer
	_, _ = io.Copy(&out, r)
	return out.Len()
}

// TestZeekTraces compares with Zeek where Zeek and tshark agree, and shows all
// three where they do not. Contested traces and why ours reads as it does:
// see testdata/contested.md.
func TestZeekTraces(t *testing.T) {
	dir := corpora(t, "zeek-http")
	type shark struct {
		Pcap   string
		NReq   int              `json:"n_req"`
		NResp  int              `json:"n_resp"`
		Req    [][]any          `json:"req"`
		Ignore *json.RawMessage `json:"h2"`
	}
	tshark := map[string]shark{}
	lines(t, filepath.Join(dir, "tshark.jsonl"), func(b []byte) {
		var r shark
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatal(err)
		}
		tshark["traces/"+r.Pcap] = r
	})
	type expectation struct {
		Pcap, Test string
		TX         []zeekRow
		Gold       bool
	}
	zeek := map[string]expectation{}
	gold, golden := 0, map[string]bool{}
	lines(t, filepath.Join(dir, "expect.jsonl"), func(b []byte) {
		var e expectation
		if err := json.Unmarshal(b, &e); err != nil {
			t.Fatal(err)
		}
		if !golden[e.Pcap] {
			zeek[e.Pcap] = e
		}
		golden[e.Pcap] = golden[e.Pcap] || e.Gold
		if !e.Gold {
			return
		}
		got, _, _ := run(t, Config{}, fileInput(filepath.Join(dir, e.Pcap)))
		var want, have []zeekRow
		for _, r := range e.TX {
			if r.Method == "-" {
				continue
			}
			if r.Status == "-" {
				r.Status = "0"
			}
			want = append(want, r)
			gold++
		}
		for i := range got {
			have = append(have, zeekView(&got[i]))
		}
		order := func(a, b zeekRow) int { return strings.Compare(a.String(), b.String()) }
		slices.SortFunc(want, order)
		slices.SortFunc(have, order)
		if !slices.Equal(want, have) {
			t.Errorf("%s (%s)\n want %v\n have %v", e.Pcap, e.Test, want, have)
		}
	})
	if gold != 58 {
		t.Errorf("%d golden rows, the corpus had 58", gold)
	}

	seen := 0
	err := filepath.WalkDir(filepath.Join(dir, "traces"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		seen++
		rel, _ := filepath.Rel(dir, path)
		begin := time.Now()
		got, s, totals := run(t, Config{}, fileInput(path))
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%s took %v", rel, took)
		}
		if golden[rel] {
			return nil
		}
		ts, st := tshark[rel], s.Stats()
		z := "none"
		if e, ok := zeek[rel]; ok {
			n := 0
			for _, r := range e.TX {
				if r.Method != "-" {
					n++
				}
			}
			z = fmt.Sprintf("%d of %d rows", n, len(e.TX))
		}
		if ts.NReq == len(got) && z == "none" && st.Orphans == 0 && len(totals.Dropped) == 0 {
			return nil
		}
		t.Logf("%-55s ours %d (silent %d, orphans %d, gaps %d) tshark %d/%d zeek %s dropped %v blind %d",
			rel, len(got), st.Silent, st.Orphans, st.Gaps, ts.NReq, ts.NResp, z, totals.Dropped, len(s.Blind()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 137 {
		t.Errorf("%d traces, the corpus had 139", seen)
	}
}
