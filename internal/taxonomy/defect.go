package taxonomy

// DefectClass is one of the report's five classes of defect, in its order.
type DefectClass string

const (
	ClassUnauthorizedAccess DefectClass = "unauthorized_access"
	ClassWeakPassword       DefectClass = "weak_password"
	ClassExcessiveExposure  DefectClass = "excessive_exposure"
	ClassRevealingError     DefectClass = "revealing_error"
	ClassMisconfiguration   DefectClass = "misconfiguration"
)

// DefectClasses lists the classes in the report's order.
var DefectClasses = []DefectClass{ClassUnauthorizedAccess, ClassWeakPassword, ClassExcessiveExposure, ClassRevealingError, ClassMisconfiguration}

// DefectKind is a kind of defect within a class.
type DefectKind string

const (
	DefectUnauthenticatedSensitive DefectKind = "unauthenticated_sensitive"
	DefectOptionalAuthentication   DefectKind = "optional_authentication"
	DefectBOLA                     DefectKind = "bola"
	DefectBFLA                     DefectKind = "bfla"
	DefectSecretInResponse         DefectKind = "secret_in_response"
	DefectCodeInResponse           DefectKind = "code_in_response"
	DefectDeadCredential           DefectKind = "dead_credential"
	DefectUnauthenticatedFile      DefectKind = "unauthenticated_file"
	DefectWeakAccepted             DefectKind = "weak_accepted"
	DefectWeakInUse                DefectKind = "weak_in_use"
	DefectAdminWeakOrDefault       DefectKind = "admin_weak_or_default"
	DefectNoThrottling             DefectKind = "no_throttling"
	DefectWeakVerificationCode     DefectKind = "weak_verification_code"
	DefectSharedDefault            DefectKind = "shared_default"
	DefectStalePrivileged          DefectKind = "stale_privileged"
	DefectUnneededSensitive        DefectKind = "unneeded_sensitive"
	DefectMaskedPlainTwin          DefectKind = "masked_plain_twin"
	DefectBulkResponse             DefectKind = "bulk_response"
	DefectUnusedByFrontend         DefectKind = "unused_by_frontend"
	DefectInternalFields           DefectKind = "internal_fields"
	DefectRoleOverbroad            DefectKind = "role_overbroad"
	DefectIdentityOracle           DefectKind = "identity_oracle"
	DefectTimingOracle             DefectKind = "timing_oracle"
	DefectVerboseTrace             DefectKind = "verbose_trace"
	DefectExposedComponent         DefectKind = "exposed_component"
	DefectExposedFile              DefectKind = "exposed_file"
	DefectAPIDocs                  DefectKind = "api_docs"
	DefectDebugPage                DefectKind = "debug_page"
	DefectDirectoryListing         DefectKind = "directory_listing"
	DefectSourceMap                DefectKind = "source_map"
	DefectGraphqlIntrospection     DefectKind = "graphql_introspection"
	DefectCORS                     DefectKind = "cors"
	DefectJWTNone                  DefectKind = "jwt_none"
	DefectJWTWeakSecret            DefectKind = "jwt_weak_secret"
	DefectJWTLifetime              DefectKind = "jwt_lifetime"
	DefectDefaultSecret            DefectKind = "default_secret"
	DefectDefaultCredential        DefectKind = "default_credential"
	DefectOutdatedComponent        DefectKind = "outdated_component"
	DefectCleartext                DefectKind = "cleartext"
	DefectSecretInURL              DefectKind = "secret_in_url"
	DefectInsecureCookie           DefectKind = "insecure_cookie"
	DefectMissingRateLimitHeader   DefectKind = "missing_rate_limit_header"
	DefectInjectionSuspected       DefectKind = "injection_suspected"
	DefectMassAssignment           DefectKind = "mass_assignment"
	DefectCustom                   DefectKind = "custom"
)

// ClassOf gives the class of every defect kind.
var ClassOf = map[DefectKind]DefectClass{
	DefectUnauthenticatedSensitive: ClassUnauthorizedAccess,
	DefectOptionalAuthentication:   ClassUnauthorizedAccess,
	DefectBOLA:                     ClassUnauthorizedAccess,
	DefectBFLA:                     ClassUnauthorizedAccess,
	DefectSecretInResponse:         ClassUnauthorizedAccess,
	DefectCodeInResponse:           ClassUnauthorizedAccess,
	DefectDeadCredential:           ClassUnauthorizedAccess,
	DefectUnauthenticatedFile:      ClassUnauthorizedAccess,
	DefectWeakAccepted:             ClassWeakPassword,
	DefectWeakInUse:                ClassWeakPassword,
	DefectAdminWeakOrDefault:       ClassWeakPassword,
	DefectNoThrottling:             ClassWeakPassword,
	DefectWeakVerificationCode:     ClassWeakPassword,
	DefectSharedDefault:            ClassWeakPassword,
	DefectStalePrivileged:          ClassWeakPassword,
	DefectUnneededSensitive:        ClassExcessiveExposure,
	DefectMaskedPlainTwin:          ClassExcessiveExposure,
	DefectBulkResponse:             ClassExcessiveExposure,
	DefectUnusedByFrontend:         ClassExcessiveExposure,
	DefectInternalFields:           ClassExcessiveExposure,
	DefectRoleOverbroad:            ClassExcessiveExposure,
	DefectIdentityOracle:           ClassRevealingError,
	DefectTimingOracle:             ClassRevealingError,
	DefectVerboseTrace:             ClassRevealingError,
	DefectExposedComponent:         ClassMisconfiguration,
	DefectExposedFile:              ClassMisconfiguration,
	DefectAPIDocs:                  ClassMisconfiguration,
	DefectDebugPage:                ClassMisconfiguration,
	DefectDirectoryListing:         ClassMisconfiguration,
	DefectSourceMap:                ClassMisconfiguration,
	DefectGraphqlIntrospection:     ClassMisconfiguration,
	DefectCORS:                     ClassMisconfiguration,
	DefectJWTNone:                  ClassMisconfiguration,
	DefectJWTWeakSecret:            ClassMisconfiguration,
	DefectJWTLifetime:              ClassMisconfiguration,
	DefectDefaultSecret:            ClassMisconfiguration,
	DefectDefaultCredential:        ClassMisconfiguration,
	DefectOutdatedComponent:        ClassMisconfiguration,
	DefectCleartext:                ClassMisconfiguration,
	DefectSecretInURL:              ClassMisconfiguration,
	DefectInsecureCookie:           ClassMisconfiguration,
	DefectMissingRateLimitHeader:   ClassMisconfiguration,
	DefectInjectionSuspected:       ClassMisconfiguration,
	DefectMassAssignment:           ClassMisconfiguration,
	DefectCustom:                   ClassMisconfiguration,
}
