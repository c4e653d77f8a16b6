package password

// Ids of the reasons why a password is weak, strongest first.
const (
	ReasonTopList  = "top_list" // among the first topRank of the lists
	ReasonAccount  = "related_account"
	ReasonEmail    = "related_email"
	ReasonPhone    = "related_phone"
	ReasonBirthday = "related_birthday"
	ReasonHost     = "related_host"
	ReasonDigits   = "digits_only"
	ReasonShort    = "too_short"
	ReasonScore    = "easily_guessed" // zxcvbn score 0 or 1
	ReasonClasses  = "missing_classes"
)

const (
	topRank    = 10_000
	minLength  = 8
	weakScore  = 1
	allClasses = ClassLower | ClassUpper | ClassDigit | ClassOther
)

// Profile is a set of rules for what counts as weak.
type Profile uint8

const (
	// ProfileRisk calls weak what attackers guess: listed, related, digits
	// only, short, or easily guessed. It asks for no composition, as NIST SP
	// 800-63B advises.
	ProfileRisk Profile = iota
	// ProfileComposition also wants lower case, upper case, digit and symbol.
	ProfileComposition
)

// Weak says whether the assessed password is weak under ProfileRisk, and the
// id of the strongest reason. What cannot be assessed is not called weak.
func Weak(a Assessment) (weak bool, why string) { return ProfileRisk.Weak(a) }

// Weak says whether the assessed password is weak, and the id of the strongest
// reason.
func (p Profile) Weak(a Assessment) (weak bool, why string) {
	if a.Form != Plain && a.Form != Guessed || a.Len == 0 {
		return false, ""
	}
	switch {
	case a.Rank > 0 && a.Rank <= topRank:
		why = ReasonTopList
	case a.Related&RelatedAccount != 0:
		why = ReasonAccount
	case a.Related&RelatedEmail != 0:
		why = ReasonEmail
	case a.Related&RelatedPhone != 0:
		why = ReasonPhone
	case a.Related&RelatedBirthday != 0:
		why = ReasonBirthday
	case a.Related&RelatedHost != 0:
		why = ReasonHost
	case a.Classes == ClassDigit:
		why = ReasonDigits
	case a.Len < minLength:
		why = ReasonShort
	case a.Score <= weakScore:
		why = ReasonScore
	case p == ProfileComposition && a.Classes != allClasses:
		why = ReasonClasses
	}
	return why != "", why
}
