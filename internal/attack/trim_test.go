package attack

import (
	"testing"

	"xiezhi/internal/taxonomy"
)

// sceneOf makes a scope of cells of one client that began at those seconds, each
// with that many requests.
func sceneOf(t *testing.T, began []float64, n []uint32) (*scene, *scope) {
	t.Helper()
	e := New(Config{Site: "s"})
	s := &scene{e: e, u: &e.units[0], desk: &e.desk, pool: &e.scratch}
	sc := &scope{kind: scopeCohort, key: 7}
	for i, sec := range began {
		r, c := e.cells.insert(uint64(i + 1))
		c.cohort, c.addr, c.n = 7, uint64(i+1), n[i]
		c.first, c.last = int64(sec*1e9), int64(sec*1e9)+int64(n[i])
		s.desk.refs, s.desk.cells = append(s.desk.refs, r), append(s.desk.cells, c)
		sc.members = append(sc.members, int32(i))
	}
	s.refs, s.taken = s.desk.refs, make([]bool, len(began))
	sc.all = append(sc.all, sc.members...)
	s.resum(sc)
	return s, sc
}

func TestTrim(t *testing.T) {
	const hour = 3600.0
	core := func(from float64, k int) (out []float64) {
		for i := range k {
			out = append(out, from+float64(i)*20)
		}
		return out
	}
	ones := func(k int) (out []uint32) {
		for range k {
			out = append(out, 1)
		}
		return out
	}
	for _, c := range []struct {
		name  string
		began []float64
		n     []uint32
		want  int
	}{
		{"all together", core(hour, 30), ones(30), 30},
		{"two of the public, hours before", append(core(10*hour, 30), 0, 3*hour), ones(32), 30},
		{"one just before", append(core(10*hour, 30), 10*hour-900), ones(31), 31},
		{"two comings", append(core(hour, 30), core(9*hour, 12)...), ones(42), 42},
		{"a few, and one busy person before", append(core(10*hour, 5), 0), append(ones(5), 3), 5},
		{"slow and even", []float64{0, hour, 2 * hour, 3 * hour, 4 * hour, 5 * hour}, ones(6), 6},
	} {
		s, sc := sceneOf(t, c.began, c.n)
		out := s.trim(sc)
		if len(sc.members) != c.want || out != (c.want < len(c.began)) || len(sc.all) != c.want {
			t.Errorf("%s: %d of %d members and %d of all are left, %v", c.name, len(sc.members), len(c.began), len(sc.all), out)
		}
		sum := uint32(0)
		for _, i := range sc.members {
			sum += s.cell(i).n
		}
		if sc.sum.n != sum {
			t.Errorf("%s: the sum counts %d requests, the members have %d", c.name, sc.sum.n, sum)
		}
		sc.sum.free(s.pool)
	}
}

// TestMeant: who gets in with a password of his own is no part of a spray.
func TestMeant(t *testing.T) {
	var p pool
	p.budget = 1 << 20
	var spray, owner, victim tally
	for _, tag := range []uint64{11, 12} {
		p.add(&spray.sets[setTags], tag)
	}
	for i := range uint64(30) {
		p.add(&spray.sets[setSubjects], 100+i)
	}
	p.add(&owner.sets[setTags], 99)
	p.add(&owner.sets[setSubjects], 777)
	p.add(&victim.sets[setTags], 12)
	p.add(&victim.sets[setSubjects], 104)
	typo := owner
	typo.subj, spray.subj = 2, 30
	for _, c := range []struct {
		kind taxonomy.AttackKind
		cell *tally
		want bool
	}{
		{taxonomy.AttackCredentialStuffing, &typo, false},
		{taxonomy.AttackPasswordSpraying, &owner, false},
		{taxonomy.AttackPasswordSpraying, &victim, true},
		{taxonomy.AttackBruteForce, &owner, false},
		{taxonomy.AttackBruteForce, &victim, true},
		{taxonomy.AttackCredentialStuffing, &owner, true}, // each with his own: not to be told
		{taxonomy.AttackPasswordSpraying, &tally{}, true}, // not to be seen
	} {
		if got := spray.meant(c.kind, c.cell); got != c.want {
			t.Errorf("%s: meant %v", c.kind, got)
		}
	}
}
