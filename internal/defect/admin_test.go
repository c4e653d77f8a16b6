package defect

import (
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/taxonomy"
)

func TestAdministrative(t *testing.T) {
	for _, c := range []struct {
		host, template string
		role           taxonomy.Role
		want           bool
	}{
		{"shop.example", "/admin/login", taxonomy.RoleLogin, true},
		{"shop.example", "/api/admin-api/system/login", taxonomy.RoleLogin, true},
		{"shop.example", "/houtai/index", taxonomy.RoleOther, true},
		{"admin.shop.example", "/login", taxonomy.RoleLogin, true},
		{"manage2.shop.example", "/login", taxonomy.RoleLogin, true},
		{"shop.example", "/users", taxonomy.RoleAdmin, true},
		{"shop.example", "/login", taxonomy.RoleLogin, false},
		{"shop.example", "/administrations/{id}", taxonomy.RoleOther, false},
		{"shop.example", "/managers-guide", taxonomy.RoleOther, false},
		{"admin", "/login", taxonomy.RoleLogin, false}, // a name of one label says nothing about what it serves
		{"10.0.0.1", "/login", taxonomy.RoleLogin, false},
	} {
		a := &catalog.API{Host: c.host, Template: c.template, Role: c.role}
		if got := Administrative(a); got != c.want {
			t.Errorf("%s%s (%s): %v", c.host, c.template, c.role, got)
		}
	}
}
