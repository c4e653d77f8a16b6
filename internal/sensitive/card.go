package sensitive

// Card numbers by issuer range and length. What ordinary traffic also carries
// in that form (19-digit ids, date-prefixed order numbers) counts only when
// the field's name says so.

type cardTrust uint8

const (
	cardNo    cardTrust = iota
	cardByKey           // only when the key promises a card
	cardBare            // on its own
)

// cardRange judges the issuer range and the length of 13 to 19 digits.
func cardRange(b []byte) cardTrust {
	n := len(b)
	if n < 13 || n > 19 {
		return cardNo
	}
	four := pair(b)*100 + pair(b[2:])
	switch two := four / 100; {
	case two == 62: // UnionPay
		if n == 16 || n == 19 {
			return cardBare
		}
		if n > 16 {
			return cardByKey
		}
	case two/10 == 4: // Visa
		if n == 16 {
			return cardBare
		}
		if n == 13 || n == 19 {
			return cardByKey
		}
	case two >= 51 && two <= 55: // Mastercard
		if n == 16 {
			return cardBare
		}
	case four >= 2221 && four <= 2720:
		if n == 16 {
			if m, d := pair(b[2:]), pair(b[4:]); m >= 1 && m <= 12 && d >= 1 && d <= 31 {
				return cardByKey // reads as yymmdd: an order number
			}
			return cardBare
		}
	case two == 34 || two == 37: // American Express
		if n == 15 {
			return cardBare
		}
	case four >= 3528 && four <= 3589: // JCB
		if n == 16 {
			return cardBare
		}
	case four == 6011 || four/10 >= 644 && four/10 <= 649 || two == 65: // Discover
		if n == 16 {
			return cardBare
		}
		if n == 19 {
			return cardByKey
		}
	case two == 36 || two == 38 || two == 39 || four/10 >= 300 && four/10 <= 305: // Diners
		if n == 14 {
			return cardByKey
		}
	case four == 9558 || four == 9559: // ICBC and ABC debit
		if n == 19 {
			return cardBare
		}
		if n >= 16 {
			return cardByKey
		}
	case two/10 == 9 || two == 60 || two == 50 || two >= 56 && two <= 58 || two == 63 || two >= 67 && two <= 69:
		// older ranges of Chinese banks, Maestro
		if n >= 16 {
			return cardByKey
		}
	}
	return cardNo
}
