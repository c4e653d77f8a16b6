package attack

import "testing"

// A program whose clients never come back keeps no more of them than there
// are places, and loses none that still has one.
func TestClientsOfAProgramAreBounded(t *testing.T) {
	const limit = 16
	var x scripts
	var p pool
	x.init(limit)
	for i := range uint64(1000) {
		name := 7 + i%10/9 // every tenth is of another program
		g := x.program(&p, name, int64(i))
		x.stroll(1000+i, name, g).last = int64(i)
		if len(g.strolls) > 2*limit {
			t.Fatalf("%d clients listed after %d, %d places", len(g.strolls), i, limit)
		}
	}
	for _, g := range x.programs {
		listed := map[int32]bool{}
		for _, i := range g.strolls {
			listed[i] = true
		}
		for i := range x.strolls {
			if x.strolls[i].program == g.key && !listed[int32(i)] {
				t.Errorf("client %d of program %d is not listed", i, g.key)
			}
		}
	}
}
