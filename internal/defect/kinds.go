package defect

import "xiezhi/internal/taxonomy"

// reference names a kind in the public catalogues.
type reference struct{ owasp, cwe []string }

// about gives the references of a kind: OWASP API Security Top 10 of 2023, CWE.
func about(k taxonomy.DefectKind) reference {
	switch k {
	case taxonomy.DefectUnauthenticatedSensitive:
		return reference{[]string{"API2:2023", "API5:2023"}, []string{"CWE-306"}}
	case taxonomy.DefectUnauthenticatedFile:
		return reference{[]string{"API2:2023", "API5:2023"}, []string{"CWE-306", "CWE-425"}}
	case taxonomy.DefectOptionalAuthentication:
		return reference{[]string{"API2:2023", "API5:2023"}, []string{"CWE-287", "CWE-862"}}
	case taxonomy.DefectBOLA:
		return reference{[]string{"API1:2023"}, []string{"CWE-639"}}
	case taxonomy.DefectBFLA:
		return reference{[]string{"API5:2023"}, []string{"CWE-285", "CWE-862"}}
	case taxonomy.DefectSecretInResponse:
		return reference{[]string{"API3:2023", "API2:2023"}, []string{"CWE-201", "CWE-522"}}
	case taxonomy.DefectCodeInResponse:
		return reference{[]string{"API2:2023", "API3:2023"}, []string{"CWE-201", "CWE-522"}}
	case taxonomy.DefectDeadCredential:
		return reference{[]string{"API2:2023"}, []string{"CWE-613"}}
	case taxonomy.DefectSharedDefault:
		return reference{[]string{"API2:2023"}, []string{"CWE-1392", "CWE-521"}}
	case taxonomy.DefectStalePrivileged:
		return reference{[]string{"API2:2023"}, []string{"CWE-262", "CWE-263"}}
	case taxonomy.DefectRoleOverbroad:
		return reference{[]string{"API3:2023", "API5:2023"}, []string{"CWE-213", "CWE-359"}}
	case taxonomy.DefectWeakInUse:
		return reference{[]string{"API2:2023"}, []string{"CWE-521"}}
	case taxonomy.DefectAdminWeakOrDefault:
		return reference{[]string{"API2:2023", "API8:2023"}, []string{"CWE-1392", "CWE-521", "CWE-307"}}
	case taxonomy.DefectMaskedPlainTwin:
		return reference{[]string{"API3:2023"}, []string{"CWE-213", "CWE-359"}}
	case taxonomy.DefectInternalFields:
		return reference{[]string{"API3:2023"}, []string{"CWE-213", "CWE-200"}}
	case taxonomy.DefectWeakAccepted:
		return reference{[]string{"API2:2023"}, []string{"CWE-521"}}
	case taxonomy.DefectNoThrottling:
		return reference{[]string{"API2:2023", "API4:2023"}, []string{"CWE-307"}}
	case taxonomy.DefectBulkResponse:
		return reference{[]string{"API3:2023", "API4:2023"}, []string{"CWE-213", "CWE-770"}}
	case taxonomy.DefectIdentityOracle:
		return reference{[]string{"API2:2023"}, []string{"CWE-204"}}
	case taxonomy.DefectVerboseTrace:
		return reference{[]string{"API8:2023"}, []string{"CWE-209"}}
	case taxonomy.DefectJWTWeakSecret:
		return reference{[]string{"API2:2023", "API8:2023"}, []string{"CWE-1391", "CWE-347"}}
	case taxonomy.DefectJWTNone:
		return reference{[]string{"API2:2023", "API8:2023"}, []string{"CWE-347"}}
	case taxonomy.DefectSecretInURL:
		return reference{[]string{"API8:2023", "API2:2023"}, []string{"CWE-598"}}
	case taxonomy.DefectCleartext:
		return reference{[]string{"API8:2023", "API2:2023"}, []string{"CWE-319"}}
	case taxonomy.DefectExposedComponent:
		return reference{[]string{"API8:2023", "API9:2023"}, []string{"CWE-1188"}}
	case taxonomy.DefectAPIDocs:
		return reference{[]string{"API9:2023"}, []string{"CWE-200"}}
	case taxonomy.DefectDebugPage:
		return reference{[]string{"API8:2023"}, []string{"CWE-489"}}
	case taxonomy.DefectExposedFile:
		return reference{[]string{"API8:2023"}, []string{"CWE-538", "CWE-527"}}
	case taxonomy.DefectDirectoryListing:
		return reference{[]string{"API8:2023"}, []string{"CWE-548"}}
	case taxonomy.DefectSourceMap:
		return reference{[]string{"API8:2023"}, []string{"CWE-540"}}
	case taxonomy.DefectGraphqlIntrospection:
		return reference{[]string{"API8:2023", "API9:2023"}, []string{"CWE-200"}}
	case taxonomy.DefectJWTLifetime:
		return reference{[]string{"API2:2023"}, []string{"CWE-613"}}
	case taxonomy.DefectInsecureCookie:
		return reference{[]string{"API8:2023", "API2:2023"}, []string{"CWE-614", "CWE-1004"}}
	case taxonomy.DefectOutdatedComponent:
		return reference{[]string{"API8:2023", "API9:2023"}, []string{"CWE-1104"}}
	case taxonomy.DefectUnneededSensitive, taxonomy.DefectUnusedByFrontend:
		return reference{[]string{"API3:2023"}, []string{"CWE-213", "CWE-359"}}
	case taxonomy.DefectWeakVerificationCode:
		return reference{[]string{"API2:2023"}, []string{"CWE-330", "CWE-640"}}
	case taxonomy.DefectTimingOracle:
		return reference{[]string{"API2:2023"}, []string{"CWE-208", "CWE-204"}}
	case taxonomy.DefectDefaultSecret:
		return reference{[]string{"API2:2023", "API8:2023"}, []string{"CWE-1394", "CWE-798"}}
	case taxonomy.DefectDefaultCredential:
		return reference{[]string{"API2:2023", "API8:2023"}, []string{"CWE-1392"}}
	case taxonomy.DefectMissingRateLimitHeader:
		return reference{[]string{"API4:2023"}, []string{"CWE-770"}}
	case taxonomy.DefectInjectionSuspected:
		return reference{[]string{"API8:2023"}, []string{"CWE-89", "CWE-74"}}
	case taxonomy.DefectMassAssignment:
		return reference{[]string{"API3:2023"}, []string{"CWE-915"}}
	case taxonomy.DefectCORS:
		return reference{[]string{"API8:2023"}, []string{"CWE-942"}}
	}
	return reference{[]string{"API8:2023"}, []string{"CWE-16"}}
}
