package sensitive

import "xiezhi/internal/taxonomy"

// Hint is what a field name promises about its value.
type Hint uint8

const (
	HintNone Hint = iota
	HintPassword
	HintVerificationCode
	HintSecretKey
	HintToken
	HintPrivateKey
	HintSessionID
	HintResidentID
	HintDocument // some identity document, which one the value tells: 证件号码
	HintBankCard
	HintCard // some card number: bank, membership, access
	HintBiometric
	HintMedical
	HintWhereabouts
	HintMinor
	HintMobile
	HintPhone
	HintName
	HintAnyName // "name" of nobody in particular: a person only if it looks like one
	HintAddress
	HintEmail
	HintPlate
	HintPassport
	HintUSCC
	HintHKMacauPermit
	HintSocialSecurity
	HintMilitaryID
	HintAccountName
	HintBirthDate
	HintLocation
	HintIP
	HintDeviceID
	HintIMEI
	HintMAC
	HintPseudonym
	hintCount
)

var hintNames = [hintCount]string{
	"", "password", "verification_code", "secret_key", "token", "private_key", "session_id",
	"resident_id", "document", "bank_card", "card", "biometric", "medical", "whereabouts", "minor",
	"mobile", "phone", "name", "any_name", "address", "email", "plate", "passport", "uscc",
	"hk_macau_permit", "social_security", "military_id", "account_name", "birth_date", "location",
	"ip", "device_id", "imei", "mac", "pseudonym",
}

var hintTypes = [hintCount]taxonomy.Sensitive{
	HintPassword:         taxonomy.SensPassword,
	HintVerificationCode: taxonomy.SensVerificationCode,
	HintSecretKey:        taxonomy.SensSecretKey,
	HintToken:            taxonomy.SensAccessToken,
	HintPrivateKey:       taxonomy.SensPrivateKey,
	HintSessionID:        taxonomy.SensSessionID,
	HintResidentID:       taxonomy.SensCNResidentID,
	HintDocument:         taxonomy.SensCNResidentID,
	HintBankCard:         taxonomy.SensBankCard,
	HintCard:             taxonomy.SensBankCard,
	HintBiometric:        taxonomy.SensBiometric,
	HintMedical:          taxonomy.SensMedicalRecord,
	HintWhereabouts:      taxonomy.SensWhereabouts,
	HintMinor:            taxonomy.SensMinorInfo,
	HintMobile:           taxonomy.SensCNMobile,
	HintPhone:            taxonomy.SensPhone,
	HintName:             taxonomy.SensPersonName,
	HintAnyName:          taxonomy.SensPersonName,
	HintAddress:          taxonomy.SensAddress,
	HintEmail:            taxonomy.SensEmail,
	HintPlate:            taxonomy.SensPlateNumber,
	HintPassport:         taxonomy.SensPassport,
	HintUSCC:             taxonomy.SensCNUSCC,
	HintHKMacauPermit:    taxonomy.SensHKMacauPermit,
	HintSocialSecurity:   taxonomy.SensSocialSecurityNo,
	HintMilitaryID:       taxonomy.SensMilitaryID,
	HintAccountName:      taxonomy.SensAccountName,
	HintBirthDate:        taxonomy.SensBirthDate,
	HintLocation:         taxonomy.SensLocation,
	HintIP:               taxonomy.SensIPAddress,
	HintDeviceID:         taxonomy.SensDeviceID,
	HintIMEI:             taxonomy.SensIMEI,
	HintMAC:              taxonomy.SensMACAddress,
	HintPseudonym:        taxonomy.SensPseudonymousID,
}

func (h Hint) String() string {
	if h >= hintCount {
		return ""
	}
	return hintNames[h]
}

// Type is the type of data that the name promises first; NotSensitive for
// HintNone.
func (h Hint) Type() taxonomy.Sensitive {
	if h >= hintCount {
		return taxonomy.NotSensitive
	}
	return hintTypes[h]
}
