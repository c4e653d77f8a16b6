package api

import v1 "xiezhi/internal/api/v1"

// access says who may ask for an operation.
type access struct {
	least  v1.Role // the least of the roles that may; empty: anyone, signed in or not
	people bool    // in a session only: not with a token
}

// ranks orders the roles: each may do all that the one before may.
var ranks = map[v1.Role]int{v1.RoleViewer: 1, v1.RoleAnalyst: 2, v1.RoleResponder: 3, v1.RoleAdministrator: 4}

// table is the one place that says who may do what. An operation that is not
// in it is not served.
var table = map[string]access{
	"GET /api/v1/health":              {},
	"GET /api/v1/setup":               {},
	"POST /api/v1/setup":              {},
	"POST /api/v1/session":            {},
	"POST /api/v1/session/invitation": {},
	"GET /api/v1/session":             {least: v1.RoleViewer},
	"DELETE /api/v1/session":          {least: v1.RoleViewer, people: true},
	"PUT /api/v1/session/password":    {least: v1.RoleViewer, people: true},

	"GET /api/v1/sites":                {least: v1.RoleViewer},
	"GET /api/v1/sites/{site}":         {least: v1.RoleViewer},
	"GET /api/v1/sites/{site}/openapi": {least: v1.RoleViewer},
	"GET /api/v1/apis":                 {least: v1.RoleViewer},
	"GET /api/v1/apis/{id}":            {least: v1.RoleViewer},
	"GET /api/v1/defects":              {least: v1.RoleViewer},
	"GET /api/v1/defects/{id}":         {least: v1.RoleViewer},
	"GET /api/v1/attacks":              {least: v1.RoleViewer},
	"GET /api/v1/attacks/{id}":         {least: v1.RoleViewer},
	"GET /api/v1/campaigns":            {least: v1.RoleViewer},
	"GET /api/v1/campaigns/{id}":       {least: v1.RoleViewer},
	"GET /api/v1/exposure":             {least: v1.RoleViewer},
	"GET /api/v1/overview":             {least: v1.RoleViewer},
	"GET /api/v1/counts/attacked":      {least: v1.RoleViewer},
	"GET /api/v1/agenda":               {least: v1.RoleViewer},
	"GET /api/v1/counts/apis":          {least: v1.RoleViewer},
	"GET /api/v1/counts/defects":       {least: v1.RoleViewer},
	"GET /api/v1/counts/activity":      {least: v1.RoleViewer},
	"GET /api/v1/counts/attacks":       {least: v1.RoleViewer},
	"GET /api/v1/counts/campaigns":     {least: v1.RoleViewer},
	"GET /api/v1/observations":         {least: v1.RoleViewer},
	"GET /api/v1/observations/series":  {least: v1.RoleViewer},
	"GET /api/v1/observations/top":     {least: v1.RoleViewer},
	"GET /api/v1/observations/pivot":   {least: v1.RoleViewer},
	"GET /api/v1/observations/days":    {least: v1.RoleViewer},
	"GET /api/v1/report":               {least: v1.RoleViewer},
	"GET /api/v1/policy":               {least: v1.RoleViewer},
	"GET /api/v1/policy/{id}":          {least: v1.RoleViewer},
	"GET /api/v1/rules":                {least: v1.RoleViewer},
	"GET /api/v1/settings":             {least: v1.RoleViewer},
	"GET /api/v1/status":               {least: v1.RoleViewer},
	"GET /api/v1/events":               {least: v1.RoleViewer},

	"GET /api/v1/notifications":                        {least: v1.RoleAdministrator},
	"POST /api/v1/notifications/receivers/{name}/test": {least: v1.RoleAdministrator},
	"POST /api/v1/notifications/dead/{id}/resend":      {least: v1.RoleAdministrator},
	"DELETE /api/v1/notifications/dead/{id}":           {least: v1.RoleAdministrator},

	"GET /api/v1/entities/{kind}/{key}": {least: v1.RoleViewer},
	"GET /api/v1/search":                {least: v1.RoleViewer},

	"GET /api/v1/apis/{id}/history":       {least: v1.RoleViewer},
	"GET /api/v1/sites/{site}/drift":      {least: v1.RoleViewer},
	"GET /api/v1/sensors":                 {least: v1.RoleViewer},
	"GET /api/v1/campaigns/{id}/timeline": {least: v1.RoleViewer},
	"GET /api/v1/attacks/{id}/contrast":   {least: v1.RoleViewer},

	"POST /api/v1/defects/{id}/verdict": {least: v1.RoleAnalyst},
	"POST /api/v1/defects/{id}/fix":     {least: v1.RoleAnalyst},
	"POST /api/v1/verdicts":             {least: v1.RoleAnalyst},
	"POST /api/v1/sites/{site}/drift":   {least: v1.RoleAnalyst},
	"POST /api/v1/templates":            {least: v1.RoleAnalyst},
	"POST /api/v1/rules/test":           {least: v1.RoleAnalyst},
	"POST /api/v1/policy/preview":       {least: v1.RoleAnalyst},

	"GET /api/v1/hunts":             {least: v1.RoleViewer},
	"GET /api/v1/hunts/{id}":        {least: v1.RoleViewer},
	"GET /api/v1/hunts/{id}/report": {least: v1.RoleViewer},
	"POST /api/v1/hunts":            {least: v1.RoleAnalyst},
	"DELETE /api/v1/hunts/{id}":     {least: v1.RoleAnalyst},

	"GET /api/v1/sites/{site}/descriptions":           {least: v1.RoleViewer},
	"PUT /api/v1/sites/{site}/descriptions":           {least: v1.RoleAnalyst},
	"DELETE /api/v1/sites/{site}/descriptions/{name}": {least: v1.RoleAnalyst},

	"GET /api/v1/decisions":               {least: v1.RoleViewer},
	"GET /api/v1/decisions/{id}":          {least: v1.RoleViewer},
	"GET /api/v1/enforcement":             {least: v1.RoleViewer},
	"POST /api/v1/decisions/preview":      {least: v1.RoleAnalyst},
	"POST /api/v1/decisions":              {least: v1.RoleResponder},
	"POST /api/v1/decisions/{id}/undo":    {least: v1.RoleResponder},
	"POST /api/v1/decisions/{id}/approve": {least: v1.RoleResponder},
	"PUT /api/v1/enforcement":             {least: v1.RoleResponder},
	"GET /api/v1/bouncers":                {least: v1.RoleAdministrator},
	"POST /api/v1/bouncers":               {least: v1.RoleAdministrator},
	"DELETE /api/v1/bouncers/{id}":        {least: v1.RoleAdministrator},

	"GET /api/v1/feeds":                   {least: v1.RoleViewer},
	"GET /api/v1/indicators":              {least: v1.RoleViewer},
	"POST /api/v1/indicators/lookup":      {least: v1.RoleViewer},
	"GET /api/v1/indicators/export":       {least: v1.RoleAnalyst},
	"POST /api/v1/indicators":             {least: v1.RoleAnalyst},
	"POST /api/v1/indicators/{id}/retire": {least: v1.RoleAnalyst},
	"POST /api/v1/attacks/{id}/wrong":     {least: v1.RoleAnalyst},
	"POST /api/v1/feeds/{name}/refresh":   {least: v1.RoleAnalyst},

	"POST /api/v1/policy/public":    {least: v1.RoleResponder},
	"POST /api/v1/policy/approvals": {least: v1.RoleResponder},
	"POST /api/v1/policy/{id}/end":  {least: v1.RoleResponder},

	// Whose tokens and of which role, the operations say: one's own, and at
	// most one's own role.
	"GET /api/v1/tokens":         {least: v1.RoleViewer},
	"POST /api/v1/tokens":        {least: v1.RoleViewer, people: true},
	"DELETE /api/v1/tokens/{id}": {least: v1.RoleViewer},

	"GET /api/v1/users":              {least: v1.RoleAdministrator},
	"POST /api/v1/users":             {least: v1.RoleAdministrator},
	"GET /api/v1/users/{id}":         {least: v1.RoleAdministrator},
	"PATCH /api/v1/users/{id}":       {least: v1.RoleAdministrator},
	"DELETE /api/v1/users/{id}":      {least: v1.RoleAdministrator},
	"GET /api/v1/audit":              {least: v1.RoleAdministrator},
	"GET /api/v1/audit/verification": {least: v1.RoleAdministrator},
	"PUT /api/v1/settings/{id}":      {least: v1.RoleAdministrator},
}

// allows reports whether a role is enough.
func (x access) allows(r v1.Role) bool { return ranks[r] > 0 && ranks[r] >= ranks[x.least] }
