//go:build cgo

package duckdb

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/exchange"
	"xiezhi/internal/identity"
	"xiezhi/internal/observe"
	"xiezhi/internal/redact"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/observationtest"
	"xiezhi/rules"
)

// TestNoValueReachesTheFiles takes exchanges that carry what is nobody's
// business through observing, identity and catalogue into the files, and reads
// these byte by byte.
func TestNoValueReachesTheFiles(t *testing.T) {
	var cfg observe.Config
	var roles *catalog.Lexicon
	cfg.Redactor = redact.New([32]byte{1, 2, 3})
	for _, load := range []func() error{
		func() (err error) { cfg.Names, err = observe.LoadNames(rules.FS); return },
		func() (err error) { cfg.Phrases, err = observe.LoadPhrases(rules.FS); return },
		func() (err error) { cfg.Agents, err = observe.LoadAgents(rules.FS); return },
		func() (err error) { roles, err = catalog.Load(rules.FS); return },
	} {
		if err := load(); err != nil {
			t.Fatal(err)
		}
	}
	o, err := observe.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ids, apis := identity.New(identity.Config{}), catalog.New(catalog.Config{Site: "shop.example", Roles: roles})
	var canaries []string
	var rows []observation.Row
	for i := range 300 {
		phone, mail := fmt.Sprintf("1390013%04d", i), fmt.Sprintf("canary%04d@mail.example", i)
		password, session, name := fmt.Sprintf("c4naryPass!%04d", i), fmt.Sprintf("c4narysess%022d", i), fmt.Sprintf("canaryname%04d", i)
		canaries = append(canaries, phone, mail, password, session, name)
		x := &exchange.Exchange{ID: fmt.Appendf(nil, "x-%s-%d", phone, i), Start: observationtest.Start.UnixNano(), End: observationtest.Start.UnixNano() + 5e6, Caps: exchange.CapWire, Proto: 11,
			Client: netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}), 5000), Server: netip.MustParseAddrPort("10.0.0.1:80"),
			Method: []byte("POST"), Target: []byte("/users/" + phone + "/orders?email=" + mail), Host: []byte("shop.example"), Status: 200}
		x.Request.Header = []exchange.Field{{Name: []byte("Cookie"), Value: []byte("SESSION=" + session)}, {Name: []byte("Content-Type"), Value: []byte("application/json")},
			{Name: []byte("Authorization"), Value: []byte("Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password)))}}
		x.Request.Body = fmt.Appendf(nil, `{"username":%q,"password":%q}`, name, password)
		x.Response.Header = []exchange.Field{{Name: []byte("Content-Type"), Value: []byte("application/json")}}
		x.Response.Body = fmt.Appendf(nil, `{"data":[{"phone":%q,"email":%q,"name":%q}]}`, phone, mail, name)
		var b observe.Batch
		o.Observe(x, &b)
		for j := range b.Len() {
			ob := b.At(j)
			ev := &catalog.Event{}
			who := ids.Resolve(ob)
			apis.Assign(ob, &who, ev)
			rows = append(rows, observation.Of(ev, "shop.example", observation.Position{Partition: 1, Seq: uint64(len(rows))}, observation.Normal, ""))
		}
	}
	seen := observation.Set(0)
	for i := range rows {
		seen |= rows[i].Types
	}
	if last := rows[len(rows)-1]; len(rows) < 300 || seen == 0 || last.Session == 0 || last.API == "" || last.Subjects == 0 || last.Latency != 5000 {
		t.Fatalf("the rows say too little to be looked at: %d, %+v", len(rows), rows[len(rows)-1])
	}
	path := t.TempDir()
	h := must(t, path, Config{})
	if err := h.Append(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	look := func(when string) {
		t.Helper()
		files, site := 0, false // what may stand there is found
		err := filepath.WalkDir(path, func(name string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := os.ReadFile(name)
			files++
			site = site || bytes.Contains(b, []byte("shop.example"))
			for _, c := range canaries {
				if bytes.Contains(b, []byte(c)) {
					t.Errorf("%s: %s is in %s", when, c, e.Name())
				}
			}
			if info, e := e.Info(); e == nil && filepath.Ext(name) == extension && info.Size() < 10_000 {
				t.Errorf("%s: %s holds nothing", when, name)
			}
			return err
		})
		if err != nil || files < 2 || !site {
			t.Fatalf("%s: %d files, %v", when, files, err)
		}
	}
	look("before the log is in the file")
	if err := errors.Join(h.Close()); err != nil {
		t.Fatal(err)
	}
	look("closed")
	folder, err1 := os.Stat(Folder(path))
	if err1 != nil || folder.Mode().Perm() != 0o700 {
		t.Errorf("the folder is open to others: %v, %v", folder.Mode(), err1)
	}
}
