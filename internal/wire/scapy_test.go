package wire

import (
	"bufio"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// TestMadeElsewhere reads encapsulations that another program made.
func TestMadeElsewhere(t *testing.T) {
	f, err := os.Open("testdata/encapsulations.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var names []string
	frames := map[string][]frame{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "\t"):
			b, err := hex.DecodeString(line[1:])
			if err != nil {
				t.Fatal(err)
			}
			name := names[len(names)-1]
			frames[name] = append(frames[name], frame{ts: epoch + int64(len(frames[name]))*1000, data: b})
		default:
			names = append(names, line)
		}
	}
	if len(names) < 25 {
		t.Fatalf("%d encapsulations: %q", len(names), names)
	}
	for _, name := range names {
		link := uint32(LinkEthernet)
		if name == "cooked" {
			link = LinkSLL
		}
		g, d := decode(t, Config{}, link, frames[name])
		if s := d.Stats(); len(g) != 1 || g[0].Target != "/in?x=1" || g[0].Status != 200 || len(g[0].Resp) != 903 || g[0].RespCut != 0 || s.Malformed+s.FragLost+s.NotTCP+s.NotIP > 0 {
			t.Errorf("%s: %d exchanges, %+v", name, len(g), s)
			continue
		}
		if c := g[0].Client; c != "10.1.0.7:41000" && c != "[2001:db8::7]:41000" {
			t.Errorf("%s: the client is %s", name, c)
		}
	}
}
