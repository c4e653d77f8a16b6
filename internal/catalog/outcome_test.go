package catalog

import (
	"testing"

	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

func TestOutcome(t *testing.T) {
	post := func() *build { return request("POST", "/api/act") }
	for name, c := range map[string]struct {
		b    *build
		want Outcome
	}{
		"created":                    {post().json(201, "x"), OutcomeSuccess},
		"no content":                 {post().small(204, ""), OutcomeSuccess},
		"200 but fail":               {post().small(200, "e").says(observe.SaysWrongSecret, "fail", -1), OutcomeRejected},
		"200 but not logged in":      {post().small(200, "e").says(observe.SaysUnauthorized, "1002", -1), OutcomeDenied},
		"200 quoting 404":            {post().small(200, "e").says(0, "404", -1), OutcomeNotFound},
		"200 too often":              {post().small(200, "e").says(observe.SaysThrottled, "1", -1), OutcomeThrottled},
		"200 out of order":           {post().login("a").small(200, "e").says(observe.SaysBroken|observe.SaysFailure, "fail", -1), OutcomeError},
		"200 out of order, code 0":   {post().login("a").small(200, "e").says(observe.SaysBroken, "0", 1), OutcomeError},
		"200 wrong, in any case":     {post().login("a").small(200, "e").says(observe.SaysBroken|observe.SaysBadPair, "fail", -1), OutcomeRejected},
		"message alone refuses":      {post().small(200, "e").says(observe.SaysNotRegistered, "", 0), OutcomeRejected},
		"401":                        {post().small(401, "e"), OutcomeDenied},
		"401 to a password":          {post().login("a").small(401, "e"), OutcomeRejected},
		"400 not registered":         {post().small(400, "e").says(observe.SaysNotRegistered, "", 0), OutcomeRejected},
		"400":                        {post().small(400, "e"), OutcomeInvalid},
		"404 user unknown":           {post().small(404, "e").says(observe.SaysNotFound, "", 0), OutcomeNotFound},
		"404 no such account":        {post().small(404, "e").says(observe.SaysNotRegistered, "fail", -1), OutcomeNotFound},
		"404 to a password":          {post().login("a").small(404, "e").says(observe.SaysNotRegistered, "fail", -1), OutcomeRejected},
		"405":                        {post().small(405, "e"), OutcomeInvalid},
		"409":                        {post().small(409, "e"), OutcomeRejected},
		"429":                        {post().small(429, "e"), OutcomeThrottled},
		"423":                        {post().small(423, "e"), OutcomeThrottled},
		"500":                        {post().small(500, "e"), OutcomeError},
		"no response":                {post(), OutcomeUnknown},
		"not modified":               {request("GET", "/x").small(304, ""), OutcomeSuccess},
		"success that quotes a word": {post().json(200, "x").says(observe.SaysSuccess|observe.SaysCaptcha, "0", 1), OutcomeSuccess},
	} {
		if got := newSite(t).do(c.b).Outcome; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestRedirects(t *testing.T) {
	to := func(b *build, where string) *build { b.Status, b.Location = 302, where; return b }
	for name, c := range map[string]struct {
		b    *build
		want Outcome
	}{
		"sent to log in":     {to(request("GET", "/orders"), "/login"), OutcomeDenied},
		"wrong password":     {to(request("POST", "/login").login("a"), "/login"), OutcomeRejected},
		"logged in":          {to(request("POST", "/login").login("a").issue("s"), "/home"), OutcomeSuccess},
		"ordinary redirect":  {to(request("GET", "/old"), "/new"), OutcomeRedirect},
		"login to login sso": {to(request("GET", "/login"), "/sso/login"), OutcomeRedirect},
	} {
		if got := newSite(t).do(c.b).Outcome; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestBusinessCodesAreLearned(t *testing.T) {
	s := newSite(t)
	for range 5 {
		s.do(request("GET", "/api/items").json(200, "items").says(0, "A100", 0).leaf("data[].id", "1"))
	}
	if got := s.do(request("GET", "/api/items").small(200, "err").says(0, "B207", 0)).Outcome; got != OutcomeRejected {
		t.Errorf("unknown code without data: %s", got)
	}
	if got := s.do(request("POST", "/api/items").small(200, "ok").says(0, "A100", 0)).Outcome; got != OutcomeSuccess {
		t.Errorf("known good code without data: %s", got)
	}
}

// 0 is success for one half of the world and failure for the other; a refusal
// in words decides.
func TestMessageOverrulesCode(t *testing.T) {
	s := newSite(t)
	no := func(says observe.MessageClass) Outcome {
		return s.do(request("POST", "/user/login").login("a").small(200, "r").says(says, "0", +1)).Outcome
	}
	if got := no(observe.SaysBadPair | observe.SaysFailure); got != OutcomeRejected {
		t.Errorf("status 0 with a wrong password: %s", got)
	}
	if got := no(observe.SaysUnauthorized); got != OutcomeDenied {
		t.Errorf("status 0 with a login demanded: %s", got)
	}
	if got := no(observe.SaysSuccess); got != OutcomeSuccess {
		t.Errorf("code 0 with success: %s", got)
	}
	if got := no(0); got != OutcomeSuccess {
		t.Errorf("code 0 without a message: %s", got)
	}
	data := request("GET", "/user/info").json(200, "u").says(observe.SaysFailure, "0", +1).leaf("data.id", "1")
	if got := s.do(data).Outcome; got != OutcomeSuccess {
		t.Errorf("code 0 with data: %s", got)
	}
}

// A state of what is given is no outcome.
func TestStateIsNoCode(t *testing.T) {
	s := newSite(t)
	for range 4 {
		for _, state := range []string{"paid", "shipped", "S3", "S4", "S5"} {
			s.do(request("GET", "/orders/1").json(200, "order").says(0, state, 0).leaf("id", "1"))
		}
	}
	if got := s.do(request("GET", "/healthz").small(200, "h").says(0, "UP", 0)).Outcome; got != OutcomeSuccess {
		t.Errorf("a health check: %s", got)
	}
	if got := s.do(request("PUT", "/orders/1").small(200, "h").says(0, "S6", 0)).Outcome; got != OutcomeSuccess {
		t.Errorf("one more state: %s", got)
	}
}

func TestLoginNeedsACredentialOnceSeen(t *testing.T) {
	s := newSite(t)
	for range 3 {
		s.do(request("POST", "/auth/login").login("a").json(200, "token").issue("t"))
	}
	ev := s.do(request("POST", "/auth/login").login("a").small(200, "sorry"))
	if ev.Outcome != OutcomeRejected {
		t.Errorf("login without a token: %s", ev.Outcome)
	}
	if ev.API.Role != taxonomy.RoleLogin {
		t.Errorf("role %s", ev.API.Role)
	}
}

func TestResponseClasses(t *testing.T) {
	s := newSite(t)
	for range 4 {
		s.do(request("POST", "/login").login("a").json(200, "t").issue("t"))
	}
	ok := s.do(request("POST", "/login").login("a").json(200, "t").issue("t")).ResponseClass
	no := s.do(request("POST", "/login").login("a").small(200, "x").says(observe.SaysWrongSecret, "fail", -1)).ResponseClass
	no2 := s.do(request("POST", "/login").login("b").small(200, "x").says(observe.SaysWrongSecret, "fail", -1)).ResponseClass
	if ok == no || no != no2 || ok == 0 || no == 0 {
		t.Errorf("classes %d %d %d", ok, no, no2)
	}
	for i := range 500 {
		b := request("POST", "/login").login("a").small(400, "e")
		b.MessageHash = uint64(i)
		if n := s.do(b).ResponseClass; n == 0 || n > ClassOther {
			t.Fatalf("class %d", n)
		}
	}
}
