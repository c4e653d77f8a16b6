package api

import (
	"context"
	"errors"
	"strings"
	"testing"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/respond/outbox"
)

// withReceivers gives a house two receivers, of which the second takes nothing.
func withReceivers(t testing.TB) func(*Config) {
	return func(c *Config) {
		refusing := func(context.Context, []outbox.Item) error {
			return &outbox.Failure{Why: "soc.example answers with status 400", Final: true}
		}
		box, err := outbox.Open(t.Context(), outbox.Config{Store: c.Store, Now: c.Now, Random: c.Random, Lanes: []outbox.Lane{
			{Name: "ops", Send: func(context.Context, []outbox.Item) error { return nil }}, {Name: "soc", Send: refusing}}})
		if err != nil {
			t.Fatal(err)
		}
		c.Notifier = &Notifier{Box: box, Public: "https://xiezhi.example.com", Receivers: []Receiver{{Name: "ops", Type: "dingtalk", Host: "oapi.dingtalk.com", Lang: "zh"}, {Name: "soc", Type: "cef/tls", Host: "soc.example", Lang: "en", SIEM: true}},
			Test: func(_ context.Context, name string) error {
				if name == "soc" {
					return errors.New("soc.example: no answer in time")
				}
				return nil
			}}
	}
}

func TestNotifications(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	box := h.api.cfg.Notifier.Box
	for _, lane := range []string{"ops", "soc", "soc"} {
		if err := box.Add(t.Context(), []outbox.Item{{Lane: lane, Kind: "campaign.new", Title: message.Text{Zh: "团伙", En: "gang"}, At: h.now, Body: []byte(`{}`)}}); err != nil {
			t.Fatal(err)
		}
	}
	for !box.Step(t.Context()) {
	}
	list := func() (out v1.Notifications) {
		t.Helper()
		g.holds("GET", "/api/v1/notifications", nil).into(t, &out)
		return out
	}
	got := list()
	if len(got.Receivers) != 2 || got.Receivers[0].State != "ok" || got.Receivers[0].Sent != 1 || got.Receivers[1].State != "failing" || got.Receivers[1].Dead != 2 || got.Receivers[1].Family != "siem" ||
		len(got.Dead) != 2 || got.DeadTotal != 2 || got.Dead[0].Why != "soc.example answers with status 400" || got.PublicUrl != "https://xiezhi.example.com" {
		t.Fatalf("%+v", got)
	}
	g.must(204, "POST", "/api/v1/notifications/dead/"+got.Dead[0].Id+"/resend", nil)
	if h, _ := box.Health("soc"); h.Waiting != 1 || h.Dead != 1 {
		t.Errorf("%+v", h)
	}
	g.must(204, "DELETE", "/api/v1/notifications/dead/"+got.Dead[1].Id, nil)
	if got := list(); len(got.Dead) != 0 {
		t.Errorf("%+v", got.Dead)
	}
	for _, path := range []string{"POST /api/v1/notifications/dead/none/resend", "DELETE /api/v1/notifications/dead/none", "POST /api/v1/notifications/receivers/none/test"} {
		method, path, _ := strings.Cut(path, " ")
		if p := g.ask(method, path, nil).problem(t); p.Code != "not_found" {
			t.Errorf("%s: %+v", path, p)
		}
	}
	var test v1.ReceiverTest
	g.holds("POST", "/api/v1/notifications/receivers/ops/test", nil).into(t, &test)
	if !test.Taken {
		t.Errorf("%+v", test)
	}
	g.holds("POST", "/api/v1/notifications/receivers/soc/test", nil).into(t, &test)
	if test.Why != "soc.example: no answer in time" {
		t.Errorf("%+v", test)
	}
	audit := string(g.must(200, "GET", "/api/v1/audit", nil).body)
	for _, action := range []string{"notification.test", "notification.resend", "notification.forget"} {
		if !strings.Contains(audit, action) {
			t.Errorf("%s is not in the audit log", action)
		}
	}
}

// TestNobodyIsTold: without receivers the list is empty and the rest says why.
func TestNobodyIsTold(t *testing.T) {
	g := newHouse(t, func(c *Config) { c.Notifier = nil }).admin()
	var got v1.Notifications
	g.holds("GET", "/api/v1/notifications", nil).into(t, &got)
	if len(got.Receivers) != 0 || got.Receivers == nil {
		t.Errorf("%+v", got)
	}
	if p := g.ask("POST", "/api/v1/notifications/receivers/ops/test", nil).problem(t); p.Code != "no_notifier" || p.Status != 503 {
		t.Errorf("%+v", p)
	}
}
