package attack

// Passwords that open many accounts: what an organisation gives to its people
// to begin with. Whoever has changed his and still tries the first one fails
// with the password of many others, which is no spraying.

const (
	initialAccounts = 5    // accounts that one password opens before it is taken for such
	initialKept     = 4096 // passwords that opened an account lately
)

type opened struct {
	tag      uint32
	accounts *distinct
}

// initial remembers passwords, by their tags, that opened an account. Only a
// success makes an entry; at the cap the oldest is forgotten.
type initial struct {
	index map[uint32]int32
	ring  []opened
	next  int
}

func (m *initial) init() { m.index = make(map[uint32]int32) }

func (m *initial) open(p *pool, tag uint32, subject uint64) {
	i, ok := m.index[tag]
	switch {
	case ok:
	case len(m.ring) < initialKept:
		i = int32(len(m.ring))
		m.ring = append(m.ring, opened{tag: tag})
		m.index[tag] = i
	default:
		i = int32(m.next)
		m.next = (m.next + 1) % initialKept
		x := &m.ring[i]
		delete(m.index, x.tag)
		p.release(x.accounts)
		*x = opened{tag: tag}
		m.index[tag] = i
	}
	p.add(&m.ring[i].accounts, subject)
}

// gives reports whether all passwords of a set were given to people: each opens
// accounts in numbers, against those where it failed.
func (m *initial) gives(tags *distinct, failed float64) bool {
	if tags == nil || tags.dense != nil || len(tags.small) == 0 {
		return false
	}
	for _, tag := range tags.small {
		i, ok := m.index[uint32(tag)]
		if !ok {
			return false
		}
		if n := m.ring[i].accounts.count(); n < initialAccounts || n*2 < failed {
			return false
		}
	}
	return true
}
