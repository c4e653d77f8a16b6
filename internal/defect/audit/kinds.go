package audit

import "xiezhi/internal/taxonomy"

// Kinds lists the kinds of defect that the detectors look for.
func Kinds() []taxonomy.DefectKind {
	return []taxonomy.DefectKind{
		taxonomy.DefectUnauthenticatedSensitive, taxonomy.DefectOptionalAuthentication, taxonomy.DefectUnauthenticatedFile, taxonomy.DefectBOLA, taxonomy.DefectBFLA,
		taxonomy.DefectSecretInResponse, taxonomy.DefectCodeInResponse, taxonomy.DefectDeadCredential,

		taxonomy.DefectWeakAccepted, taxonomy.DefectWeakInUse, taxonomy.DefectAdminWeakOrDefault, taxonomy.DefectNoThrottling,
		taxonomy.DefectWeakVerificationCode, taxonomy.DefectSharedDefault, taxonomy.DefectStalePrivileged,

		taxonomy.DefectUnneededSensitive, taxonomy.DefectMaskedPlainTwin, taxonomy.DefectBulkResponse, taxonomy.DefectUnusedByFrontend, taxonomy.DefectInternalFields, taxonomy.DefectRoleOverbroad,

		taxonomy.DefectIdentityOracle, taxonomy.DefectTimingOracle, taxonomy.DefectVerboseTrace,

		taxonomy.DefectExposedComponent, taxonomy.DefectExposedFile, taxonomy.DefectAPIDocs, taxonomy.DefectDebugPage, taxonomy.DefectDirectoryListing, taxonomy.DefectSourceMap, taxonomy.DefectGraphqlIntrospection,
		taxonomy.DefectCORS, taxonomy.DefectJWTNone, taxonomy.DefectJWTWeakSecret, taxonomy.DefectJWTLifetime, taxonomy.DefectDefaultSecret, taxonomy.DefectDefaultCredential, taxonomy.DefectOutdatedComponent,
		taxonomy.DefectCleartext, taxonomy.DefectSecretInURL, taxonomy.DefectInsecureCookie, taxonomy.DefectMissingRateLimitHeader, taxonomy.DefectInjectionSuspected, taxonomy.DefectMassAssignment, taxonomy.DefectCustom,
	}
}
