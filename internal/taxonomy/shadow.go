package taxonomy

// ShadowState says how an API stands to the documentation.
type ShadowState string

const (
	Documented        ShadowState = "documented"
	Shadow            ShadowState = "shadow"             // in traffic, not in the documentation
	Zombie            ShadowState = "zombie"             // retired, and asked for again
	Orphan            ShadowState = "orphan"             // in the documentation, never in traffic
	DeprecatedVersion ShadowState = "deprecated_version" // an older version beside a newer one
)
