// Package people makes the synthetic persons of the lab: names, phone numbers,
// resident identity numbers, plates, cards and addresses that follow the real
// formats and carry right check digits, and belong to nobody.
//
// It takes a seed and an index and gives a person; the same pair gives the same
// person on any machine. Invariant: two indices never share a phone number or a
// card. Limits: 100 000 persons a seed; beyond 1 000, two of them may share an
// identity number or a plate.
package people

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Person is one synthetic human being.
type Person struct {
	Index    int
	Name     string
	Phone    string // 11 digits
	ID       string // 18 characters, GB 11643 check digit
	Plate    string
	Card     string // 16 digits, Luhn check digit
	Email    string
	Nick     string
	City     string
	Address  string
	Birth    time.Time
	Password string // what this person types where it may choose
}

// Slip is a password as a finger gets it wrong: a character left out, changed, or
// one too many.
func Slip(r *rand.Rand, pw string) string {
	b := []byte(pw)
	i := r.IntN(len(b))
	switch r.IntN(3) {
	case 0:
		return string(append(b[:i:i], b[i+1:]...))
	case 1:
		return string(b) + "1"
	}
	b[i] ^= 1
	return string(b)
}

// Max is how many persons a seed has.
const Max = 100_000

// stride spreads indices over number ranges: coprime to every range used, so
// that neighbours in index are no neighbours in number.
const stride = 7_368_787

// Town is the source of persons of one seed.
type Town struct{ seed uint64 }

// New opens the town of a seed.
func New(seed uint64) *Town { return &Town{seed} }

// Person gives the person with an index in 0..Max-1.
func (t *Town) Person(i int) Person {
	r := rand.New(rand.NewPCG(t.seed^0x70656f706c65, uint64(i)))
	p := Person{Index: i}
	surname, given := pick(r, surnames), pick(r, given)
	p.Name = surname.zh + given.zh
	if r.IntN(3) > 0 {
		second := pick(r, givenSecond)
		p.Name += second.zh
		given.en += second.en
	}
	serial := (uint64(i)*stride + t.seed%977) % 100_000_000
	p.Phone = fmt.Sprintf("%s%08d", segments[i%len(segments)], serial)
	p.Birth = time.Date(1962+r.IntN(42), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC)
	town := pick(r, towns)
	p.City = town.city
	p.ID = checkedID(fmt.Sprintf("%s%s%03d", town.code, p.Birth.Format("20060102"), i%1000))
	p.Plate = plate(town.plate, uint64(i), r)
	p.Card = luhn(fmt.Sprintf("%s%09d", pick(r, bins), (uint64(i)*stride)%1_000_000_000))
	p.Email = fmt.Sprintf("%s%s%d@%s", given.en, surname.en, i%9973, pick(r, mailHosts))
	p.Nick = fmt.Sprintf("%s%s", pick(r, nickHead), pick(r, nickTail))
	if r.IntN(2) == 0 {
		p.Nick += fmt.Sprint(r.IntN(9999))
	}
	p.Address = fmt.Sprintf("%s%s%d号%d栋%d室", town.name, pick(r, roads), 1+r.IntN(600), 1+r.IntN(30), 101+r.IntN(28)*100+r.IntN(6))
	p.Password = password(r, p, given.en, surname.en)
	return p
}

// password is what people choose: a good part is guessable.
func password(r *rand.Rand, p Person, given, surname string) string {
	switch n := r.IntN(100); {
	case n < 14:
		return pick(r, popular)
	case n < 24:
		return surname + p.Phone[7:]
	case n < 32:
		return p.Birth.Format("20060102")
	default:
		const symbols = "!@#$%&*."
		return fmt.Sprintf("%s%c%s%c%d", title(pick(r, words)), symbols[r.IntN(len(symbols))], given, 'A'+rune(r.IntN(26)), 10+r.IntN(9990))
	}
}

// Stranger gives a valid phone number that need not be anybody's.
func Stranger(r *rand.Rand) string {
	return fmt.Sprintf("%s%08d", pick(r, segments), r.IntN(100_000_000))
}

// AnyPlate gives a plate that need not be anybody's.
func AnyPlate(r *rand.Rand) string {
	return plate(pick(r, towns).plate, r.Uint64N(100_000_000), r)
}

// AnyID gives an identity number with a right check digit that need not be
// anybody's.
func AnyID(r *rand.Rand) string {
	d := time.Date(1962+r.IntN(42), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC)
	return checkedID(fmt.Sprintf("%s%s%03d", pick(r, towns).code, d.Format("20060102"), r.IntN(1000)))
}

// checkedID appends the check character of GB 11643 to 17 digits.
func checkedID(body string) string {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i := range weights {
		sum += int(body[i]-'0') * weights[i]
	}
	return body + string("10X98765432"[sum%11])
}

// WithCheck appends the check character of GB 11643 to 17 digits.
func WithCheck(body string) string { return checkedID(body) }

// WithLuhn appends the check digit of ISO 7812 to 15 digits.
func WithLuhn(body string) string { return luhn(body) }

// Head gives the head of a resident's number, region and day of birth, and the
// head of a plate, of a town that need not be anybody's.
func Head(r *rand.Rand) (id, plate string) {
	t := pick(r, towns)
	d := time.Date(1962+r.IntN(42), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC)
	return t.code + d.Format("20060102"), t.plate
}

// luhn appends the check digit of ISO 7812 to 15 digits.
func luhn(body string) string {
	sum := 0
	for i := range len(body) {
		d := int(body[len(body)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return body + string(rune('0'+(10-sum%10)%10))
}

// plate makes a plate of province and city letter; I and O are not used.
func plate(head string, serial uint64, r *rand.Rand) string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	n := serial * stride % 240_000
	tail := fmt.Sprintf("%c%04d", letters[n/10_000%24], n%10_000)
	if r.IntN(5) == 0 { // electric cars have six characters
		return head + "D" + fmt.Sprintf("%05d", n%100_000)
	}
	return head + tail
}

// MaskPhone shows a phone number as pages do.
func MaskPhone(p string) string { return p[:3] + "****" + p[7:] }

// MaskName shows a name as pages do.
func MaskName(n string) string { return string([]rune(n)[:1]) + "**" }

// MaskID shows an identity number as pages do.
func MaskID(id string) string { return id[:6] + "********" + id[14:] }

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func title(s string) string { return string(s[0]-32) + s[1:] }
