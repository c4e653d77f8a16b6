package taxonomy

import (
	"strconv"
	"strings"
)

// Sensitive is a type of sensitive data. The zero value is "none".
type Sensitive uint8

const (
	NotSensitive Sensitive = iota
	SensPassword
	SensVerificationCode
	SensSecretKey
	SensAccessToken
	SensPrivateKey
	SensSessionID
	SensCNResidentID
	SensBankCard
	SensBiometric
	SensMedicalRecord
	SensWhereabouts
	SensMinorInfo
	SensCNMobile
	SensPhone
	SensPersonName
	SensAddress
	SensEmail
	SensPlateNumber
	SensPassport
	SensCNUSCC
	SensHKMacauPermit
	SensSocialSecurityNo
	SensMilitaryID
	SensAccountName
	SensBirthDate
	SensLocation
	SensIPAddress
	SensDeviceID
	SensIMEI
	SensMACAddress
	SensPseudonymousID
	sensitiveCount
)

// Types that people define stand behind the built-in ones, CustomPerLevel for
// each security label, so that the label is seen by the number and a set of
// types fits into 64 bits.
const (
	CustomPerLevel = 8
	firstCustom    = sensitiveCount
)

// SensitiveCount is the number of types, the zero value and the places for
// types that people define included.
const SensitiveCount = int(firstCustom) + 4*CustomPerLevel

// CustomSensitive is the n-th type that people define at a level from 1 to 4.
func CustomSensitive(level, n int) Sensitive {
	return firstCustom + Sensitive((level-1)*CustomPerLevel+n)
}

// Custom reports whether people defined the type.
func (s Sensitive) Custom() bool { return s >= firstCustom && int(s) < SensitiveCount }

var sensitiveNames = [...]string{"",
	"password", "verification_code", "secret_key", "access_token", "private_key", "session_id", "cn_resident_id", "bank_card", "biometric", "medical_record", "whereabouts", "minor_info", "cn_mobile", "phone", "person_name", "address", "email", "plate_number", "passport", "cn_uscc", "hk_macau_permit", "social_security_no", "military_id", "account_name", "birth_date", "location", "ip_address", "device_id", "imei", "mac_address", "pseudonymous_id",
}

// sensitiveLevels holds the security label S1..S4 of each type.
var sensitiveLevels = [...]uint8{0, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1}

// String gives the id; of a type that people defined its place: custom.3.0.
// CustomID gives the id that reports show.
func (s Sensitive) String() string {
	if s.Custom() {
		return CustomID(s, strconv.Itoa(int(s-firstCustom)%CustomPerLevel))
	}
	return sensitiveNames[min(int(s), len(sensitiveNames)-1)]
}

const customPrefix = "custom."

// CustomID is the id of a type that people defined under a name: it tells the
// level to whom does not know the definition.
func CustomID(s Sensitive, name string) string {
	return customPrefix + strconv.Itoa(s.Level()) + "." + name
}

// Level is the security label of the type: 4 credential, 3 identity number or
// special category, 2 ordinary personal data, 1 pseudonymous, 0 none.
func (s Sensitive) Level() int {
	if s.Custom() {
		return int(s-firstCustom)/CustomPerLevel + 1
	}
	return int(sensitiveLevels[min(int(s), len(sensitiveLevels)-1)])
}

// ParseSensitive gives the type with that id; ok is false for an unknown id. Of
// a type that people defined, it gives one of the same level.
func ParseSensitive(id string) (s Sensitive, ok bool) {
	if rest, found := strings.CutPrefix(id, customPrefix); found {
		if len(rest) < 3 || rest[0] < '1' || rest[0] > '4' || rest[1] != '.' {
			return NotSensitive, false
		}
		n := 0
		if d := rest[2] - '0'; len(rest) == 3 && d < CustomPerLevel {
			n = int(d)
		}
		return CustomSensitive(int(rest[0]-'0'), n), true
	}
	for i, n := range sensitiveNames {
		if n == id && i > 0 {
			return Sensitive(i), true
		}
	}
	return NotSensitive, false
}
