package taxonomy

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

// SensitiveCount is the number of types, the zero value included.
const SensitiveCount = int(sensitiveCount)

var sensitiveNames = [...]string{"",
	"password", "verification_code", "secret_key", "access_token", "private_key", "session_id", "cn_resident_id", "bank_card", "biometric", "medical_record", "whereabouts", "minor_info", "cn_mobile", "phone", "person_name", "address", "email", "plate_number", "passport", "cn_uscc", "hk_macau_permit", "social_security_no", "military_id", "account_name", "birth_date", "location", "ip_address", "device_id", "imei", "mac_address", "pseudonymous_id",
}

// sensitiveLevels holds the security label S1..S4 of each type.
var sensitiveLevels = [...]uint8{0, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1}

func (s Sensitive) String() string { return sensitiveNames[min(int(s), len(sensitiveNames)-1)] }

// Level is the security label of the type: 4 credential, 3 identity number or
// special category, 2 ordinary personal data, 1 pseudonymous, 0 none.
func (s Sensitive) Level() int { return int(sensitiveLevels[min(int(s), len(sensitiveLevels)-1)]) }

// ParseSensitive gives the type with that id; ok is false for an unknown id.
func ParseSensitive(id string) (s Sensitive, ok bool) {
	for i, n := range sensitiveNames {
		if n == id && i > 0 {
			return Sensitive(i), true
		}
	}
	return NotSensitive, false
}
