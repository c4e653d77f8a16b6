package taxonomy

// Role is what an API is for (业务用途): the join key of the detectors.
type Role string

const (
	RoleLogin          Role = "login"
	RoleLoginCode      Role = "login_code"
	RoleRegister       Role = "register"
	RolePasswordReset  Role = "password_reset"
	RolePasswordChange Role = "password_change"
	RoleLogout         Role = "logout"
	RoleTokenRefresh   Role = "token_refresh"
	RoleCodeSend       Role = "code_send"
	RoleCodeVerify     Role = "code_verify"
	RoleIdentityCheck  Role = "identity_check"
	RoleProfile        Role = "profile"
	RoleProfileUpdate  Role = "profile_update"
	RoleList           Role = "list"
	RoleSearch         Role = "search"
	RoleDetail         Role = "detail"
	RoleQueryProgress  Role = "query_progress"
	RoleExport         Role = "export"
	RoleUpload         Role = "upload"
	RoleDownload       Role = "download"
	RoleClaim          Role = "claim"
	RoleOrderCreate    Role = "order_create"
	RoleOrderQuery     Role = "order_query"
	RoleOrderCancel    Role = "order_cancel"
	RolePayment        Role = "payment"
	RoleRefund         Role = "refund"
	RoleLike           Role = "like"
	RoleComment        Role = "comment"
	RoleFollow         Role = "follow"
	RoleView           Role = "view"
	RoleVote           Role = "vote"
	RoleInvite         Role = "invite"
	RoleAdmin          Role = "admin"
	RoleConfig         Role = "config"
	RoleHealth         Role = "health"
	RoleMetrics        Role = "metrics"
	RoleDocs           Role = "docs"
	RoleGraphql        Role = "graphql"
	RoleStatic         Role = "static"
	RolePage           Role = "page"
	RoleOther          Role = "other"
)

// Roles lists every role.
var Roles = []Role{RoleLogin, RoleLoginCode, RoleRegister, RolePasswordReset, RolePasswordChange, RoleLogout, RoleTokenRefresh, RoleCodeSend, RoleCodeVerify, RoleIdentityCheck, RoleProfile, RoleProfileUpdate, RoleList, RoleSearch, RoleDetail, RoleQueryProgress, RoleExport, RoleUpload, RoleDownload, RoleClaim, RoleOrderCreate, RoleOrderQuery, RoleOrderCancel, RolePayment, RoleRefund, RoleLike, RoleComment, RoleFollow, RoleView, RoleVote, RoleInvite, RoleAdmin, RoleConfig, RoleHealth, RoleMetrics, RoleDocs, RoleGraphql, RoleStatic, RolePage, RoleOther}
