// Package roster lists the applications of the victims' lab.
//
// It takes nothing and gives the applications in order. Invariant: together
// their flaws show every kind of defect of the taxonomy that an application can
// have. Limits: none.
package roster

import (
	"xiezhi/lab/victim"
	"xiezhi/lab/victim/bank"
	"xiezhi/lab/victim/community"
	"xiezhi/lab/victim/government"
	"xiezhi/lab/victim/office"
	"xiezhi/lab/victim/parking"
	"xiezhi/lab/victim/shop"
)

// Apps are all applications.
func Apps() []*victim.App {
	return []*victim.App{parking.App, shop.App, office.App, community.App, government.App, bank.App}
}
