package observe

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/bits"
	"strings"

	"github.com/goccy/go-yaml"

	"xiezhi/internal/sensitive"
	"xiezhi/internal/taxonomy"
)

// DealKind says what a value of a request is to trade.
type DealKind uint8

const (
	DealCard    DealKind = iota + 1 // number of a payment card
	DealCVV                         // the card's security code
	DealExpiry                      // its expiry date, or the month or year of it
	DealDevice                      // id of the device that asks
	DealPayee                       // account that money goes to
	DealAddress                     // where goods go: address or telephone of the receiver
	DealAmount
	DealInviter // who brought the asker
	DealOffer   // what is wanted: a coupon, an activity, goods
	dealKinds
)

var dealNames = [dealKinds]string{"", "card", "cvv", "expiry", "device", "payee", "address", "amount", "inviter", "offer"}

func (k DealKind) String() string { return dealNames[min(k, dealKinds-1)] }

// Deal is a value of the request that trade is done with. No number of a card
// and nothing that belongs to one comes here in the clear.
type Deal struct {
	Kind  DealKind
	Flaw  bool   // of a card: there is no such number
	Size  uint8  // of an amount: its order of magnitude in powers of two, of hundredths
	Token uint64 // of a security code or expiry date: an equality tag of the day, see Password.Tag
	Range uint64 // of a card: token of the issuer's range, its first six digits
	Set   SetFeature
}

const (
	minCard, maxCard     = 12, 19 // digits
	minDevice, maxDevice = 6, 128
	minAddress           = 6
	issuerDigits         = 6
	maxSame              = 4 // of one kind
)

type dealRule struct {
	names   matcher
	parents map[string]map[string]bool
}

func loadDeals(fsys fs.FS) (rules [dealKinds]dealRule, headers []string, cases map[string][2][]string, err error) {
	const file = "deals.yaml"
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return rules, nil, nil, err
	}
	var doc struct {
		Kinds map[string]struct {
			Names   []string            `yaml:"names"`
			Parents map[string][]string `yaml:"parents"`
			Match   []string            `yaml:"match"`
			Pass    []string            `yaml:"pass"`
		} `yaml:"kinds"`
		Headers []string `yaml:"headers"`
	}
	if err := yaml.UnmarshalWithOptions(b, &doc, yaml.Strict()); err != nil {
		return rules, nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	cases = map[string][2][]string{}
	for k := DealKind(1); k < dealKinds; k++ {
		d, ok := doc.Kinds[k.String()]
		if !ok || len(d.Names) == 0 {
			return rules, nil, nil, fmt.Errorf("%s: kinds.%s is missing; give at least one name", file, k)
		}
		rules[k] = dealRule{newMatcher(d.Names), map[string]map[string]bool{}}
		for p, keys := range d.Parents {
			m := map[string]bool{}
			for _, w := range keys {
				m[normalName(w)] = true
			}
			rules[k].parents[normalName(p)] = m
		}
		cases[k.String()] = [2][]string{d.Match, d.Pass}
	}
	for name := range doc.Kinds {
		if _, ok := cases[name]; !ok {
			return rules, nil, nil, fmt.Errorf("%s: unknown kind %q; known are %s", file, name, strings.Join(dealNames[1:], ", "))
		}
	}
	return rules, doc.Headers, cases, nil
}

// dealOf says what a field is to trade by its normalised key and the normalised
// key above it.
func (n *Names) dealOf(key, parent string) DealKind {
	for k := DealKind(1); k < dealKinds; k++ {
		if r := &n.deals[k]; r.names.has(key) || r.parents[parent][key] {
			return k
		}
	}
	return 0
}

// dealLeaf keeps what a value of the request is to trade, and takes out of the
// parameter what a card is proven by.
func (o *Observer) dealLeaf(f *fieldEntry, p *Param, v []byte) {
	v = trimSpace(v)
	d := Deal{Kind: f.deal, Token: p.Token}
	switch {
	case f.deal == DealCard || p.Sensitive == taxonomy.SensBankCard && f.deal == 0:
		o.canon = sensitive.Canonical(o.canon[:0], taxonomy.SensBankCard, v)
		if n := len(o.canon); n < minCard || n > maxCard || !digitsOnly(o.canon) || p.Token == 0 {
			return
		}
		d.Kind = DealCard
		if prefix, pos, flaw, ok := sensitive.Set(taxonomy.SensBankCard, o.canon); ok {
			d.Set, d.Flaw = SetFeature{o.cfg.Redactor.Token(prefix), pos, flaw}, flaw
		}
		o.folded = append(append(o.folded[:0], "issuer/"...), o.canon[:issuerDigits]...)
		d.Range = o.cfg.Redactor.Token(o.folded)
	case f.deal == DealCVV:
		if len(v) < 3 || len(v) > 4 || !digitsOnly(v) {
			return
		}
		d.Token = uint64(o.passwordTag(v)) | 1<<32
		if p.Sensitive == taxonomy.NotSensitive {
			o.veil(p)
		}
	case f.deal == DealExpiry:
		if len(v) > 7 || len(bytes.Trim(v, "0123456789/- ")) > 0 {
			return
		}
		d.Token = uint64(o.passwordTag(v)) | 1<<32
		o.veil(p)
	case f.deal == DealDevice:
		if !device(v) || p.Token == 0 {
			return
		}
	case f.deal == DealAmount:
		cents, ok := hundredths(v)
		if !ok {
			return
		}
		d.Token, d.Size = 0, uint8(bits.Len64(cents))
	case f.deal == DealAddress && len(v) < minAddress, p.Token == 0:
		return
	}
	o.deal(d)
}

// veil leaves of a parameter that it was there.
func (o *Observer) veil(p *Param) {
	p.Token, p.Set, p.Shape = 0, SetFeature{}, "***"
}

func (o *Observer) deal(d Deal) {
	list := o.out.deals.open()
	same := 0
	for i := range list {
		if list[i] == d {
			return
		}
		if list[i].Kind == d.Kind {
			same++
		}
	}
	if len(list) >= MaxDeals || same >= maxSame { // a long basket leaves room for the rest
		o.over(1)
		return
	}
	o.out.deals.add(d)
}

// deviceHeader reads a header that carries a device's id.
func (o *Observer) deviceHeader(v []byte) {
	if v = trimSpace(v); device(v) && o.allow() {
		o.deal(Deal{Kind: DealDevice, Token: o.tokenOf(taxonomy.NotSensitive, v)})
	}
}

// takeDeals ends the list. What a card is proven by means nothing without one.
func (o *Observer) takeDeals() {
	list := o.out.deals.open()
	card := false
	for i := range list {
		card = card || list[i].Kind == DealCard
	}
	if !card {
		n := 0
		for _, d := range list {
			if d.Kind != DealCVV && d.Kind != DealExpiry {
				list[n] = d
				n++
			}
		}
		clear(list[n:])
		o.out.deals.buf = o.out.deals.buf[:len(o.out.deals.buf)-(len(list)-n)]
	}
	o.o.Deals = o.out.deals.take()
}

// device reports whether a value can be the id of one device: what is sent
// where there is none, such as zeros or "unknown", is not.
func device(v []byte) bool {
	if len(v) < minDevice || len(v) > maxDevice {
		return false
	}
	var seen uint64
	digit := false
	for _, c := range v {
		switch {
		case c-'0' < 10:
			digit = true
			seen |= 1 << (c - '0')
		case c|0x20-'a' < 26:
			seen |= 1 << (10 + (c | 0x20 - 'a'))
		case c <= ' ' || c >= 0x7f:
			return false
		}
	}
	return digit && bits.OnesCount64(seen) >= 4
}

func digitsOnly(b []byte) bool {
	for _, c := range b {
		if c-'0' > 9 {
			return false
		}
	}
	return len(b) > 0
}

// hundredths reads an amount of money.
func hundredths(v []byte) (n uint64, ok bool) {
	whole, part, _ := bytes.Cut(v, []byte("."))
	if len(whole) == 0 || len(whole) > 12 || !digitsOnly(whole) || len(part) > 0 && !digitsOnly(part) {
		return 0, false
	}
	for _, c := range whole {
		n = n*10 + uint64(c-'0')
	}
	for i := range 2 {
		n *= 10
		if i < len(part) {
			n += uint64(part[i] - '0')
		}
	}
	return n, true
}
