package taxonomy

// Industry of a site.
type Industry string

const (
	IndustryDigitalCollectibles Industry = "digital_collectibles"
	IndustryFinance             Industry = "finance"
	IndustryGovernment          Industry = "government"
	IndustryGaming              Industry = "gaming"
	IndustrySocial              Industry = "social"
	IndustryEcommerce           Industry = "ecommerce"
	IndustryManufacturing       Industry = "manufacturing"
	IndustryParking             Industry = "parking"
	IndustryTravel              Industry = "travel"
	IndustryHealthcare          Industry = "healthcare"
	IndustryEducation           Industry = "education"
	IndustryMedia               Industry = "media"
	IndustryTelecom             Industry = "telecom"
	IndustryOther               Industry = "other"
)

// Industries lists every industry.
var Industries = []Industry{IndustryDigitalCollectibles, IndustryFinance, IndustryGovernment, IndustryGaming, IndustrySocial, IndustryEcommerce, IndustryManufacturing, IndustryParking, IndustryTravel, IndustryHealthcare, IndustryEducation, IndustryMedia, IndustryTelecom, IndustryOther}
