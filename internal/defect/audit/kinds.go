package audit

import "xiezhi/internal/taxonomy"

// Kinds lists the kinds of defect that the detectors look for.
func Kinds() []taxonomy.DefectKind {
	return []taxonomy.DefectKind{
		taxonomy.DefectUnauthenticatedSensitive, taxonomy.DefectOptionalAuthentication, taxonomy.DefectUnauthenticatedFile, taxonomy.DefectBOLA, taxonomy.DefectSecretInResponse, taxonomy.DefectCodeInResponse,
		taxonomy.DefectDeadCredential, taxonomy.DefectBFLA, taxonomy.DefectSharedDefault, taxonomy.DefectStalePrivileged, taxonomy.DefectRoleOverbroad,
		taxonomy.DefectWeakAccepted, taxonomy.DefectWeakInUse, taxonomy.DefectAdminWeakOrDefault, taxonomy.DefectNoThrottling,
		taxonomy.DefectBulkResponse, taxonomy.DefectMaskedPlainTwin, taxonomy.DefectInternalFields,
		taxonomy.DefectIdentityOracle, taxonomy.DefectVerboseTrace,
		taxonomy.DefectExposedComponent, taxonomy.DefectExposedFile, taxonomy.DefectAPIDocs, taxonomy.DefectDebugPage,
		taxonomy.DefectDirectoryListing, taxonomy.DefectSourceMap, taxonomy.DefectGraphqlIntrospection, taxonomy.DefectCORS, taxonomy.DefectJWTNone, taxonomy.DefectJWTWeakSecret,
		taxonomy.DefectCleartext, taxonomy.DefectSecretInURL, taxonomy.DefectJWTLifetime, taxonomy.DefectInsecureCookie, taxonomy.DefectOutdatedComponent, taxonomy.DefectCustom,
	}
}
