package record

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"strings"
)

// Place is where in a list a page ended: what the list is in order of, its value
// there, and the id.
type Place struct {
	Number int64  // of orders by time (ns since the epoch) and rank
	Text   string // of the order by name
	ID     string
}

// PlaceOf gives the place of a record in the list that a query asks for.
func (q *Query) PlaceOf(r *Record) Place {
	p := Place{ID: r.ID}
	switch q.Sort {
	case ByFirst:
		p.Number = r.First.UnixNano()
	case ByName:
		p.Text = r.Name
	case ByRank0, ByRank1, ByRank2:
		p.Number = r.Ranks[q.Sort-ByRank0]
	default:
		p.Number = r.Last.UnixNano()
	}
	return p
}

// Compare orders places as the list has them.
func (q *Query) Compare(a, b Place) int {
	c := cmp.Or(cmp.Compare(b.Number, a.Number), strings.Compare(b.Text, a.Text), strings.Compare(a.ID, b.ID))
	if q.Upwards {
		return -c
	}
	return c
}

// order is how a place says of which list it is.
func (q *Query) order() byte {
	if q.Upwards {
		return byte(q.Sort)<<1 | 1
	}
	return byte(q.Sort) << 1
}

// Cursor gives a place as Query.After takes it.
func (q *Query) Cursor(p Place) string {
	b := []byte{q.order()}
	if q.Sort == ByName {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(p.Text))), p.Text...)
	} else {
		b = binary.BigEndian.AppendUint64(b, uint64(p.Number))
	}
	return base64.RawURLEncoding.EncodeToString(append(b, p.ID...))
}

// place reads where the page begins. A place of a list in another order is
// refused.
func (q *Query) place() (*Place, error) {
	bad := invalid("that is no place of this list")
	b, err := base64.RawURLEncoding.Strict().DecodeString(q.After)
	if err != nil || len(b) < 2 || b[0] != q.order() {
		return nil, bad
	}
	b = b[1:]
	var p Place
	if q.Sort == ByName {
		if len(b) < 2 {
			return nil, bad
		}
		n := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; len(b) < n {
			return nil, bad
		}
		p.Text, b = string(b[:n]), b[n:]
	} else {
		if len(b) < 8 {
			return nil, bad
		}
		p.Number, b = int64(binary.BigEndian.Uint64(b)), b[8:]
	}
	if p.ID = string(b); p.ID == "" || !text(p.ID) || !text(p.Text) {
		return nil, bad
	}
	return &p, nil
}
