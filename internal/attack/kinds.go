package attack

import "xiezhi/internal/taxonomy"

// Kinds lists the kinds of attack that the detectors look for.
func Kinds() []taxonomy.AttackKind {
	return []taxonomy.AttackKind{
		taxonomy.AttackAccountScanning, taxonomy.AttackCredentialStuffing, taxonomy.AttackBruteForce, taxonomy.AttackPasswordSpraying,
		taxonomy.AttackMassRegistration, taxonomy.AttackScraping, taxonomy.AttackBOLAExploitation, taxonomy.AttackVulnerabilityScan,
		taxonomy.AttackFlood, taxonomy.AttackBot, taxonomy.AttackSMSAbuse, taxonomy.AttackCodeCracking,
		taxonomy.AttackPromotionAbuse, taxonomy.AttackScalping, taxonomy.AttackCarding, taxonomy.AttackCrossBorderAccess,
		taxonomy.AttackTargetedLookup, taxonomy.AttackFakeEngagement,
	}
}
