package html

// Caps of what the page lists; docs/en/LIMITS.md has a row for each.
const (
	maxMonths   = 36     // of the chart; the table has all
	maxWorst    = 3      // findings per class in chapter 2
	maxEvidence = 3      // per finding
	maxExamples = 2      // attacks per kind in chapter 3, of the first fullKinds kinds
	fullKinds   = 3      // kinds after these have one example
	maxReasons  = 8      // per attack
	maxCases    = 8      // campaigns told in chapter 4
	maxFallback = 4      // attacks told when there are no campaigns
	maxLanes    = 10     // sites in a timeline
	maxMoments  = 12     // of a timeline
	maxTargets  = 30     // rows of a campaign's sites
	maxLinks    = 12     // rows of a campaign's links
	maxRefs     = 6      // links to attacks or defects in one place
	maxActions  = 8      // per group in chapter 5
	maxDefects  = 2_000  // rows of appendix A
	maxAttacks  = 2_000  // rows of appendix B
	maxAPIs     = 12_000 // rows of appendix C
	maxPlaces   = 200    // rows of each list in appendix D
	maxSites    = 8      // named on the cover
	fewKinds    = 6      // that chapter 1 names; appendix D has all
)
