package campaign

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/taxonomy"
)

var update = flag.Bool("update", false, "write the golden files")

// told are the attacks of a story: a gang scans one site, finds the next
// unguarded, and is stopped at the third.
func told() []Attack {
	zone := time.FixedZone("CST", 8*3600)
	marks := []Mark{{Key: "header_order", Value: "aa", Share: 1, Others: 1, Of: 9000}, {Key: "param_shape", Value: "bb", Share: 1, Others: 0, Of: 7000},
		{Key: "account", Value: "cc", Share: 0.01, Of: 300}, {Key: "account", Value: "dd", Share: 0.01, Of: 300}, {Key: "account", Value: "ee", Share: 0.01, Of: 300}}
	one := func(id, site, industry, kind string, day, hour int, n, blocked, ok, subjects, ips uint64, days ...Activity) Attack {
		first := time.Date(2022, 3, day, hour, 0, 0, 0, zone)
		return Attack{ID: fmt.Sprintf("%s%022d", id, 0), Site: site, Industry: industry, Zone: zone, Kind: kind, Scenario: "account_risk", Verdict: taxonomy.Confirmed,
			First: first, Last: first.Add(30 * time.Hour), Requests: n, Blocked: blocked, Succeeded: ok, Subjects: subjects, IPCount: ips,
			APIs: []string{site + id}, Activity: days, Marks: marks}
	}
	list := []Attack{
		one("a1", "loan.example", "finance", "account_scanning", 3, 10, 12_400, 60, 900, 0, 210,
			Activity{"2022-03-03", "x", 8000, 0, 600}, Activity{"2022-03-04", "x", 4400, 60, 300}),
		one("b2", "pay.example", "finance", "credential_stuffing", 9, 2, 33_000, 0, 420, 380, 800,
			Activity{"2022-03-09", "y", 3000, 0, 0}, Activity{"2022-03-10", "y", 30_000, 0, 420}),
		one("c3", "game.example", "gaming", "credential_stuffing", 15, 20, 2000, 1900, 0, 0, 90, Activity{"2022-03-15", "z", 2000, 1900, 0}),
		one("d4", "loan.example", "finance", "brute_force", 20, 20, 100, 0, 0, 0, 3, Activity{"2022-03-20", "x", 100, 0, 0}),
	}
	list[0].Through = []Defect{{"d1", "identity_oracle"}, {"d2", "no_throttling"}}
	list[1].Through = []Defect{{"d3", "no_throttling"}}
	return list
}

func TestStory(t *testing.T) {
	var b strings.Builder
	write := func(title string, attacks []Attack) {
		found, _ := Reduce(attacks, messages(t))
		fmt.Fprintf(&b, "# %s\n", title)
		for _, c := range found {
			fmt.Fprintf(&b, "%s %v %v %v\n", c.Name, c.Sites, c.Kinds, c.Through)
			for _, l := range c.Links {
				fmt.Fprintf(&b, "link %s %.2f %d\n", l.Key, l.Rarity, len(l.Attacks))
			}
			for _, x := range c.Targets {
				fmt.Fprintf(&b, "target %s %d %d %d %s\n", x.Site, x.Requests, x.Blocked, x.Succeeded, x.Outcome)
			}
			for _, m := range c.Timeline {
				fmt.Fprintf(&b, "%s %s\n  %s\n  %s\n", m.Time.UTC().Format(time.RFC3339), m.Event, m.Text.Zh, m.Text.En)
			}
			fmt.Fprintf(&b, "%s\n%s\n", c.Reason.Zh, c.Reason.En)
		}
	}
	write("three sites", told())
	one := told()[:1]
	more := one[0]
	more.ID, more.Kind = strings.Replace(more.ID, "a1", "f1", 1), "brute_force"
	one[0].Succeeded, one[0].Last = 0, one[0].First.Add(time.Hour)
	more.Succeeded, more.Last = 0, one[0].Last
	one[0].Blocked, more.Blocked, more.Through, one[0].Through = 0, 0, nil, nil
	one[0].Activity = []Activity{{"2022-03-03", "x", 12_400, 0, 0}}
	more.Activity = one[0].Activity
	write("one site, one day, in vain", append(one, more))
	name := filepath.Join("testdata", "story.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the story changed (-update accepts it):\n%s", b.String())
	}
}

func TestOutcomes(t *testing.T) {
	day := func(n int, requests, blocked uint64) Activity {
		return Activity{Day: fmt.Sprintf("2022-03-%02d", n), Requests: requests, Blocked: blocked}
	}
	for _, c := range []struct {
		what string
		days []Activity
		want string
	}{
		{"nothing was blocked", []Activity{day(1, 50, 0)}, Undetected},
		{"all but some were blocked", []Activity{day(1, 50, 2), day(2, 950, 930)}, Blocked},
		{"blocked late", []Activity{day(1, 500, 0), day(2, 500, 300)}, Partly},
		{"a little, late", []Activity{day(1, 500, 0), day(2, 500, 20)}, Undetected},
		{"a little, at once", []Activity{day(1, 500, 20), day(2, 500, 0)}, Partly},
		{"late, but within the first requests", []Activity{day(1, 150, 0), day(2, 850, 20)}, Partly},
	} {
		a := Attack{Site: "s", Activity: c.days}
		for _, d := range c.days {
			a.Requests += d.Requests
			a.Blocked += d.Blocked
		}
		if got := targets([]*profile{{Attack: &a}}); got[0].Outcome != c.want {
			t.Errorf("%s: %s, want %s", c.what, got[0].Outcome, c.want)
		}
	}
}
