package victim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"xiezhi/lab/people"
	"xiezhi/lab/victim"
	"xiezhi/lab/victim/bank"
	"xiezhi/lab/victim/government"
	"xiezhi/lab/victim/office"
	"xiezhi/lab/victim/shop"
)

func ask(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// TestLiveServicesAnswer asks the services over a socket, with a flaw on and
// off.
func TestLiveServicesAnswer(t *testing.T) {
	for _, on := range []bool{false, true} {
		flaws := func(string) bool { return on }
		front := httptest.NewServer(victim.Live(shop.App, 1, flaws))
		back := httptest.NewServer(victim.Live(office.App, 1, flaws))
		_, winners := ask(t, "GET", front.URL+"/api/activity/3002/winners", "")
		var page struct {
			Data struct{ Rows []map[string]any }
		}
		if err := json.Unmarshal([]byte(winners), &page); err != nil || len(page.Data.Rows) != 15 {
			t.Errorf("%d rows, %v", len(page.Data.Rows), err)
		} else if _, whole := page.Data.Rows[0]["phone"]; whole != on {
			t.Errorf("flaws on: %v, the list holds whole numbers: %v", on, whole)
		}
		if status, _ := ask(t, "GET", front.URL+"/api/orders/2026030000", ""); status != 401 {
			t.Errorf("an order without a session: %d", status)
		}
		if status, _ := ask(t, "GET", back.URL+"/.env", ""); (status == 200) != on {
			t.Errorf("flaws on: %v, /.env: %d", on, status)
		}
		if status, _ := ask(t, "POST", back.URL+"/admin/api/login", `{"username":"admin","password":"admin123456"}`); (status == 200) != on {
			t.Errorf("flaws on: %v, the factory's password: %d", on, status)
		}
		if status, _ := ask(t, "POST", back.URL+"/admin/api/login", "\x00{"); status != 401 {
			t.Errorf("no JSON: %d", status)
		}
		portal := httptest.NewServer(victim.Live(government.App, 1, flaws))
		if status, body := ask(t, "POST", portal.URL+"/ws/terminal/insured", "<request><idNo>"+people.New(1).Person(6000).ID+"</idNo></request>"); status != 200 || strings.Contains(body, "<personName>") != on {
			t.Errorf("flaws on: %v, whom the terminals' interface names: %s", on, body)
		}
		if _, body := ask(t, "GET", portal.URL+"/api/mine/info;jsessionid=0", ""); !strings.Contains(body, `"401"`) {
			t.Errorf("a session that is none: %s", body)
		}
		if status, body := ask(t, "GET", portal.URL+"/files/notice/mingdan-2601.csv", ""); status != 200 || strings.Contains(body, "********") == on {
			t.Errorf("flaws on: %v, the table: %.90s", on, body)
		}
		mobile := httptest.NewServer(victim.Live(bank.App, 1, flaws))
		p := people.New(1).Person(12_000)
		if _, body := ask(t, "POST", mobile.URL+"/api/card/progress", `{"certNo":"`+p.ID+`","mobile":"`+p.Phone+`"}`); strings.Contains(body, `"applied":true`) != on {
			t.Errorf("flaws on: %v, whether somebody applied: %s", on, body)
		}
		if status, body := ask(t, "POST", mobile.URL+"/api/auth/login", `{"mobile":"`+p.Phone+`","password":"x"}`); status != 403 {
			t.Errorf("a login that the app did not sign: %d %s", status, body)
		}
		mobile.Close()
		front.Close()
		back.Close()
		portal.Close()
	}
}
