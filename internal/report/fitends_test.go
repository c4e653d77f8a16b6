package report

import "testing"

func TestFitEnds(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{
		{"/short", 8, "/short  "},
		{"/routeguide.RouteGuide/RouteChat", 24, "/routeg…eGuide/RouteChat"},
		{"/接口/用户管理/查询用户列表", 12, "/接…用户列表"},
		{"", 3, "   "},
	} {
		got := fitEnds(tt.in, tt.n)
		if columns(got) != tt.n {
			t.Errorf("%q takes %d columns, not %d", got, columns(got), tt.n)
		}
		if got != tt.want {
			t.Errorf("%q cut to %d: %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}
