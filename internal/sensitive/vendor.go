package sensitive

import "xiezhi/internal/taxonomy"

// A vendorKey is the published form of an issuer's credential: a prefix and
// a body of a known length and alphabet that fill a whole token run.
type vendorKey struct {
	prefix   string
	min, max int   // length of the body
	body     uint8 // byte classes that the body may use
	mixed    bool  // the body needs a digit and both cases: the prefix alone says little
	hex      bool  // the body is lower-case hexadecimal
	kind     taxonomy.Sensitive
}

const (
	alnum = cDigit | cLetter
	upnum = cDigit | cUpper
	any64 = cToken
)

// vendorKeys holds the forms by issuer; vendorIndex finds them by first byte.
var vendorKeys = []vendorKey{
	// Amazon access key ids: user, temporary, bearer, context, organisation
	{prefix: "AKIA", min: 16, max: 16, body: upnum, kind: taxonomy.SensSecretKey},
	{prefix: "ASIA", min: 16, max: 16, body: upnum, kind: taxonomy.SensSecretKey},
	{prefix: "ABIA", min: 16, max: 16, body: upnum, kind: taxonomy.SensSecretKey},
	{prefix: "ACCA", min: 16, max: 16, body: upnum, kind: taxonomy.SensSecretKey},
	{prefix: "A3T", min: 17, max: 17, body: upnum, kind: taxonomy.SensSecretKey},
	// Alibaba Cloud, Tencent Cloud, Baidu Cloud, Volcengine, JD Cloud
	{prefix: "LTAI", min: 12, max: 26, body: alnum, mixed: true, kind: taxonomy.SensSecretKey},
	{prefix: "AKID", min: 32, max: 44, body: alnum, mixed: true, kind: taxonomy.SensSecretKey},
	{prefix: "ALTAK", min: 21, max: 30, body: alnum, mixed: true, kind: taxonomy.SensSecretKey},
	{prefix: "AKLT", min: 30, max: 128, body: any64, mixed: true, kind: taxonomy.SensSecretKey},
	{prefix: "JDC_", min: 28, max: 36, body: upnum, kind: taxonomy.SensSecretKey},
	// Google: API key, OAuth client secret
	{prefix: "AIza", min: 35, max: 35, body: any64, mixed: true, kind: taxonomy.SensSecretKey},
	{prefix: "GOCSPX-", min: 28, max: 28, body: any64, kind: taxonomy.SensSecretKey},
	// GitHub: personal, OAuth, user to server, server to server, refresh
	{prefix: "ghp_", min: 36, max: 251, body: alnum, kind: taxonomy.SensAccessToken},
	{prefix: "gho_", min: 36, max: 251, body: alnum, kind: taxonomy.SensAccessToken},
	{prefix: "ghu_", min: 36, max: 251, body: alnum, kind: taxonomy.SensAccessToken},
	{prefix: "ghs_", min: 36, max: 251, body: any64, kind: taxonomy.SensAccessToken},
	{prefix: "ghr_", min: 36, max: 251, body: alnum, kind: taxonomy.SensAccessToken},
	{prefix: "github_pat_", min: 82, max: 82, body: alnum | cUnder, kind: taxonomy.SensAccessToken},
	// GitLab: the family of prefixed tokens
	{prefix: "glpat-", min: 20, max: 50, body: any64, kind: taxonomy.SensAccessToken},
	{prefix: "gldt-", min: 20, max: 50, body: any64, kind: taxonomy.SensAccessToken},
	{prefix: "glft-", min: 20, max: 50, body: any64, kind: taxonomy.SensAccessToken},
	{prefix: "glrt-", min: 20, max: 50, body: any64, kind: taxonomy.SensAccessToken},
	{prefix: "glsoat-", min: 20, max: 50, body: any64, kind: taxonomy.SensAccessToken},
	{prefix: "glcbt-", min: 20, max: 56, body: any64, kind: taxonomy.SensAccessToken},
	{prefix: "glimt-", min: 25, max: 25, body: any64, kind: taxonomy.SensAccessToken},
	{prefix: "glptt-", min: 40, max: 40, body: any64, kind: taxonomy.SensAccessToken},
	{prefix: "gloas-", min: 64, max: 64, body: any64, kind: taxonomy.SensSecretKey},
	{prefix: "glagent-", min: 50, max: 1024, body: any64, kind: taxonomy.SensAccessToken},
	{prefix: "glffct-", min: 20, max: 20, body: any64, kind: taxonomy.SensAccessToken},
	{prefix: "GR1348941", min: 20, max: 50, body: any64, kind: taxonomy.SensAccessToken},
	// Gitee has no prefix; npm, PyPI, Docker, crates.io
	{prefix: "npm_", min: 36, max: 36, body: alnum, kind: taxonomy.SensAccessToken},
	{prefix: "pypi-AgEIcHlwaS5vcmc", min: 70, max: 1024, body: any64, kind: taxonomy.SensAccessToken},
	{prefix: "pypi-AgENdGVzdC5weXBpLm9yZw", min: 70, max: 1024, body: any64, kind: taxonomy.SensAccessToken},
	{prefix: "dckr_pat_", min: 27, max: 27, body: any64, kind: taxonomy.SensAccessToken},
	{prefix: "cio", min: 32, max: 32, body: alnum, mixed: true, kind: taxonomy.SensAccessToken},
	// Stripe, Square, Twilio, PayPal Braintree, Shopify
	{prefix: "sk_live_", min: 24, max: 247, body: alnum, kind: taxonomy.SensSecretKey},
	{prefix: "rk_live_", min: 24, max: 247, body: alnum, kind: taxonomy.SensSecretKey},
	{prefix: "whsec_", min: 32, max: 64, body: alnum, kind: taxonomy.SensSecretKey},
	{prefix: "sq0atp-", min: 22, max: 22, body: any64, kind: taxonomy.SensAccessToken},
	{prefix: "sq0csp-", min: 43, max: 43, body: any64, kind: taxonomy.SensSecretKey},
	{prefix: "EAAA", min: 60, max: 60, body: any64, mixed: true, kind: taxonomy.SensAccessToken},
	{prefix: "SK", min: 32, max: 32, hex: true, kind: taxonomy.SensSecretKey},
	{prefix: "AC", min: 32, max: 32, hex: true, kind: taxonomy.SensSecretKey},
	{prefix: "shpat_", min: 32, max: 32, hex: true, kind: taxonomy.SensAccessToken},
	{prefix: "shpss_", min: 32, max: 32, hex: true, kind: taxonomy.SensSecretKey},
	// Slack; app level tokens begin with xapp
	{prefix: "xapp-1-", min: 40, max: 160, body: any64, mixed: true, kind: taxonomy.SensAccessToken},
	// JFrog Artifactory: API key, encrypted password
	{prefix: "AKC", min: 10, max: 128, body: alnum, mixed: true, kind: taxonomy.SensSecretKey},
	// DigitalOcean, Databricks, Hugging Face, Notion, Linear, Grafana, New Relic
	{prefix: "dop_v1_", min: 64, max: 64, hex: true, kind: taxonomy.SensAccessToken},
	{prefix: "dapi", min: 32, max: 32, hex: true, kind: taxonomy.SensAccessToken},
	{prefix: "hf_", min: 34, max: 37, body: alnum, mixed: true, kind: taxonomy.SensAccessToken},
	{prefix: "ntn_", min: 40, max: 50, body: alnum, mixed: true, kind: taxonomy.SensAccessToken},
	{prefix: "lin_api_", min: 40, max: 40, body: alnum, kind: taxonomy.SensAccessToken},
	{prefix: "glsa_", min: 40, max: 48, body: alnum | cUnder, kind: taxonomy.SensAccessToken},
	{prefix: "NRAK-", min: 27, max: 27, body: upnum, kind: taxonomy.SensSecretKey},
	// model services: Anthropic, Groq, and the sk- with 32 hexadecimal digits of DashScope and DeepSeek
	{prefix: "sk-ant-", min: 80, max: 120, body: any64, kind: taxonomy.SensSecretKey},
	{prefix: "gsk_", min: 52, max: 52, body: alnum, mixed: true, kind: taxonomy.SensSecretKey},
	{prefix: "sk-", min: 32, max: 32, hex: true, kind: taxonomy.SensSecretKey},
	{prefix: "PuTTY-User-Key-File-", min: 1, max: 1, body: cDigit, kind: taxonomy.SensPrivateKey},
}

// vendorIndex lists the forms by the first byte of their prefix.
var vendorIndex = func() (t [256][]vendorKey) {
	for _, k := range vendorKeys {
		t[k.prefix[0]] = append(t[k.prefix[0]], k)
	}
	return t
}()

func (k *vendorKey) match(r []byte) bool {
	n := len(r) - len(k.prefix)
	if n < k.min || n > k.max || string(r[:len(k.prefix)]) != k.prefix {
		return false
	}
	body := r[len(k.prefix):]
	if k.hex {
		return lowerHex(body) && !monotonous(body)
	}
	or := classOf(body)
	if or&^k.body != 0 || k.mixed && (or&cDigit == 0 || or&cUpper == 0 || or&cLower == 0) {
		return false
	}
	return n < 8 || !monotonous(body)
}

func lowerHex(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// monotonous reports dummies: fewer than four different bytes, or the word
// EXAMPLE that documentation puts into its keys.
func monotonous(b []byte) bool {
	var seen [256]bool
	distinct := 0
	for i, c := range b {
		if !seen[c] {
			seen[c] = true
			distinct++
		}
		if c == 'E' && i+7 <= len(b) && string(b[i:i+7]) == "EXAMPLE" {
			return true
		}
	}
	return distinct < 4
}
