package sensitive

import (
	"bytes"

	"xiezhi/internal/taxonomy"
)

// Leaf appends what one leaf value holds, given what its key promises. Names,
// addresses, passwords, codes and the like are known only by key, and only if
// the value is plausible: true, null, *** and a sentence are no password, name
// or token. What the content proves counts in any field; it counts more when
// the key agrees.
func Leaf(h Hint, b []byte, hits []Hit) []Hit { return LeafMask(h, MaskOf(b), b, hits) }

// LeafMask is Leaf for a value whose mask is known.
func LeafMask(h Hint, m Mask, b []byte, hits []Hit) []Hit {
	if len(b) == 0 || h == HintNone && silent(m, len(b)) {
		return hits
	}
	s := scanner{b: b, hits: hits, floor: len(hits)}
	if h != HintNone {
		start, end, inner := 0, len(b), m
		if b[0] <= ' ' || b[end-1] <= ' ' {
			if start, end = trim(b, 0, end); start == end {
				return hits
			}
			inner = MaskOf(b[start:end])
		}
		if s.leaf(h, inner, start, end) || silent(m, len(b)) {
			return s.hits
		}
	}
	s.scanText(0)
	for i := s.floor; i < len(s.hits); i++ {
		s.hits[i].agree(h)
	}
	return s.hits
}

// agree raises the confidence of content that the key promised.
func (hit *Hit) agree(h Hint) {
	t := h.Type()
	if t == taxonomy.NotSensitive {
		return
	}
	if t == hit.Type || t.Level() == 4 && hit.Type.Level() == 4 || h == HintPhone && hit.Type == taxonomy.SensCNMobile || h == HintAccountName && hit.Type.Level() == 2 {
		hit.Confidence = min(99, hit.Confidence+15)
	}
}

func trim(b []byte, start, end int) (int, int) {
	for start < end && b[start] <= ' ' {
		start++
	}
	for end > start && b[end-1] <= ' ' {
		end--
	}
	return start, end
}

const maxKeyed = 4096 // bytes of a value that a key alone can make sensitive

// numbered holds the hints that identifier knows.
var numbered = [hintCount]bool{HintMobile: true, HintPhone: true, HintResidentID: true, HintDocument: true,
	HintSocialSecurity: true, HintMilitaryID: true, HintPassport: true, HintHKMacauPermit: true, HintBankCard: true,
	HintCard: true, HintPlate: true, HintUSCC: true, HintIMEI: true, HintMAC: true}

// leaf judges the whole value [start,end) with the mask m by what the key
// promises. False means that only the content can tell.
func (s *scanner) leaf(h Hint, m Mask, start, end int) bool {
	v := s.b[start:end]
	if len(v) > maxKeyed && h != HintBiometric && h != HintPrivateKey {
		return false
	}
	if nullish(v) {
		return true
	}
	if masking(m) && len(v) <= 128 && Masked(v) {
		if t := maskedType(h, v); t != taxonomy.NotSensitive {
			s.put(Hit{Type: t, Start: start, End: end, Confidence: 85, Masked: true})
			return true
		}
		return h.Type().Level() == 4
	}
	if h < hintCount && numbered[h] && s.identifier(h, v, start, end) {
		return true
	}
	switch h {
	case HintPassword:
		return s.is(plausiblePassword(v), h, start, end, 90)
	case HintVerificationCode:
		return s.is(plausibleCode(v), h, start, end, 88)
	case HintSecretKey, HintToken, HintSessionID:
		return s.secret(h, m, start, end)
	case HintPrivateKey:
		return s.is(len(v) >= 100 && bytes.IndexByte(v, ' ') < 0, h, start, end, 85)
	case HintName:
		return s.name(m, start, end)
	case HintAnyName:
		return s.is(strictName(v, m), h, start, end, 60)
	case HintAddress:
		c := plausibleAddress(v, m)
		return s.is(c > 0, h, start, end, c)
	case HintAccountName:
		return !s.content(h, m, start, end) && s.is(plausibleAccount(v, m), h, start, end, 80)
	case HintBirthDate:
		return s.is(plausibleDate(v), h, start, end, 88)
	case HintLocation:
		return s.is(plausiblePosition(v), h, start, end, 85)
	case HintIP:
		return s.addresses(start, end)
	case HintDeviceID, HintPseudonym:
		return s.is(len(v) >= 8 && len(v) <= 128 && m&^(maskToken|HasDot|HasColon) == 0 && m&HasDigit != 0 && !placeholder(v), h, start, end, 80)
	case HintMedical:
		return s.is(len(v) >= 2 && (m&maskLetter != 0 || hasHan(v)) && !placeholder(v), h, start, end, 75)
	case HintBiometric:
		return s.is(len(v) >= 64 || bytes.HasPrefix(v, []byte("http")), h, start, end, 80)
	case HintWhereabouts:
		return s.is(runes(v) >= 6 && !placeholder(v), h, start, end, 70)
	case HintMinor:
		return s.is(strictName(v, m) || latinName(v) || len(v) == 11 && allDigits(v) && isMobile(v), h, start, end, 80)
	}
	return false
}

func (s *scanner) is(yes bool, h Hint, start, end int, confidence uint8) bool {
	if yes {
		s.add(h.Type(), start, end, confidence)
	}
	return yes
}

// content scans the value and keeps what it finds with the confidence that the
// key adds.
func (s *scanner) content(h Hint, m Mask, start, end int) bool {
	if quiet(m, end-start) || start == 0 && silent(m, end) {
		return false
	}
	in := scanner{b: s.b[:end], hits: s.hits, floor: len(s.hits)}
	in.scan(start)
	s.hits = in.hits
	for i := in.floor; i < len(s.hits); i++ {
		s.hits[i].agree(h)
	}
	return len(s.hits) > in.floor
}

// maskedType is the type of a masked value, by its key and length.
func maskedType(h Hint, v []byte) taxonomy.Sensitive {
	t := h.Type()
	switch {
	case t.Level() == 4 || h == HintAnyName && !hasHan(v):
		return taxonomy.NotSensitive
	case h == HintPhone && len(v) == 11 && v[0] == '1':
		return taxonomy.SensCNMobile
	case h == HintAccountName && bytes.IndexByte(v, '@') > 0:
		return taxonomy.SensEmail
	case h == HintAccountName && len(v) == 11 && v[0] == '1' && isDigit(v[10]):
		return taxonomy.SensCNMobile
	}
	return t
}

// identifier judges numbers whose key says what they are, so that forms count
// which other traffic carries too. d is the canonical form.
func (s *scanner) identifier(h Hint, v []byte, start, end int) bool {
	if len(v) > 64 {
		return false
	}
	var buf [80]byte
	d := Canonical(buf[:0], h.Type(), v)
	if len(d) < 7 {
		return false
	}
	switch h {
	case HintMobile, HintPhone:
		return s.phone(h, d, v, start, end)
	case HintResidentID, HintDocument, HintSocialSecurity, HintMilitaryID, HintPassport, HintHKMacauPermit:
		return s.papers(h, d, v, start, end)
	case HintBankCard, HintCard:
		if !numberText(v) || len(d) < 13 || len(d) > 19 || cardRange(d) == cardNo || !luhn(d) {
			return false
		}
		confidence := uint8(95)
		if h == HintCard && cardRange(d) == cardByKey {
			confidence = 80
		}
		s.add(taxonomy.SensBankCard, start, end, confidence)
		return true
	case HintPlate:
		return s.is(isPlate(d), h, start, end, 96)
	case HintUSCC:
		return s.is(len(d) == 18 && validUSCC(d), h, start, end, 98)
	case HintIMEI:
		return s.is(numberText(v) && len(d) == 15 && luhn(d) && !monotonous(d), h, start, end, 92)
	case HintMAC:
		return s.is(isMAC(v), h, start, end, 92)
	}
	return false
}

func (s *scanner) phone(h Hint, d, v []byte, start, end int) bool {
	if !numberText(v) || len(d) > 16 {
		return false
	}
	switch {
	case len(d) == 11 && d[0] == '1' && d[1] >= '3':
		confidence := uint8(97)
		if !isMobile(d) {
			confidence = 70 // in no known segment: still somebody asking for a number
		}
		s.add(taxonomy.SensCNMobile, start, end, confidence)
		return true
	case d[0] == '0' && len(d) > 9 && (isLandline(d[:3], d[3:]) || isLandline(d[:4], d[4:])):
		s.add(taxonomy.SensPhone, start, end, 92)
		return true
	case d[0] == '+' && len(d) >= 9:
		s.add(taxonomy.SensPhone, start, end, 88)
		return true
	case len(d) >= 10 || h == HintPhone && len(d) >= 7 && !bytes.HasPrefix(d, []byte("400")):
		s.add(taxonomy.SensPhone, start, end, 65)
		return !placeholder(v)
	}
	return false
}

// papers judges the number of an identity document.
func (s *scanner) papers(h Hint, d, v []byte, start, end int) bool {
	if len(d) == 18 && allDigits(d[:17]) && (isDigit(d[17]) || d[17] == 'X') {
		return validResident(d) && s.is(true, HintResidentID, start, end, 99)
	}
	any := h == HintDocument
	switch {
	case (any || h == HintHKMacauPermit) && isPermit(d), h == HintHKMacauPermit && len(d) == 8 && allDigits(d):
		s.add(taxonomy.SensHKMacauPermit, start, end, 88)
	case (any || h == HintPassport) && isPassport(d):
		s.add(taxonomy.SensPassport, start, end, 92)
	case (any || h == HintPassport) && isForeignPassport(d):
		s.add(taxonomy.SensPassport, start, end, 70)
	case h == HintMilitaryID && digitCount(d) >= 6 && len(d) <= 32:
		s.add(taxonomy.SensMilitaryID, start, end, 80)
	case any && bytes.Contains(v, []byte("字第")) && digitCount(d) >= 6:
		s.add(taxonomy.SensMilitaryID, start, end, 75)
	case h == HintSocialSecurity && digitCount(d) >= 7 && len(d) <= 20 && tokenText(v):
		s.add(taxonomy.SensSocialSecurityNo, start, end, 80)
	default:
		return false
	}
	return true
}
