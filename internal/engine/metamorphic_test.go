package engine_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xiezhi/internal/engine"
	"xiezhi/internal/source"
)

// entry is what of a HAR line these tests change; the rest is kept as it is.
type entry map[string]any

func (e entry) object(name string) entry { return e[name].(map[string]any) }

// retell rewrites every line of a HAR lines file.
func retell(t *testing.T, lines []byte, change func(entry)) []byte {
	t.Helper()
	var out bytes.Buffer
	for line := range bytes.Lines(lines) {
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.UseNumber()
		var e entry
		if err := dec.Decode(&e); err != nil {
			t.Fatal(err)
		}
		change(e)
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(b, '\n'))
	}
	return out.Bytes()
}

// TestRenamedWorldsAgree: the findings of the bundled capture do not depend on
// what its host is called, which addresses its clients have, or when it was
// recorded, up to those names.
func TestRenamedWorldsAgree(t *testing.T) {
	whole := inflate(t, capture)
	lines := convert(t, engine.HARL, input("vampi.pcap", whole))
	name := "10.77.0.1"
	look := func(lines []byte) told {
		return tell(analyse(t, engine.AnalyzeConfig{Inputs: []source.Input{input("vampi.harl", lines)}}))
	}
	want := look(lines)
	if len(want.Attacks) < 5 || len(want.Defects) < 5 {
		t.Fatalf("%d attacks and %d defects of the capture itself", len(want.Attacks), len(want.Defects))
	}
	address := func(ip string) string {
		b := netip.MustParseAddr(ip).As4()
		return netip.AddrFrom4([4]byte{b[0], 200, b[2] ^ 0x5a, 255 - b[3]}).String()
	}
	shift := 37*24*time.Hour + 5*time.Hour + 13*time.Minute
	for _, c := range []struct {
		name   string
		change func(entry)
		back   func(string) string // undoes the names in what is told
	}{
		{"another host", func(e entry) {
			r := e.object("request")
			r["url"] = strings.Replace(r["url"].(string), name, "10.88.4.9", 1)
			for _, h := range r["headers"].([]any) {
				if h := entry(h.(map[string]any)); h["name"] == "Host" {
					h["value"] = strings.Replace(h["value"].(string), name, "10.88.4.9", 1)
				}
			}
		}, func(s string) string { return strings.ReplaceAll(s, "10.88.4.9", name) }},
		{"other addresses", func(e entry) {
			c := e.object("_client")
			c["ip"] = address(c["ip"].(string))
		}, nil},
		{"another time", func(e entry) {
			at, err := time.Parse(time.RFC3339Nano, e["startedDateTime"].(string))
			if err != nil {
				t.Fatal(err)
			}
			e["startedDateTime"] = at.Add(-shift).Format(time.RFC3339Nano)
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := look(retell(t, lines, c.change))
			if c.back != nil {
				for _, list := range [][]string{got.APIs, got.Defects, got.Attacks} {
					for i := range list {
						list[i] = c.back(list[i])
					}
				}
			}
			want := want
			if c.name == "other addresses" {
				// Beyond 64 their number is an estimate that hangs on their hashes.
				got.Attacks, want.Attacks = without(got.Attacks, " from ", " on "), without(want.Attacks, " from ", " on ")
				got.APIs, want.APIs = without(got.APIs, " actors=", " "), without(want.APIs, " actors=", " ")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOrderOfLinesDoesNotMatter: a file whose lines are out of order is judged
// in order of time.
func TestOrderOfLinesDoesNotMatter(t *testing.T) {
	lines := convert(t, engine.HARL, input("vampi.pcap", inflate(t, capture)))
	look := func(lines []byte) told {
		return tell(analyse(t, engine.AnalyzeConfig{Inputs: []source.Input{input("vampi.harl", lines)}}))
	}
	list := bytes.SplitAfter(bytes.TrimSpace(lines), []byte("\n"))
	list[len(list)-1] = append(slices.Clone(list[len(list)-1]), '\n')
	rng := rand.New(rand.NewPCG(3, 4))
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	if diff := cmp.Diff(look(lines), look(bytes.Join(list, nil))); diff != "" {
		t.Error(diff)
	}
}

// without leaves out of every line what stands from one mark up to another.
func without(lines []string, from, to string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		before, rest, _ := strings.Cut(line, from)
		_, after, _ := strings.Cut(rest, to)
		out[i] = before + to + after
	}
	return out
}
