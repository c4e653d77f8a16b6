package observation

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxTime is the last moment that a row may have: the year 2200.
const MaxTime = int64(7258118400) * int64(time.Second)

// MaxAmount is the most that bytes of a row count for, so that sums stay within
// 64 bits.
const MaxAmount = 1 << 34

// DayLength in nanoseconds; days are those of UTC.
const DayLength = int64(24 * time.Hour)

// Day that a row belongs to, counted from the epoch.
func (r *Row) Day() int { return int(r.Time / DayLength) }

func text(s string) bool {
	return len(s) <= MaxText && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// Compare orders positions: by partition, then upwards.
func (p Position) Compare(o Position) int {
	return cmp.Or(cmp.Compare(p.Partition, o.Partition), cmp.Compare(p.Seq, o.Seq), cmp.Compare(p.Index, o.Index))
}

// Check says what is wrong with a batch before anything of it is written.
func Check(rows []Row) error {
	if len(rows) > MaxBatch {
		return invalid("%d rows in one batch, at most %d", len(rows), MaxBatch)
	}
	last := map[uint32]Position{}
	for i := range rows {
		r := &rows[i]
		if err := r.check(); err != nil {
			return err
		}
		if p, ok := last[r.Partition]; ok && p.Compare(r.Position) >= 0 {
			return invalid("row %d/%d of partition %d comes behind %d/%d", r.Seq, r.Index, r.Partition, p.Seq, p.Index)
		}
		last[r.Partition] = r.Position
	}
	return nil
}

func (r *Row) check() error {
	switch {
	case r.Time <= 0 || r.Time >= MaxTime:
		return invalid("row %d/%d: time out of range", r.Seq, r.Index)
	case r.Seq > math.MaxInt64 || r.Partition > math.MaxInt32 || r.Index > math.MaxInt32:
		return invalid("row %d/%d: position out of range", r.Seq, r.Index)
	case !text(r.Site) || !text(r.API) || !text(r.Attack):
		return invalid("row %d/%d: site, API and attack have at most %d bytes of UTF-8", r.Seq, r.Index, MaxText)
	case r.Verdict < Normal || r.Verdict > Attack:
		return invalid("row %d/%d: no verdict", r.Seq, r.Index)
	case int(r.Outcome) >= outcomes || r.Status >= 1000:
		return invalid("row %d/%d: no such outcome or status", r.Seq, r.Index)
	case r.BytesIn > MaxAmount || r.BytesOut > MaxAmount:
		return invalid("row %d/%d: more than %d bytes", r.Seq, r.Index, MaxAmount)
	case r.Client.Zone() != "" || r.Client.Is4In6():
		return invalid("row %d/%d: an address with a zone, or of IPv4 in the form of IPv6", r.Seq, r.Index)
	case r.Types.Has(0):
		return invalid("row %d/%d: the type of what is not sensitive", r.Seq, r.Index)
	}
	return nil
}

// Place is where a page ended.
type Place struct {
	Time int64
	Position
}

// Place of a row.
func (r *Row) Place() Place { return Place{r.Time, r.Position} }

// Compare orders places upwards.
func (p Place) Compare(o Place) int {
	return cmp.Or(cmp.Compare(p.Time, o.Time), p.Position.Compare(o.Position))
}

const placeBytes = 24

// String gives the place as SearchQuery.After takes it.
func (p Place) String() string {
	b := make([]byte, 0, placeBytes)
	b = binary.BigEndian.AppendUint64(b, uint64(p.Time))
	b = binary.BigEndian.AppendUint32(b, p.Partition)
	b = binary.BigEndian.AppendUint64(b, p.Seq)
	b = binary.BigEndian.AppendUint32(b, p.Index)
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParsePlace reads what String gave.
func ParsePlace(s string) (Place, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != placeBytes || len(s) != base64.RawURLEncoding.EncodedLen(placeBytes) { // line ends are read over
		return Place{}, invalid("that is no place of a list")
	}
	p := Place{int64(binary.BigEndian.Uint64(b)), Position{binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint64(b[12:]), binary.BigEndian.Uint32(b[20:])}}
	if p.Time <= 0 || p.Time >= MaxTime || p.Seq > math.MaxInt64 || p.Partition > math.MaxInt32 || p.Index > math.MaxInt32 {
		return Place{}, invalid("that is no place of a list")
	}
	return p, nil
}
