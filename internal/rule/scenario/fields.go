package scenario

// field is what a scenario can read of an event. CrowdSec's parsers give the
// same thing under several names; a field of ours is one thing.
type field uint8

const (
	fService field = iota
	fLogType
	fSubType
	fAddress
	fStatus
	fVerb
	fTarget  // as sent, with the query
	fRequest // up to the last question mark
	fArgs    // after it
	fArgsLen
	fDir
	fFrag // of the file name, what stands before its extension
	fExt
	fName
	fStatic
	fDone
	fAgent
	fReferer
	fHost
	fVersion
	fBytes
	nFields
)

// fieldNames are the fields of CrowdSec's HTTP parsers (nginx, apache2, caddy,
// traefik, haproxy, http-logs …).
var fieldNames = map[string]field{
	"Meta.service":             fService,
	"Meta.log_type":            fLogType,
	"Meta.sub_type":            fSubType,
	"Meta.source_ip":           fAddress,
	"Meta.http_status":         fStatus,
	"Meta.http_verb":           fVerb,
	"Meta.http_path":           fTarget,
	"Meta.http_user_agent":     fAgent,
	"Meta.http_args_len":       fArgsLen,
	"Meta.target_fqdn":         fHost,
	"Parsed.remote_addr":       fAddress,
	"Parsed.clientip":          fAddress,
	"Parsed.remote_ip":         fAddress,
	"Parsed.status":            fStatus,
	"Parsed.response":          fStatus,
	"Parsed.verb":              fVerb,
	"Parsed.http_path":         fTarget,
	"Parsed.rawrequest":        fTarget,
	"Parsed.request":           fRequest,
	"Parsed.http_args":         fArgs,
	"Parsed.file_dir":          fDir,
	"Parsed.file_frag":         fFrag,
	"Parsed.file_ext":          fExt,
	"Parsed.file_name":         fName,
	"Parsed.static_ressource":  fStatic,
	"Parsed.impact_completion": fDone,
	"Parsed.http_user_agent":   fAgent,
	"Parsed.http_referer":      fReferer,
	"Parsed.referrer":          fReferer,
	"Parsed.target_fqdn":       fHost,
	"Parsed.http_version":      fVersion,
	"Parsed.httpversion":       fVersion,
	"Parsed.body_bytes_sent":   fBytes,
	"Parsed.bytes":             fBytes,
}

const (
	accessLog = "http_access-log"
	errorLog  = "http_error-log"
)

// domains are what fields with few values can be.
var domains = map[field][]string{
	fService: {"http"},
	fLogType: {accessLog, errorLog},
	fSubType: {"", "auth_fail", "req_limit_exceeded", "litespeed_admin_auth_fail"},
	fStatic:  {"true", "false"},
	fDone:    {"true", "false"},
}

// statics are the extensions that CrowdSec's http-logs parser takes for static
// resources, in capitals.
var statics = map[string]bool{".JPG": true, ".CSS": true, ".JS": true, ".JPEG": true, ".PNG": true, ".SVG": true, ".MAP": true, ".ICO": true, ".OTF": true, ".GIF": true,
	".MP3": true, ".MP4": true, ".WOFF": true, ".WOFF2": true, ".TTF": true, ".EOT": true, ".WEBP": true, ".WAV": true, ".GZ": true, ".BROTLI": true, ".BVR": true, ".TS": true,
	".BMP": true, ".AVIF": true, ".MJS": true}
