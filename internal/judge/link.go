package judge

import (
	"slices"

	"xiezhi/internal/attack"
	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/taxonomy"
)

// exploits says which kinds of defect a kind of attack lives on, when both are
// on the same API. It is the report's reading: account scanning needs an error
// that tells accounts apart, stuffing and brute force need a login without a
// brake and passwords that can be guessed, scraping needs data that is given
// to anybody or in bulk.
var exploits = map[taxonomy.AttackKind][]taxonomy.DefectKind{
	taxonomy.AttackAccountScanning:    {taxonomy.DefectIdentityOracle, taxonomy.DefectTimingOracle, taxonomy.DefectNoThrottling},
	taxonomy.AttackCredentialStuffing: {taxonomy.DefectNoThrottling, taxonomy.DefectIdentityOracle, taxonomy.DefectWeakAccepted, taxonomy.DefectWeakInUse, taxonomy.DefectAdminWeakOrDefault},
	taxonomy.AttackBruteForce:         {taxonomy.DefectNoThrottling, taxonomy.DefectWeakAccepted, taxonomy.DefectWeakInUse, taxonomy.DefectAdminWeakOrDefault, taxonomy.DefectIdentityOracle},
	taxonomy.AttackPasswordSpraying: {taxonomy.DefectNoThrottling, taxonomy.DefectWeakAccepted, taxonomy.DefectWeakInUse, taxonomy.DefectAdminWeakOrDefault, taxonomy.DefectSharedDefault,
		taxonomy.DefectIdentityOracle},
	taxonomy.AttackCodeCracking:     {taxonomy.DefectWeakVerificationCode, taxonomy.DefectNoThrottling, taxonomy.DefectCodeInResponse},
	taxonomy.AttackMassRegistration: {taxonomy.DefectWeakAccepted, taxonomy.DefectNoThrottling, taxonomy.DefectMassAssignment, taxonomy.DefectCodeInResponse},
	taxonomy.AttackSMSAbuse:         {taxonomy.DefectNoThrottling, taxonomy.DefectCodeInResponse},
	taxonomy.AttackScraping: {taxonomy.DefectUnauthenticatedSensitive, taxonomy.DefectOptionalAuthentication, taxonomy.DefectBOLA, taxonomy.DefectBulkResponse,
		taxonomy.DefectSecretInResponse, taxonomy.DefectUnneededSensitive, taxonomy.DefectMaskedPlainTwin, taxonomy.DefectInternalFields},
	taxonomy.AttackCrossBorderAccess: {taxonomy.DefectUnauthenticatedSensitive, taxonomy.DefectOptionalAuthentication, taxonomy.DefectBOLA, taxonomy.DefectBulkResponse, taxonomy.DefectUnneededSensitive},
	taxonomy.AttackBOLAExploitation:  {taxonomy.DefectBOLA, taxonomy.DefectBFLA, taxonomy.DefectUnauthenticatedSensitive, taxonomy.DefectSecretInResponse},
	taxonomy.AttackTargetedLookup:    {taxonomy.DefectUnauthenticatedSensitive, taxonomy.DefectBOLA, taxonomy.DefectIdentityOracle},
	taxonomy.AttackBot:               {taxonomy.DefectNoThrottling, taxonomy.DefectUnauthenticatedSensitive},
	taxonomy.AttackVulnerabilityScan: {taxonomy.DefectVerboseTrace, taxonomy.DefectExposedComponent, taxonomy.DefectExposedFile, taxonomy.DefectDebugPage,
		taxonomy.DefectDirectoryListing, taxonomy.DefectGraphqlIntrospection, taxonomy.DefectAdminWeakOrDefault,
		taxonomy.DefectInjectionSuspected},
}

// link ties attacks to the defects they exploit: same API, fitting kinds. A
// scan that names no API is tied to what its kind looks for only on the APIs
// that it reached.
func link(attacks []attack.Finding, defects []defect.Finding) {
	onAPI := map[catalog.Handle][]int{}
	for i := range defects {
		onAPI[defects[i].API] = append(onAPI[defects[i].API], i)
	}
	for i := range attacks {
		a := &attacks[i]
		if a.Verdict < taxonomy.Likely {
			continue
		}
		kinds := exploits[a.Kind]
		for _, h := range a.Selector.APIs {
			for _, d := range onAPI[h] {
				f := &defects[d]
				if !slices.Contains(kinds, f.Kind) || f.First > a.Last {
					continue
				}
				a.Through = append(a.Through, f.ID)
				f.ExploitedBy = append(f.ExploitedBy, a.ID)
			}
		}
		slices.Sort(a.Through)
		a.Through = slices.Compact(a.Through)
	}
	for i := range defects {
		slices.Sort(defects[i].ExploitedBy)
		defects[i].ExploitedBy = slices.Compact(defects[i].ExploitedBy)
		if len(defects[i].ExploitedBy) > 0 {
			defects[i].Escalate()
		}
	}
}
